use crate::api::{Api, get};
use pg::sqlx::{AssertSqlSafe, raw_sql};
use pg::{Endpoint, PoolOptions};

#[tokio::test]
async fn a_new_column_and_table_are_seen_without_a_restart() {
    let api = Api::start().await;
    let before = api.ask(&get("/fresh")).await;
    assert_eq!(before.json()["code"], "PGRST205");

    api.db
        .execute("create table fresh (id int primary key)")
        .await;
    let token = api.db.service_token();
    api.until(
        |api| api.service.get("/fresh").bearer(token),
        |response| response.status == 200,
    )
    .await;

    api.db
        .execute("alter table fresh add column parent int references films")
        .await;
    api.until(
        |api| api.service.get("/fresh?select=films(id)").bearer(token),
        |response| response.status == 200,
    )
    .await;
}

#[tokio::test]
async fn before_the_first_load_the_answer_is_to_come_back() {
    let api = Api::with(|settings| settings).await;
    let settings = api.db.settings().with("POSTGRES_PORT", "1");
    let config: rest::Config = testkit::config(&settings);
    let away = testkit::TestService::start(config).await;
    let response = away.get("/films").bearer(api.db.service_token()).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.json()["code"], "PGRST002");
    assert_eq!(response.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_lost_database_is_503_and_comes_back() {
    let api = Api::start().await;
    let name = api.db.name();
    let elsewhere = Endpoint {
        database: "postgres".to_owned(),
        ..api.db.endpoint("postgres")
    };
    let elsewhere = pg::pool(&elsewhere, &PoolOptions::new("test", 1));
    let run = |sql: String| raw_sql(AssertSqlSafe(sql)).execute(&elsewhere);
    run(format!("alter database {name} allow_connections false"))
        .await
        .expect("no new connections");
    run(format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    ))
    .await
    .expect("no old connections");
    let away = api.ask(&get("/films?select=id&id=eq.1")).await;
    assert_eq!(away.status, 503, "{}", away.text());
    assert_eq!(away.header("retry-after"), Some("1"));

    run(format!("alter database {name} allow_connections true"))
        .await
        .expect("connections again");
    let token = api.db.service_token();
    api.until(
        |api| api.service.get("/films?select=id&id=eq.1").bearer(token),
        |response| response.status == 200,
    )
    .await;
    elsewhere.close().await;
}
