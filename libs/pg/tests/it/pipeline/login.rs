//! Getting in: passwords and unix sockets. TLS is in [`super::cluster`].

use common::Secret;
use pg::pipeline::{ConnectionError, PipelineError};
use pg::roles;
use testkit::SharedCluster;

use super::{ask, database, one, pipeline_at, user};

#[tokio::test]
async fn a_password_is_proved_by_scram() {
    let (db, _) = database("", 1).await;
    // Roles belong to the whole cluster: this one to this test alone.
    let role = db.name().replace("test_", "scram_");
    let make = format!(
        "create role {role} login noinherit password 'Пароль ½ \"quoted\"' in role testkit_scram; \
         grant authenticated to {role}"
    );
    db.execute(&make).await;
    let mut endpoint = db.endpoint(&role);
    let mut outcomes = Vec::new();
    for password in [Some("Пароль ½ \"quoted\""), Some("wrong"), None] {
        endpoint.password = password.map(Secret::from);
        let pipeline = pipeline_at(endpoint.clone(), 1);
        outcomes.push(pipeline.run(&user("a"), &one("select 1")).await);
    }
    db.execute(&format!("drop owned by {role}; drop role {role}"))
        .await;
    let [right, wrong, missing] = &outcomes[..] else {
        panic!("three outcomes");
    };
    assert!(right.is_ok(), "{right:?}");
    let Err(PipelineError::Unavailable {
        source: ConnectionError::Ended(error),
        ..
    }) = wrong
    else {
        panic!("{wrong:?}");
    };
    assert_eq!(error.code, "28P01");
    let Err(PipelineError::Unavailable { source, .. }) = missing else {
        panic!("{missing:?}");
    };
    assert!(
        matches!(source, ConnectionError::Authentication(_)),
        "{source:?}"
    );
}

#[tokio::test]
async fn a_directory_is_a_unix_socket() {
    let (db, _) = database("", 1).await;
    let cluster = SharedCluster::get().await;
    let mut endpoint = db.endpoint(roles::AUTHENTICATOR);
    endpoint.host = cluster.home.to_string_lossy().into_owned();
    let pipeline = pipeline_at(endpoint, 1);
    let address = "select coalesce(inet_client_addr()::text, 'none')";
    assert_eq!(ask(&pipeline, address).await, "none");
    // Cancelling goes the same way.
    let slow = one("select pg_sleep(30)").with_deadline(std::time::Duration::from_millis(50));
    let late = pipeline.run(&user("a"), &slow).await;
    assert!(
        matches!(late, Err(PipelineError::Deadline { .. })),
        "{late:?}"
    );
}
