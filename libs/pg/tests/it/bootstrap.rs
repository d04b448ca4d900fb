//! A database becomes the platform's, once and again.

use std::time::Duration;

use common::{EnvironmentMap, Settings};
use pg::bootstrap::{self, BootstrapError, Bootstrapped, RolePasswords};
use pg::sqlx::{AssertSqlSafe, Connection as _, PgConnection, query, query_as, query_scalar};
use pg::{Endpoint, roles};
use testkit::{SharedCluster, TestDatabase};
use tokio::time::timeout;

/// Name; may log in, inherits, bypasses row-level security, may replicate; what it is a member of.
type RoleRow = (String, bool, bool, bool, bool, Vec<String>);

fn passwords() -> RolePasswords {
    let names = roles::LOGINS.map(|login| format!("{}_DB_PASSWORD", login.prefix));
    let environment: EnvironmentMap = names
        .into_iter()
        .map(|name| (name, "correct-horse-battery-staple"))
        .collect();
    RolePasswords::from_settings(&Settings::new(&environment)).expect("all are set")
}

#[tokio::test]
async fn the_first_time_is_told_from_the_next() {
    let db = TestDatabase::empty().await;
    let admin = db.endpoint(roles::SUPERUSER);
    let first = bootstrap::run(&admin, &passwords())
        .await
        .expect("the first");
    let second = bootstrap::run(&admin, &passwords())
        .await
        .expect("the second");
    assert_eq!(
        (first, second),
        (Bootstrapped::FirstTime, Bootstrapped::Again)
    );
    let events = "select count(*) from selfdb.events where name = 'SYSTEM_INITIALIZED'";
    let events: i64 = query_scalar(events)
        .fetch_one(&db.admin_pool())
        .await
        .expect("events");
    assert_eq!(events, 1);
}

#[tokio::test]
async fn interrupted_at_any_moment_it_completes_the_next_time() {
    let db = TestDatabase::empty().await;
    let admin = db.endpoint(roles::SUPERUSER);
    let mut patience = Duration::from_millis(1);
    let mut interruptions = 0;
    // Given up, its connection closes in the middle of what it was doing.
    while timeout(patience, bootstrap::run(&admin, &passwords()))
        .await
        .is_err()
    {
        interruptions += 1;
        patience = patience * 3 / 2;
    }
    assert!(interruptions > 0);
    let outcome = bootstrap::run(&admin, &passwords()).await.expect("whole");
    assert_eq!(outcome, Bootstrapped::Again);
    let first_times: i64 = query_scalar("select count(*) from selfdb.events")
        .fetch_one(&db.admin_pool())
        .await
        .expect("events");
    assert_eq!(first_times, 1);
}

#[tokio::test]
async fn what_drifted_is_put_right_and_what_an_operator_chose_stays() {
    let db = TestDatabase::new(&[]).await;
    db.execute(
        "revoke usage on schema auth from anon; grant create on schema public to public; \
         drop event trigger selfdb_ddl_command_end; drop function auth.email()",
    )
    .await;
    bootstrap::run(&db.endpoint(roles::SUPERUSER), &passwords())
        .await
        .expect("again");
    let state: (bool, bool, bool, bool) = query_as(
        "select has_schema_privilege('anon', 'auth', 'usage'), \
         has_schema_privilege('anon', 'public', 'create'), \
         exists (select from pg_event_trigger where evtname = 'selfdb_ddl_command_end'), \
         to_regprocedure('auth.email()') is not null",
    )
    .fetch_one(&db.admin_pool())
    .await
    .expect("the catalogue");
    assert_eq!(state, (true, false, true, true));
}

