//! Whoever caches the schema is told when it changes.

use std::time::Duration;

use pg::sqlx::postgres::PgListener;
use testkit::TestDatabase;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn changes_and_drops_are_announced_and_temporary_tables_are_not() {
    let db = TestDatabase::new(&[]).await;
    let mut listener = PgListener::connect_with(&db.admin_pool())
        .await
        .expect("a listener");
    listener.listen("pgrst").await.expect("listening");
    for sql in [
        "create table public.a (id int)",
        "alter table public.a add column b int",
        "create function public.f() returns int language sql return 1",
        "drop function public.f()",
        "drop table public.a",
    ] {
        db.execute(sql).await;
        let heard = timeout(PATIENCE, listener.recv())
            .await
            .expect(sql)
            .expect("a message");
        assert_eq!(heard.payload(), "reload schema", "{sql}");
    }
    db.execute("create temporary table t (id int); drop table t")
        .await;
    db.execute("notify pgrst, 'the end'").await;
    let heard = timeout(PATIENCE, listener.recv())
        .await
        .expect("the end")
        .expect("a message");
    assert_eq!(heard.payload(), "the end");
}
