//! What surrounds requests: other origins, headers, logs, the administration's port.

use serde_json::json;

use super::server::{Ground, SECRET, Server, ask};

const ITEMS: &str = "
    create table items (id int primary key, name text);
    insert into items values (1, 'a');
    create role anon# nologin;
    create role login# login noinherit;
    grant anon# to login#;
    grant select, insert on items to anon#;
    create function root() returns json stable language sql as $$
      select '{\"swagger\": \"2.0\", \"info\": {\"title\": \"Overridden\"}}'::json
    $$;
    create function fail() returns void volatile language plpgsql as $$
      begin raise sqlstate 'PT503'; end
    $$;
";

const ANON: (&str, &str) = ("PGRST_DB_ANON_ROLE", "anon#");
const ORIGIN: (&str, &str) = ("origin", "http://example.com");

#[tokio::test]
async fn pages_of_other_origins_may_call() {
    let ground = Ground::new(ITEMS).await;
    let server = ground.serve("login#", &[ANON]).await;
    let asked = [
        ORIGIN,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "Foo,Bar"),
    ];
    let preflight = server.ask("OPTIONS", "/items", &asked, "").await;
    assert_eq!((preflight.status, preflight.body.as_str()), (200, ""));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        (
            "access-control-allow-methods",
            "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD",
        ),
        (
            "access-control-allow-headers",
            "Authorization, Foo, Bar, Accept, Accept-Language, Content-Language",
        ),
        ("access-control-max-age", "86400"),
    ] {
        assert_eq!(preflight.header(name), Some(value));
    }
    // The documentation's own preflight.
    let documented = [
        ORIGIN,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "Content-Type"),
    ];
    let preflight = server.ask("OPTIONS", "/items", &documented, "").await;
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("Authorization, Content-Type, Accept, Accept-Language, Content-Language")
    );
    let read = server.ask("GET", "/items", &[ORIGIN], "").await;
    assert_eq!(read.header("access-control-allow-origin"), Some("*"));
    let exposed = "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, Range-Unit";
    assert_eq!(read.header("access-control-expose-headers"), Some(exposed));
    let options = server.ask("OPTIONS", "/items", &[ORIGIN], "").await;
    assert_eq!(
        options.header("allow"),
        Some("OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE")
    );
    assert_eq!(
        server
            .get("/items")
            .await
            .header("access-control-allow-origin"),
        None
    );

    let listed = (
        "PGRST_SERVER_CORS_ALLOWED_ORIGINS",
        "http://example.com, http://example2.com",
    );
    let server = ground.serve("login#", &[ANON, listed]).await;
    let read = server.ask("GET", "/items", &[ORIGIN], "").await;
    assert_eq!(
        read.header("access-control-allow-origin"),
        Some("http://example.com")
    );
    assert_eq!(
        read.header("access-control-allow-credentials"),
        Some("true")
    );
    let read = server
        .ask("GET", "/items", &[("origin", "http://evil.com")], "")
        .await;
    assert_eq!(
        (read.status, read.header("access-control-allow-origin")),
        (200, None)
    );
}

#[tokio::test]
async fn answers_tell_of_their_request() {
    let ground = Ground::new(ITEMS).await;
    let settings = [
        ANON,
        ("PGRST_SERVER_TIMING_ENABLED", "true"),
        ("PGRST_SERVER_TRACE_HEADER", "X-Request-Id"),
        ("PGRST_LOG_LEVEL", "info"),
        ("PGRST_LOG_QUERY", "main-query"),
        ("PGRST_OPENAPI_MODE", "disabled"),
    ];
    let server = ground.serve("login#", &settings).await;
    let read = server
        .ask(
            "GET",
            "/items",
            &[("x-request-id", "123"), ("user-agent", "curl")],
            "",
        )
        .await;
    assert_eq!(read.header("x-request-id"), Some("123"));
    assert!(
        read.header("server")
            .expect("a name")
            .starts_with("selfdb-rest/")
    );
    let timing = read.header("server-timing").expect("stages");
    let stages: Vec<&str> = timing
        .split(", ")
        .filter_map(|stage| stage.split(';').next())
        .collect();
    assert_eq!(stages, ["jwt", "parse", "plan", "transaction", "response"]);
    let missing = server
        .ask("GET", "/nothing", &[("x-request-id", "7")], "")
        .await;
    assert_eq!(missing.header("x-request-id"), Some("7"));
    let root = server.get("/").await;
    assert_eq!(root.code(), (404, "PGRST126".to_owned()));
    let log = server.finish().await;
    assert!(log.contains("\"GET /items HTTP/1.1\" 200 "), "{log}");
    assert!(log.contains(&ground.named("127.0.0.1 - anon# [")), "{log}");
    assert!(log.contains("\"GET /nothing HTTP/1.1\" 404 "), "{log}");
    assert!(log.contains("\"curl\""), "{log}");
    assert!(log.contains("from \"public\".\"items\""), "{log}");
}

#[tokio::test]
async fn a_quiet_log_has_only_faults() {
    let ground = Ground::new(ITEMS).await;
    let server = ground.serve("login#", &[ANON]).await;
    assert_eq!(server.get("/nothing").await.status, 404);
    assert_eq!(server.ask("POST", "/rpc/fail", &[], "{}").await.status, 503);
    let log = server.finish().await;
    assert!(log.contains("\"POST /rpc/fail HTTP/1.1\" 503 "), "{log}");
    assert!(!log.contains("/nothing"), "{log}");
}

