//! A request's transaction is its role's, carries its settings, and can become nothing more.

use std::time::Duration;

use pg::RequestContext;
use pg::sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::support::{ANON, Ground, anon, code, service, user};

#[tokio::test]
async fn policies_see_who_asks_and_how() {
    let ground = Ground::new().await;
    let id = Uuid::new_v4();
    let context = user(id)
        .with_target("POST", "/todos")
        .with_headers(r#"{"x-a":"b"}"#)
        .with_cookies(r#"{"c":"d"}"#);
    let mut transaction = ground.begin(context).await;
    let seen: (String, Uuid, String, String, String, String, String) = query_as(
        "select current_user::text, auth.uid(), auth.role(), auth.email(), \
         current_setting('request.method') || current_setting('request.path'), \
         current_setting('request.headers')::json ->> 'x-a', \
         current_setting('request.cookies')::json ->> 'c'",
    )
    .fetch_one(&mut *transaction)
    .await
    .expect("settings");
    let expected = (
        "authenticated",
        id,
        "authenticated",
        "a@example.com",
        "POST/todos",
        "b",
        "d",
    );
    let (role, uid, claimed, email, target, header, cookie) = &seen;
    assert_eq!(
        (
            &**role, *uid, &**claimed, &**email, &**target, &**header, &**cookie
        ),
        expected
    );
}

#[tokio::test]
async fn nothing_of_a_request_is_left_for_the_next_one() {
    let ground = Ground::new().await;
    drop(ground.begin(user(Uuid::new_v4())).await);
    let mut transaction = ground.begin(RequestContext::new("anon", "")).await;
    let left: (String, Option<Uuid>) = query_as("select current_user::text, auth.uid()")
        .fetch_one(&mut *transaction)
        .await
        .expect("settings");
    assert_eq!(left, ("anon".to_owned(), None));
}

#[tokio::test]
async fn anon_cannot_become_service_role_and_the_service_login_can() {
    let ground = Ground::new().await;
    let become_service = "select set_config('role', 'service_role', true)";
    for context in [anon(), user(Uuid::new_v4())] {
        let mut transaction = ground.begin(context).await;
        let error = query(become_service)
            .execute(&mut *transaction)
            .await
            .expect_err("refused");
        assert_eq!(code(&error), "42501");
    }
    // The login role itself, which `reset role` leads back to.
    let mut transaction = ground.begin(anon()).await;
    query("reset role")
        .execute(&mut *transaction)
        .await
        .expect("allowed");
    let error = query(become_service)
        .execute(&mut *transaction)
        .await
        .expect_err("refused");
    assert_eq!(code(&error), "42501");
    drop(transaction);

    // The same statement where it must work: the test above can fail.
    let mut transaction = ground.begin(service()).await;
    query("reset role")
        .execute(&mut *transaction)
        .await
        .expect("allowed");
    query(become_service)
        .execute(&mut *transaction)
        .await
        .expect("a member");
}

#[tokio::test]
async fn a_token_with_another_role_gets_no_transaction() {
    let ground = Ground::new().await;
    for role in ["postgres", "supabase_auth_admin", "nobody_at_all"] {
        let error = ground.pools.begin(&RequestContext::new(role, ANON)).await;
        let code = code(&error.expect_err("refused"));
        assert!(["42501", "22023"].contains(&&*code), "{role}: {code}");
    }
}

#[tokio::test]
async fn statements_end_in_the_time_of_their_role() {
    let ground = Ground::new().await;
    let limit = "select current_setting('statement_timeout')";
    for (context, expected) in [
        (anon(), "3s"),
        (user(Uuid::new_v4()), "8s"),
        (service(), "1min"),
    ] {
        let mut transaction = ground.begin(context).await;
        let seen: String = query_scalar(limit)
            .fetch_one(&mut *transaction)
            .await
            .expect("a limit");
        assert_eq!(seen, expected);
    }
    let context = anon().with_statement_timeout(Duration::from_millis(30));
    let mut transaction = ground.begin(context).await;
    let error = query("select pg_sleep(10)")
        .execute(&mut *transaction)
        .await;
    assert_eq!(
        code(&error.expect_err("cancelled")),
        pg::sqlstate::QUERY_CANCELED
    );
}

#[tokio::test]
async fn what_everybody_has_in_postgres_the_api_has_not() {
    let ground = Ground::new().await;
    ground
        .db
        .execute("create table public.todos (id int)")
        .await;
    let forbidden = [
        "truncate public.todos",
        "select lo_create(0)",
        "select lo_from_bytea(0, '\\x00')",
        "select lo_get(1)",
        "update pg_catalog.pg_settings set setting = '1'",
        "select pg_logical_emit_message(true, 'a', 'b')",
        "select query_to_xml('select 1', true, true, '')",
        "select pg_terminate_backend(1)",
        "create table public.another (id int)",
        "create schema another",
    ];
    for sql in forbidden {
        for context in [anon(), user(Uuid::new_v4()), service()] {
            let role = context.role.clone();
            assert_eq!(
                ground.run(context, sql).await,
                Err("42501".to_owned()),
                "{role}: {sql}"
            );
        }
    }
    for sql in ["select from selfdb.tables", "select selfdb.emit_event('X')"] {
        for context in [anon(), user(Uuid::new_v4())] {
            assert_eq!(
                ground.run(context, sql).await,
                Err("42501".to_owned()),
                "{sql}"
            );
        }
        assert!(ground.run(service(), sql).await.is_ok(), "{sql}");
    }
}
