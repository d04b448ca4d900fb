//! Pools that come back by themselves.

use pg::sqlx::{query, query_scalar};
use pg::{PoolOptions, is_unavailable, pool, roles};
use testkit::{TestDatabase, fault};

#[tokio::test]
async fn a_pool_connects_when_it_is_used_and_shows_its_name() {
    let db = TestDatabase::new(&[]).await;
    let pool = pool(
        &db.endpoint(roles::AUTH_ADMIN),
        &PoolOptions::new("selfdb-auth", 2),
    );
    assert_eq!(pool.size(), 0, "nothing was asked yet");
    let shown: String = query_scalar("select current_setting('application_name')")
        .fetch_one(&pool)
        .await
        .expect("connected");
    assert_eq!(shown, "selfdb-auth");
}

#[tokio::test]
async fn a_session_that_was_ended_is_unavailable_once_and_replaced() {
    let db = TestDatabase::new(&[]).await;
    let pool = pool(
        &db.endpoint(roles::AUTH_ADMIN),
        &PoolOptions::new("victim", 1),
    );
    query("select 1").execute(&pool).await.expect("connected");
    db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'",
    )
    .await;
    let mut failures = 0;
    while let Err(error) = query("select 1").execute(&pool).await {
        assert!(is_unavailable(&error), "{error:?}");
        failures += 1;
        assert!(failures < 3, "the pool does not recover");
    }
}

#[tokio::test]
async fn no_server_at_all_is_unavailable() {
    let db = TestDatabase::new(&[]).await;
    let mut endpoint = db.endpoint(roles::AUTH_ADMIN);
    endpoint.port = fault::free_port();
    let mut options = PoolOptions::new("nowhere", 1);
    options.acquire_timeout = std::time::Duration::from_millis(200);
    let error = query("select 1")
        .execute(&pool(&endpoint, &options))
        .await
        .expect_err("nobody");
    assert!(is_unavailable(&error), "{error:?}");
}
