//! Migrations go forward whole, also when they are interrupted.

use pg::migrations::MigrationError;
use pg::sqlx::{PgPool, query_scalar};
use pg::{Migration, Migrations, PoolOptions, pool, roles};
use testkit::TestDatabase;

const STATEMENTS: [&str; 4] = [
    "create table auth.a (id int)",
    "insert into auth.a values (1)",
    "create table auth.b (id int)",
    "insert into auth.b select id from auth.a",
];
const SUICIDE: &str = "select pg_terminate_backend(pg_backend_pid())";

fn file(name: &'static str, statements: &[&str]) -> Migration {
    Migration::from_file(name, Box::leak(statements.join(";\n").into_boxed_str()))
}

fn schema(files: Vec<Migration>) -> Migrations {
    Migrations {
        schema: "auth",
        list: Box::leak(files.into_boxed_slice()),
    }
}

async fn ground() -> (TestDatabase, PgPool) {
    let db = TestDatabase::new(&[]).await;
    let pool = pool(
        &db.endpoint(roles::AUTH_ADMIN),
        &PoolOptions::new("migrations", 2),
    );
    (db, pool)
}

async fn exists(db: &TestDatabase, table: &str) -> bool {
    query_scalar("select to_regclass($1) is not null")
        .bind(table)
        .fetch_one(&db.admin_pool())
        .await
        .expect("asked")
}

#[tokio::test]
async fn each_file_is_applied_once_by_the_schemas_owner() {
    let (db, pool) = ground().await;
    let first = schema(vec![file("0001_a", &STATEMENTS)]);
    assert_eq!(first.run(&pool).await.expect("applied"), 1);
    assert_eq!(first.run(&pool).await.expect("nothing to do"), 0);
    let more = schema(vec![
        file("0001_a", &STATEMENTS),
        file("0002_c", &["create table c ()"]),
    ]);
    assert_eq!(more.run(&pool).await.expect("applied"), 1);
    assert!(
        exists(&db, "auth.c").await,
        "unqualified names are the schema's own"
    );
    // An older program on the newer schema goes on working.
    assert_eq!(first.run(&pool).await.expect("nothing to do"), 0);
    let owner: String =
        query_scalar("select relowner::regrole::text from pg_class where oid = 'auth.b'::regclass")
            .fetch_one(&db.admin_pool())
            .await
            .expect("asked");
    assert_eq!(owner, roles::AUTH_ADMIN);
}

#[tokio::test]
async fn a_changed_file_is_refused() {
    let (_db, pool) = ground().await;
    schema(vec![file("0001_a", &STATEMENTS)])
        .run(&pool)
        .await
        .expect("applied");
    let changed = schema(vec![file("0001_a", &STATEMENTS[..2])]);
    let error = changed.run(&pool).await.expect_err("changed");
    assert!(matches!(
        error,
        MigrationError::Changed { name: "0001_a", .. }
    ));
    assert!(
        error
            .to_string()
            .contains("put the change into a new migration"),
        "{error}"
    );
}

#[tokio::test]
async fn files_out_of_order_are_refused() {
    let (_db, pool) = ground().await;
    let error = schema(vec![file("0002_b", &[]), file("0002_a", &[])])
        .run(&pool)
        .await;
    assert!(matches!(
        error,
        Err(MigrationError::Order { name: "0002_a", .. })
    ));
}

#[tokio::test]
async fn killed_after_any_statement_it_left_nothing_and_the_next_run_completes() {
    let (db, pool) = ground().await;
    let before = file("0001_before", &["create table auth.before ()"]);
    for killed_after in 0..=STATEMENTS.len() {
        let mut statements = STATEMENTS[..killed_after].to_vec();
        statements.push(SUICIDE);
        let interrupted = schema(vec![before, file("0002_ab", &statements)]);
        let error = interrupted.run(&pool).await.expect_err("killed");
        assert!(
            matches!(
                error,
                MigrationError::Failed {
                    name: "0002_ab",
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(
            exists(&db, "auth.before").await,
            "what was done before is kept"
        );
        for table in ["auth.a", "auth.b"] {
            assert!(
                !exists(&db, table).await,
                "{table} after statement {killed_after}"
            );
        }
    }
    let whole = schema(vec![before, file("0002_ab", &STATEMENTS)]);
    assert_eq!(whole.run(&pool).await.expect("completed"), 1);
    let rows: i64 = query_scalar("select count(*) from auth.b")
        .fetch_one(&db.admin_pool())
        .await
        .expect("rows");
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_statement_that_fails_undoes_its_file() {
    let (db, pool) = ground().await;
    let wrong = schema(vec![file(
        "0001_a",
        &["create table auth.a ()", "select 1 / 0"],
    )]);
    assert!(matches!(
        wrong.run(&pool).await,
        Err(MigrationError::Failed { .. })
    ));
    assert!(!exists(&db, "auth.a").await);
    schema(vec![file("0001_a", &["create table auth.a ()"])])
        .run(&pool)
        .await
        .expect("fixed");
}

#[tokio::test]
async fn runs_beside_each_other_apply_a_file_once() {
    let (db, pool) = ground().await;
    let other = pg::pool(
        &db.endpoint(roles::AUTH_ADMIN),
        &PoolOptions::new("other", 2),
    );
    let both = schema(vec![file(
        "0001_a",
        &["create table auth.a ()", "select pg_sleep(0.2)"],
    )]);
    let (one, two) = tokio::join!(both.run(&pool), both.run(&other));
    assert_eq!(one.expect("the one") + two.expect("the other"), 1);
}
