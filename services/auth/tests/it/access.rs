//! Who reads schema `auth`: its owner, and nobody who comes through the API.

use pg::sqlx::{self, AssertSqlSafe};

use crate::support::Instance;

const TABLES: [&str; 13] = [
    "users",
    "identities",
    "sessions",
    "refresh_tokens",
    "mfa_amr_claims",
    "audit_log_entries",
    "flow_state",
    "mfa_challenges",
    "mfa_factors",
    "one_time_tokens",
    "schema_migrations",
    "webauthn_challenges",
    "webauthn_credentials",
];

#[tokio::test]
async fn api_roles_hold_no_privilege_on_any_table() {
    let instance = Instance::new().await;
    instance.sign_up("ada@example.com").await;
    let listed = "select count(*) from pg_tables where schemaname = 'auth'";
    assert_eq!(
        instance.number(listed).await,
        13,
        "a table this test does not know"
    );
    for role in ["anon", "authenticated", "service_role", "authenticator"] {
        for table in TABLES {
            for statement in [
                format!("select * from auth.{table}"),
                format!("delete from auth.{table}"),
                format!("truncate auth.{table}"),
                format!("insert into auth.{table} default values"),
            ] {
                let pool = instance.db.admin_pool();
                let mut transaction = pool.begin().await.expect("a transaction");
                let act = format!("set local role {role}");
                sqlx::query(AssertSqlSafe(act))
                    .execute(&mut *transaction)
                    .await
                    .expect("a role");
                let outcome = sqlx::query(AssertSqlSafe(statement.clone()))
                    .execute(&mut *transaction)
                    .await;
                let error = outcome.expect_err(&statement);
                let code = error
                    .as_database_error()
                    .and_then(sqlx::error::DatabaseError::code)
                    .map(|c| c.to_string());
                assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}");
            }
        }
    }
}

#[tokio::test]
async fn foreign_keys_and_triggers_of_others_work() {
    let instance = Instance::new().await;
    instance
        .db
        .execute(
            "create table public.profiles ( \
               id uuid primary key references auth.users (id) on delete cascade, name text); \
             create function public.handle_new_user() returns trigger \
             language plpgsql security definer set search_path = '' as $$ \
             begin \
               insert into public.profiles (id, name) \
               values (new.id, new.raw_user_meta_data ->> 'full_name'); \
               return new; \
             end $$; \
             create trigger on_auth_user_created after insert on auth.users \
               for each row execute function public.handle_new_user();",
        )
        .await;
    let body = serde_json::json!({
        "email": "ada@example.com", "password": "correct-horse-1",
        "data": { "full_name": "Ada Lovelace" },
    });
    let _ = instance
        .service
        .post("/signup")
        .json(&body)
        .await
        .expect_status(200);
    assert_eq!(
        instance.text("select name from public.profiles").await,
        "Ada Lovelace"
    );
    instance.db.execute("delete from auth.users").await;
    assert_eq!(
        instance
            .number("select count(*) from public.profiles")
            .await,
        0
    );
}

#[tokio::test]
async fn a_trigger_that_refuses_is_a_fault_without_details() {
    let instance = Instance::new().await;
    instance
        .db
        .execute(
            "create function public.refuse() returns trigger language plpgsql as $$ \
             begin raise exception 'the secret is 42'; end $$; \
             create trigger refuse before insert on auth.users \
               for each row execute function public.refuse();",
        )
        .await;
    let body = serde_json::json!({ "email": "ada@example.com", "password": "correct-horse-1" });
    let response = instance.service.post("/signup").json(&body).await;
    crate::support::assert_error(&response, 500, "unexpected_failure");
    assert!(!response.text().contains("42"));
}
