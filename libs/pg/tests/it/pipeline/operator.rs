//! A database whose roles are the operator's own.

use std::time::Duration;

use pg::pipeline::{Pipeline, PipelineError, PipelineOptions, Preparation};
use pg::{RequestContext, RoleRules, roles};

use super::{database, one, options, pipeline_at};

fn as_role(role: &str) -> RequestContext {
    RequestContext::new(role, "{}")
}

fn operators(role: &str) -> RequestContext {
    as_role(role).with_rules(RoleRules::Operator)
}

async fn value(pipeline: &Pipeline, context: &RequestContext, sql: &str) -> String {
    let results = pipeline.run(context, &one(sql)).await.expect("results");
    let value = results[0].value().expect("a value");
    String::from_utf8(value.to_vec()).expect("text")
}

#[tokio::test]
async fn only_there_the_login_is_a_role_of_requests() {
    let (db, pipeline) = database("", 1).await;
    let login = db.endpoint(roles::AUTHENTICATOR).user;
    let refused = pipeline.run(&as_role(&login), &one("select 1")).await;
    assert!(matches!(refused, Err(PipelineError::Database(_))));
    let role = value(&pipeline, &operators(&login), "select current_user").await;
    assert_eq!(role, login);
    let none = pipeline.run(&operators("none"), &one("select 1")).await;
    assert!(matches!(none, Err(PipelineError::Database(_))));
}

#[tokio::test]
async fn only_there_the_logins_own_time_out_holds() {
    let (db, _) = database("", 1).await;
    db.execute(
        "create role slow_login login; grant anon to slow_login; \
                alter role slow_login set statement_timeout to '7s'",
    )
    .await;
    let pipeline = pipeline_at(db.endpoint("slow_login"), 1);
    let show = "select current_setting('statement_timeout')";
    assert_eq!(value(&pipeline, &as_role("anon"), show).await, "3s");
    assert_eq!(value(&pipeline, &operators("anon"), show).await, "7s");
    let own = operators("anon").with_statement_timeout(Duration::from_secs(1));
    assert_eq!(value(&pipeline, &own, show).await, "1s");
    db.execute("drop owned by slow_login; drop role slow_login")
        .await;
}

#[tokio::test]
async fn without_preparation_no_statement_stays() {
    let (db, _) = database("", 1).await;
    let options = PipelineOptions {
        preparation: Preparation::Dropped,
        ..options(1)
    };
    let login = db.endpoint(roles::AUTHENTICATOR);
    let pipeline = Pipeline::new(login, options).expect("a pipeline");
    let count = "select count(*) from pg_prepared_statements where name <> ''";
    for _ in 0..3 {
        assert_eq!(value(&pipeline, &as_role("anon"), count).await, "0");
    }
    let used = pipeline.pool_use();
    assert_eq!((used.max, used.available, used.waiting), (1, 1, 0));
}
