//! Where the configuration comes from, and what becomes of a wrong one.

use super::server::{Ground, SECRET, Server};

const SCHEMAS: &str = "
    create schema one;
    create table one.things as select 'one' as name;
    create schema two;
    create table two.things as select 'two' as name;
    create role anon# nologin;
    create role login# login noinherit;
    grant anon# to login#;
    grant usage on schema one, two to anon#;
    grant select on one.things, two.things to anon#;
";

const ANON: (&str, &str) = ("PGRST_DB_ANON_ROLE", "anon#");

async fn name(server: &Server) -> String {
    let things = server.get("/things").await;
    things.json()[0]["name"]
        .as_str()
        .expect("a name")
        .to_owned()
}

#[tokio::test]
async fn the_database_has_the_last_word() {
    let ground = Ground::new(SCHEMAS).await;
    ground
        .execute("alter role login# set pgrst.db_schemas = 'two, one'")
        .await;
    let schemas = ("PGRST_DB_SCHEMAS", "one");
    let server = ground.serve("login#", &[ANON, schemas]).await;
    assert_eq!(name(&server).await, "two");
    let deaf = ground
        .serve("login#", &[ANON, schemas, ("PGRST_DB_CONFIG", "false")])
        .await;
    assert_eq!(name(&deaf).await, "one");

    let database = ground.db.name().to_owned();
    ground
        .execute(&format!(
            "alter role login# in database {database} set pgrst.db_schemas = 'one'"
        ))
        .await;
    let mut server = server;
    ground.execute("notify pgrst, 'reload config'").await;
    server.said("Config reloaded").await;
    server.said("schema cache loaded").await;
    assert_eq!(name(&server).await, "one");
}

#[tokio::test]
async fn a_function_may_configure() {
    let ground = Ground::new(SCHEMAS).await;
    ground
        .execute(
            "create schema postgrest;
             grant usage on schema postgrest to login#;
             create function postgrest.pre_config() returns void language sql as $$
               select set_config('pgrst.db_schemas', 'two, one', true),
                      set_config('pgrst.db_anon_role', 'anon#', true)
             $$",
        )
        .await;
    let function = ("PGRST_DB_PRE_CONFIG", "postgrest.pre_config");
    let mut server = ground.serve("login#", &[function]).await;
    assert_eq!(name(&server).await, "two");
    // A configuration that cannot be used leaves the one before at work.
    ground
        .execute(
            "create or replace function postgrest.pre_config() returns void language sql as $$
               select set_config('pgrst.db_tx_end', 'sometimes', true) $$;
             notify pgrst, 'reload config'",
        )
        .await;
    server.said("Failed reloading config").await;
    assert_eq!(name(&server).await, "two");
}

#[tokio::test]
async fn the_environment_comes_before_the_file_which_a_signal_reads_again() {
    let ground = Ground::new(SCHEMAS).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("postgrest.conf");
    let secret = directory.path().join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).expect("written");
    let write = |schema: &str| {
        let text = format!(
            "# a comment\ndb-schema = \"{schema}\"\ndb-anon-role = \"nobody\"\n\
             jwt-secret = \"@{}\"\napp.settings.x = \"y\"\n",
            secret.display()
        );
        std::fs::write(&file, text).expect("written");
    };
    write("one");
    let launch = ground
        .command("login#", &[ANON])
        .with(file.display().to_string());
    let mut server = Server::start(&launch).await;
    assert_eq!(name(&server).await, "one");
    write("two");
    let id = rustix::process::Pid::from_raw(i32::try_from(server.id()).expect("an id"));
    let signal = rustix::process::Signal::USR2;
    rustix::process::kill_process(id.expect("an id"), signal).expect("a signal");
    server.said("schema cache loaded").await;
    assert_eq!(name(&server).await, "two");

    let dump = ground
        .command("login#", &[ANON])
        .with("--dump-config")
        .with(file.display().to_string())
        .output()
        .await;
    let text = String::from_utf8(dump.stdout).expect("text");
    for line in [
        "db-schemas = \"two\"",
        &ground.named("db-anon-role = \"anon#\""),
        "db-max-rows = \"\"",
        "db-pool = 10",
        "db-config = true",
        "db-tx-end = \"commit\"",
        &format!("jwt-secret = \"{SECRET}\""),
        "jwt-role-claim-key = \".\\\"role\\\"\"",
        "server-unix-socket-mode = \"660\"",
        "app.settings.x = \"y\"",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn a_wrong_setting_is_named_and_nothing_starts() {
    let ground = Ground::new(SCHEMAS).await;
    for (name, value) in [
        ("PGRST_DB_TX_END", "sometimes"),
        ("PGRST_DB_POOL", "0"),
        ("PGRST_DB_MAX_ROWS", "many"),
        ("PGRST_JWT_SECRET", "short"),
        ("PGRST_JWT_ROLE_CLAIM_KEY", "role"),
        ("PGRST_OPENAPI_MODE", "loud"),
        ("PGRST_OPENAPI_SERVER_PROXY_URI", "nowhere"),
        ("PGRST_LOG_LEVEL", "loud"),
        ("PGRST_SERVER_UNIX_SOCKET_MODE", "888"),
        ("PGRST_DB_URI", "port=x user=y"),
        ("PGRST_JWT_SECRET", "@/no/such/file"),
        ("PGRST_DB_CHANNEL_ENABLED", "perhaps"),
    ] {
        let output = ground.command("login#", &[(name, value)]).output().await;
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{name}: {told}");
        assert!(told.contains(name), "{name}: {told}");
        assert!(!told.contains("short\n"), "{told}");
    }
    let output = ground
        .command("login#", &[])
        .with("/no/such.conf")
        .output()
        .await;
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn texts_are_told() {
    let ground = Ground::new("").await;
    for (option, wanted) in [
        ("--help", "--dump-config"),
        ("--version", "selfdb-rest "),
        ("--example", "db-anon-role"),
    ] {
        let output = ground
            .command("x", &[])
            .without("PGRST_DB_URI")
            .with(option)
            .output()
            .await;
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.contains(wanted), "{text}");
    }
}
