use std::path::Path;

use pg::pipeline::{Batch, Statement};
use pg::{Endpoint, RequestContext, local};
use testkit::fault::PrivateCluster;

use crate::pipeline::{pipeline_at, text};

/// Whether a session came over TCP.
async fn over_tcp(cluster: &PrivateCluster, socket_directory: Option<&Path>) -> bool {
    let pipeline = pipeline_at(
        Endpoint {
            socket_directory: socket_directory.map(Path::to_owned),
            ..cluster.endpoint()
        },
        1,
    );
    let batch = Batch::read_only().then(Statement::new("select inet_client_addr() is not null"));
    let context = RequestContext::new("pg_monitor", "{}");
    let results = pipeline.run(&context, &batch).await.expect("results");
    text(&results) == "t"
}

#[tokio::test]
async fn the_unix_socket_is_preferred_where_it_can_be_opened() {
    let cluster = PrivateCluster::start().await;
    let sockets = cluster.config().data_dir.join(local::SOCKETS);
    assert!(!over_tcp(&cluster, Some(&sockets)).await);
    assert!(over_tcp(&cluster, Some(Path::new("/nowhere"))).await);
    assert!(over_tcp(&cluster, None).await);
}