#[tokio::test]
async fn roles_have_the_rights_the_design_gives_them() {
    let db = TestDatabase::new(&[]).await;
    let rows: Vec<RoleRow> = query_as(
        "select r.rolname::text, r.rolcanlogin, r.rolinherit, r.rolbypassrls, r.rolreplication, \
         array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid \
                where m.member = r.oid order by 1) \
         from pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role', \
         'authenticator', 'function_client', 'service_authenticator', 'supabase_auth_admin', \
         'supabase_realtime_admin', 'supabase_admin') and not r.rolsuper and not r.rolcreaterole \
         order by 1",
    )
    .fetch_all(&db.admin_pool())
    .await
    .expect("roles");
    let row = |name: &str, flags: [bool; 4], member_of: &[&str]| {
        let [login, inherit, bypass, replication] = flags;
        let groups = member_of.iter().map(|group| (*group).to_owned()).collect();
        (name.to_owned(), login, inherit, bypass, replication, groups)
    };
    let (yes, no) = (true, false);
    let expected = vec![
        row("anon", [no, yes, no, no], &[]),
        row("authenticated", [no, yes, no, no], &[]),
        row(
            "authenticator",
            [yes, no, no, no],
            &["anon", "authenticated"],
        ),
        row(
            "function_client",
            [yes, yes, yes, no],
            &["anon", "authenticated", "service_role"],
        ),
        row(
            "service_authenticator",
            [yes, no, no, no],
            &["service_role"],
        ),
        row("service_role", [no, yes, yes, no], &[]),
        row("supabase_admin", [no, yes, no, no], &[]),
        row("supabase_auth_admin", [yes, no, no, no], &[]),
        row("supabase_realtime_admin", [yes, no, no, yes], &[]),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn schemas_belong_to_their_services() {
    let db = TestDatabase::new(&[]).await;
    let rows: Vec<(String, String)> = query_as(
        "select nspname::text, nspowner::regrole::text from pg_namespace where nspname in \
         ('auth', 'storage', 'realtime', 'functions', 'extensions', 'selfdb') order by 1",
    )
    .fetch_all(&db.admin_pool())
    .await
    .expect("schemas");
    let expected = [
        ("auth", "supabase_auth_admin"),
        ("extensions", "postgres"),
        ("functions", "supabase_functions_admin"),
        ("realtime", "supabase_realtime_admin"),
        ("selfdb", "postgres"),
        ("storage", "supabase_storage_admin"),
    ];
    assert_eq!(
        rows,
        expected.map(|(schema, owner)| (schema.to_owned(), owner.to_owned()))
    );
}

#[tokio::test]
async fn passwords_are_kept_as_scram_verifiers() {
    let db = TestDatabase::new(&[]).await;
    let unlike: i64 = query_scalar(
        "select count(*) from pg_authid where rolcanlogin and rolname = any ($1) \
         and rolpassword not like 'SCRAM-SHA-256$%' is not false",
    )
    .bind(roles::LOGINS.map(|login| login.role.to_owned()))
    .fetch_one(&db.admin_pool())
    .await
    .expect("the verifiers");
    assert_eq!(unlike, 0);
}

#[tokio::test]
async fn less_than_a_superuser_is_refused() {
    let db = TestDatabase::new(&[]).await;
    let error = bootstrap::run(&db.endpoint(roles::AUTH_ADMIN), &passwords()).await;
    assert!(
        matches!(error, Err(BootstrapError::NotSuperuser { user }) if user == roles::AUTH_ADMIN)
    );
}

#[tokio::test]
async fn a_scram_login_by_endpoint_needs_the_right_password() {
    let db = TestDatabase::new(&[]).await;
    let role = format!("scram_{}", uuid::Uuid::new_v4().simple());
    db.execute(&format!(
        "create role {role} login password 'a-right-password' in role testkit_scram"
    ))
    .await;
    let login = |password: &str| {
        let endpoint = db.endpoint(&role);
        Endpoint {
            password: Some(password.into()),
            ..endpoint
        }
        .connect_options()
    };
    let right = PgConnection::connect_with(&login("a-right-password")).await;
    let wrong = PgConnection::connect_with(&login("a-wrong-password")).await;
    let mut connection = SharedCluster::get().await.connect().await;
    let drop = AssertSqlSafe(format!("drop role {role}"));
    query(drop).execute(&mut connection).await.expect("dropped");
    assert!(right.is_ok());
    assert_eq!(
        pg::sqlstate::of(&wrong.expect_err("refused")).as_deref(),
        Some("28P01")
    );
}
