use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pg::endpoint::TlsMode;
use pg::pipeline::{Batch, ConnectionError, Pipeline, PipelineError, Statement};
use pg::{Endpoint, RequestContext};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use testkit::fault::PrivateCluster;

use TlsMode::{Disable, Prefer, Require, VerifyCa, VerifyFull};

use crate::pipeline::{eventually, pipeline_at, text};

/// An authority of the test's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("an authority")
}

/// Writes a file into the cluster's directory that its server may read and nobody else.
fn give(directory: &Path, name: &str, content: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, content).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
    let owner = fs::metadata(directory).expect("a directory");
    chown(&path, Some(owner.uid()), Some(owner.gid())).expect("given away");
    path
}

/// Makes the server encrypt, with a certificate of `authority` for `localhost`.
async fn encrypt(cluster: &PrivateCluster, authority: &CertifiedIssuer<'_, KeyPair>) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let directory = cluster.config().data_dir.join("postgres");
    give(&directory, "test.key", &key.serialize_pem());
    give(&directory, "test.crt", &certificate.pem());
    let admin = pg::pool(&cluster.endpoint(), &pg::PoolOptions::new("test", 1));
    for sql in [
        "alter system set ssl_cert_file = 'test.crt'",
        "alter system set ssl_key_file = 'test.key'",
        "alter system set ssl = on",
        "select pg_reload_conf()",
    ] {
        sqlx::raw_sql(sql).execute(&admin).await.expect(sql);
    }
    let required = endpoint(cluster, "localhost", Require, None);
    let pipeline = pipeline_at(required, 1);
    eventually("the server encrypts", async || {
        look(&pipeline).await.is_ok()
    })
    .await;
}

fn endpoint(
    cluster: &PrivateCluster,
    host: &str,
    tls: TlsMode,
    root_certificate: Option<&Path>,
) -> Endpoint {
    Endpoint {
        host: host.to_owned(),
        tls,
        root_certificate: root_certificate.map(Path::to_owned),
        ..cluster.endpoint()
    }
}

/// Whether the session is encrypted.
async fn look(pipeline: &Pipeline) -> Result<bool, PipelineError> {
    let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    let batch = Batch::read_only().then(Statement::new(sql));
    let context = RequestContext::new("pg_monitor", "{}");
    Ok(text(&pipeline.run(&context, &batch).await?) == "t")
}

#[tokio::test]
async fn encryption_is_as_the_mode_says() {
    let cluster = PrivateCluster::start().await;
    let try_as = async |host: &str, mode, root: Option<&Path>| match Pipeline::new(
        endpoint(&cluster, host, mode, root),
        crate::pipeline::options(1),
    ) {
        Ok(pipeline) => look(&pipeline).await,
        Err(error) => Err(error),
    };
    assert!(!try_as("localhost", Prefer, None).await.expect("plain text"));
    let refused = try_as("localhost", Require, None).await;
    let Err(PipelineError::Unavailable {
        source: ConnectionError::Tls(_),
        ..
    }) = refused
    else {
        panic!("{refused:?}");
    };

    let ours = authority();
    encrypt(&cluster, &ours).await;
    let directory = tempfile::tempdir().expect("a directory");
    let ours = give(directory.path(), "ours.pem", &ours.pem());
    let other = give(directory.path(), "other.pem", &authority().pem());
    for (host, mode, root, encrypted) in [
        ("localhost", Disable, None, Some(false)),
        ("localhost", Prefer, None, Some(true)),
        ("localhost", Require, None, Some(true)),
        ("localhost", VerifyFull, Some(&ours), Some(true)),
        ("127.0.0.1", VerifyCa, Some(&ours), Some(true)),
        ("127.0.0.1", VerifyFull, Some(&ours), None),
        ("localhost", VerifyCa, Some(&other), None),
        ("localhost", VerifyFull, Some(&other), None),
        ("localhost", VerifyFull, None, None),
    ] {
        let seen = try_as(host, mode, root.map(PathBuf::as_path)).await;
        assert_eq!(
            seen.as_ref().ok().copied(),
            encrypted,
            "{host} {mode:?}: {seen:?}"
        );
    }

    let pipeline = pipeline_at(endpoint(&cluster, "localhost", VerifyFull, Some(&ours)), 1);
    let slow = Batch::read_only().then(Statement::new("select pg_sleep(30)"));
    let slow = slow.with_deadline(Duration::from_millis(50));
    let late = pipeline
        .run(&RequestContext::new("pg_monitor", "{}"), &slow)
        .await;
    assert!(
        matches!(late, Err(PipelineError::Deadline { .. })),
        "{late:?}"
    );
    let large = "x".repeat(3_000_000);
    let echo = Batch::read_only().then(Statement::new("select $1::text").bind(&*large));
    let context = RequestContext::new("pg_monitor", "{}");
    let echoed = pipeline.run(&context, &echo).await.expect("results");
    assert_eq!(text(&echoed), large);
}
