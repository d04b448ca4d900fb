//! Functions that connect to Postgres themselves, as a role of their own, and those that cannot.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::{Value, json};

use crate::stage::{Functions, Stage};

/// A function that runs the statement it is sent.
const QUERY: &str = "
    import postgres from 'npm:postgres@3.4.7';
    const sql = postgres(Deno.env.get('SUPABASE_DB_URL')!, { prepare: false, max: 1 });
    Deno.serve(async (req) => {
        try { return Response.json(await sql.unsafe(await req.text())); }
        catch (error) { return Response.json({ code: error.code, message: error.message }, { status: 400 }); }
    });";

/// A function that tries to connect to the port it is told.
const CONNECT: &str = "export default async (req) => {
    const [hostname, port] = await req.json();
    try { (await Deno.connect({ hostname, port })).close(); return 'REACHED'; }
    catch (error) { return error.name; }
};";

async fn query(functions: &Functions, statement: &str) -> Value {
    functions
        .post("/query")
        .body(statement.to_owned())
        .await
        .json()
}

#[tokio::test]
async fn a_function_works_in_the_database_as_a_role_of_its_own() {
    let stage = Stage::new().file("query/index.ts", QUERY).prepared().await;
    stage
        .database()
        .execute("create table public.animals (id int primary key, name text); insert into public.animals values (1, 'lion')")
        .await;
    let functions = stage.start().await;
    assert_eq!(
        query(
            &functions,
            "select current_user::text as role, name from animals"
        )
        .await,
        json!([{ "role": "function_client", "name": "lion" }])
    );
    let _ = query(&functions, "insert into animals values (2, 'owl')").await;
    assert_eq!(
        query(&functions, "select count(*)::int from animals").await,
        json!([{ "count": 2 }])
    );
    for refused in [
        "create table public.mine (id int)",
        "create role evil superuser",
        "alter role function_client superuser",
        "set role supabase_functions_admin",
        "set role postgres",
        "select * from functions.environment",
        "select * from functions.versions",
        "copy animals to program 'id'",
        "select pg_read_file('/etc/passwd')",
        "drop table animals",
        "alter table animals disable row level security",
    ] {
        let answered = query(&functions, refused).await;
        assert_eq!(answered["code"], "42501", "{refused}: {answered}");
    }
    // It may act for a user, under that user's row-level security.
    let statement =
        "begin; set local role authenticated; select current_user::text as role; commit";
    let answered = query(&functions, statement).await;
    assert!(answered.to_string().contains("authenticated"), "{answered}");
}

#[tokio::test]
async fn only_who_names_the_variable_reaches_the_port_and_nobody_another_one() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let other = listener.local_addr().expect("an address").port();
    let stage = Stage::new()
        // Open to the sandbox: it is Deno that has to refuse it.
        .set("FUNCTIONS_EGRESS_PORTS", &format!("443,{other}"))
        .file("plain.ts", CONNECT)
        .file("named.ts", &format!("// SUPABASE_DB_URL\n{CONNECT}"))
        .function(
            "env",
            "return Deno.env.get('SUPABASE_DB' + '_URL') ?? 'none';",
        )
        .prepared()
        .await;
    let port: u16 = stage.key("POSTGRES_PORT").parse().expect("a port");
    let functions = stage.start().await;
    let tries = async |name: &str, host: &str, port: u16| {
        let asked = functions.post(name).json(&json!([host, port]));
        asked.await.expect_status(200).json()
    };
    assert_eq!(tries("/named", "127.0.0.1", port).await, "REACHED");
    for host in [
        "127.0.0.1",
        "localhost",
        "::ffff:127.0.0.1",
        "2130706433",
        "127.1",
    ] {
        assert_ne!(tries("/plain", host, port).await, "REACHED", "{host}");
        assert_ne!(tries("/named", host, other).await, "REACHED", "{host}");
    }
    for host in ["127.0.0.2", "::1", "169.254.169.254", "10.0.0.1"] {
        assert_ne!(tries("/named", host, port).await, "REACHED", "{host}");
    }
    assert_eq!(functions.json("/env").await, "none");
}

#[tokio::test]
async fn where_it_is_off_nobody_has_a_way() {
    let functions = Stage::new()
        .set("FUNCTIONS_DATABASE_ACCESS", "false")
        .function("env", "return Deno.env.get('SUPABASE_DB_URL') ?? 'none';")
        .file("named.ts", &format!("// SUPABASE_DB_URL\n{CONNECT}"))
        .start()
        .await;
    assert_eq!(functions.json("/env").await, "none");
    let port: u16 = functions
        .stage
        .key("POSTGRES_PORT")
        .parse()
        .expect("a port");
    let asked = functions.post("/named").json(&json!(["127.0.0.1", port]));
    assert_ne!(asked.await.expect_status(200).json(), "REACHED");
}