#[tokio::test]
async fn the_administration_has_a_port_of_its_own() {
    let ground = Ground::new(ITEMS).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let free = port.local_addr().expect("an address").port().to_string();
    drop(port);
    let settings = [
        ANON,
        ("PGRST_ADMIN_SERVER_PORT", free.as_str()),
        ("PGRST_JWT_SECRET", SECRET),
    ];
    let server = ground.serve("login#", &settings).await;
    let admin = server.admin.expect("an admin server");
    let get = |path: &'static str| async move { ask(admin, ("GET", path), &[], "").await };
    assert_eq!(get("/live").await.status, 200);
    assert_eq!(get("/ready").await.status, 200);
    assert_eq!(get("/other").await.status, 404);
    let metrics = get("/metrics").await.body;
    assert!(metrics.contains("\npgrst_db_pool_max 10.0\n"), "{metrics}");
    assert!(
        metrics.contains("pgrst_schema_cache_loads_total{status=\"SUCCESS\"} "),
        "{metrics}"
    );
    let config = get("/config").await.body;
    assert!(config.contains("db-schemas = \"public\""), "{config}");
    assert!(
        !config.contains(SECRET),
        "no secrets on the network: {config}"
    );
    assert_eq!(
        get("/schema_cache").await.json()["dbTables"][0]["name"],
        "items"
    );
    // Health is no name of the API itself.
    assert_eq!(
        server.get("/live").await.code(),
        (404, "PGRST205".to_owned())
    );

    let ready = ground
        .command("login#", &settings)
        .with("--ready")
        .output()
        .await;
    let told = String::from_utf8(ready.stdout).expect("text");
    assert_eq!(told, format!("OK: http://127.0.0.1:{admin}/ready\n"));
    drop(server);
    let ready = ground
        .command("login#", &settings)
        .with("--ready")
        .output()
        .await;
    assert_eq!(ready.status.code(), Some(1));
}

#[tokio::test]
async fn a_new_process_takes_over_the_port() {
    let ground = Ground::new(ITEMS).await;
    let shared = ("PGRST_SERVER_REUSEPORT", "true");
    let old = ground.serve("login#", &[ANON, shared]).await;
    let port = old.port().to_string();
    let same = ("PGRST_SERVER_PORT", port.as_str());
    let refused = ground.command("login#", &[ANON, same]).output().await;
    assert!(!refused.status.success(), "{refused:?}");

    let new = ground.serve("login#", &[ANON, shared, same]).await;
    for _ in 0..20 {
        assert_eq!(new.get("/items").await.status, 200);
    }
    old.finish().await;
    for _ in 0..20 {
        assert_eq!(new.get("/items").await.status, 200);
    }
}

#[tokio::test]
async fn a_socket_in_the_file_system() {
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::new(ITEMS).await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("api.sock");
    let shown = path.display().to_string();
    let settings = [
        ANON,
        ("PGRST_SERVER_UNIX_SOCKET", shown.as_str()),
        ("PGRST_SERVER_UNIX_SOCKET_MODE", "600"),
    ];
    let _server = Server::start(&ground.command("login#", &settings)).await;
    let mode = std::fs::metadata(&path)
        .expect("a socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let stream = tokio::net::UnixStream::connect(&path)
        .await
        .expect("a server");
    drop(stream);
}

#[tokio::test]
async fn a_function_answers_at_the_root_and_transactions_end_as_told() {
    let ground = Ground::new(ITEMS).await;
    let settings = [
        ANON,
        ("PGRST_DB_ROOT_SPEC", "root"),
        ("PGRST_DB_TX_END", "rollback"),
    ];
    let server = ground.serve("login#", &settings).await;
    let root = server
        .ask("GET", "/", &[("accept", "application/openapi+json")], "")
        .await;
    assert_eq!(root.json()["info"]["title"], "Overridden", "{root:?}");
    let made = server
        .ask("POST", "/items", &[("prefer", "tx=commit")], r#"{"id": 2}"#)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        server.get("/items?select=id").await.json(),
        json!([{ "id": 1 }])
    );
}

#[tokio::test]
async fn no_table_is_hidden() {
    let ground = Ground::new(
        "create table tx (id int);
         create table \"types.ts\" (id int);
         create role anon# nologin;
         create role login# login noinherit;
         grant anon# to login#;
         grant all on tx, \"types.ts\" to anon#;",
    )
    .await;
    let server = ground.serve("login#", &[ANON]).await;
    for path in ["/tx", "/types.ts"] {
        let made = server.ask("POST", path, &[], r#"{"id":1}"#).await;
        assert_eq!(made.status, 201, "{made:?}");
        let read = server.get(path).await;
        assert_eq!(read.json(), json!([{ "id": 1 }]));
    }
    let transactions = ("REST_TRANSACTIONS", "true");
    let server = ground.serve("login#", &[ANON, transactions]).await;
    let operations =
        r#"[{"method":"POST","path":"/tx","body":{"id":2}},{"method":"GET","path":"/tx?id=eq.2"}]"#;
    let done = server.ask("POST", "/tx", &[], operations).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.json()[1]["body"], json!([{ "id": 2 }]));
}
