//! Databases are bootstrapped, separate, and gone afterwards.

use common::Settings;
use pg::sqlx::{query_scalar, raw_sql};
use testkit::{SharedCluster, TestDatabase};
use uuid::Uuid;

async fn exists(name: &str) -> bool {
    let mut connection = SharedCluster::get().await.connect().await;
    query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .expect("the list of databases")
}

#[tokio::test]
async fn each_test_has_a_bootstrapped_database_of_its_own() {
    let one = TestDatabase::new(&[]).await;
    let other = TestDatabase::new(&[]).await;
    one.execute("create table public.mine (id int)").await;

    let table = "select to_regclass('public.mine') is not null";
    let in_one: bool = query_scalar(table)
        .fetch_one(&one.admin_pool())
        .await
        .expect("asked");
    let in_other: bool = query_scalar(table)
        .fetch_one(&other.admin_pool())
        .await
        .expect("asked");
    assert!(in_one && !in_other);
    let catalogue = "select count(*) from selfdb.events where name = 'SYSTEM_INITIALIZED'";
    let events: i64 = query_scalar(catalogue)
        .fetch_one(&one.admin_pool())
        .await
        .expect("asked");
    assert_eq!(events, 1);
}

#[tokio::test]
async fn a_database_goes_with_its_test_also_with_a_slot_on_it() {
    let db = TestDatabase::new(&[]).await;
    let name = db.name().to_owned();
    let slot = format!("slot_{}", Uuid::new_v4().simple());
    raw_sql(pg::sqlx::AssertSqlSafe(format!(
        "select pg_create_logical_replication_slot('{slot}', 'pgoutput')"
    )))
    .execute(&db.admin_pool())
    .await
    .expect("wal_level is logical");
    assert!(exists(&name).await);
    drop(db);
    assert!(!exists(&name).await);
}

#[tokio::test]
async fn the_settings_configure_every_role_and_the_tokens_are_accepted() {
    let db = TestDatabase::new(&[]).await;
    let environment = db.settings();
    let settings = Settings::new(&environment);
    let pools = pg::AccessPools::from_settings(&settings, "test", 2).expect("pools");
    let keys = jwt::ApiKeys::from_settings(&settings);
    let verifier = jwt::JwtConfig::from_settings(&settings)
        .expect("JWT settings")
        .verifier(std::sync::Arc::new(common::SystemClock));
    let keys = settings.finish(keys).expect("settings without an error");

    let user = Uuid::new_v4();
    let identity = verifier
        .verify(&db.user_token(user, "a@example.com"))
        .expect("a valid token");
    assert_eq!(
        (identity.role.as_str(), identity.user_id()),
        ("authenticated", Some(user))
    );
    assert!(!identity.is_superuser());
    let admin = verifier
        .verify(&db.superuser_token(user, "a@example.com"))
        .expect("valid");
    assert!(admin.is_superuser());
    assert_eq!(keys.resolve(db.anon_token()), Some(jwt::ApiKey::Anon));
    assert_eq!(
        keys.resolve(db.service_token()),
        Some(jwt::ApiKey::ServiceRole)
    );

    let context = pg::RequestContext::new(&*identity.role, &*identity.claims_json);
    let mut transaction = pools.begin(&context).await.expect("a transaction");
    let seen: Uuid = query_scalar("select auth.uid()")
        .fetch_one(&mut *transaction)
        .await
        .expect("an id");
    assert_eq!(seen, user);
}
