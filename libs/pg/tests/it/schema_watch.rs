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
    let hear = async |listener: &mut PgListener, sql: &str| {
        let heard = timeout(PATIENCE, listener.recv()).await.expect(sql);
        heard.expect("a message").payload().to_owned()
    };
    for (sql, told) in [
        ("create table public.a (id int)", "changed 1259:"),
        ("alter table public.a add column b int", "changed 1259:"),
        ("create view public.v as table public.a", "changed 1259:"),
        (
            "create function public.f() returns int language sql return 1",
            "changed 1255:",
        ),
        ("grant execute on function public.f() to anon", "changed"),
        ("create policy p on public.a using (true)", "changed 3256:"),
        ("drop function public.f()", "changed 1255:"),
        ("drop table public.a cascade", "changed 1247:"),
        // Too much, or more than the objects themselves.
        ("create schema s", "reload schema"),
        ("drop schema s", "reload schema"),
    ] {
        db.execute(sql).await;
        db.execute("notify pgrst, 'done'").await;
        // What the platform does to a new table by itself is told too.
        let mut heard = Vec::new();
        loop {
            match hear(&mut listener, sql).await {
                done if done == "done" => break,
                payload => heard.push(payload),
            }
        }
        let is_told = |payload: &String| payload.starts_with(told);
        assert!(heard.iter().any(is_told), "{sql}: {heard:?}");
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
