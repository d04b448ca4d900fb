//! Nothing without row-level security is exposed, whatever tool made it so.

use pg::sqlx::query_scalar;

use crate::support::{Ground, anon, service};

const READ: &str = "select * from public.notes";
const DENIED: &str = "42501";

async fn anon_reads(ground: &Ground, sql: &str) -> Result<u64, String> {
    ground.run(anon(), sql).await
}

#[tokio::test]
async fn new_tables_are_protected_however_they_are_made() {
    let ground = Ground::new().await;
    ground
        .db
        .execute(
            "create table public.plain (id bigserial primary key); \
             create table public.copied as select 1 as id; \
             select 1 as id into public.selected; \
             create table public.parent (id int, at date) partition by range (at); \
             create table public.child partition of public.parent \
                 for values from ('2026-01-01') to ('2027-01-01')",
        )
        .await;
    let open: Vec<String> = query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace \
         and relkind in ('r', 'p') and not relrowsecurity",
    )
    .fetch_all(&ground.db.admin_pool())
    .await
    .expect("tables");
    assert_eq!(open, Vec::<String>::new());
    ground
        .db
        .execute("insert into public.plain default values")
        .await;
    // Granted, and no policy lets a row through: nothing seen, nothing leaked.
    assert_eq!(
        anon_reads(&ground, "select * from public.plain").await,
        Ok(0)
    );
    assert_eq!(
        ground.run(service(), "select * from public.plain").await,
        Ok(1)
    );
    assert_eq!(
        anon_reads(&ground, "insert into public.plain default values").await,
        Err(DENIED.to_owned())
    );
}

#[tokio::test]
async fn a_table_that_loses_protection_loses_its_grants_until_it_is_protected_again() {
    let ground = Ground::new().await;
    ground
        .db
        .execute(
            "create table public.notes (id int, secret text); \
             insert into public.notes values (1, 'x'); \
             revoke insert, update, delete on public.notes from anon; \
             alter table public.notes disable row level security",
        )
        .await;
    assert_eq!(anon_reads(&ground, READ).await, Err(DENIED.to_owned()));
    assert_eq!(ground.run(service(), READ).await, Ok(1));

    ground
        .db
        .execute("alter table public.notes enable row level security")
        .await;
    assert_eq!(anon_reads(&ground, READ).await, Ok(0));
    // What had been revoked before stays revoked.
    let insert = "insert into public.notes values (2)";
    assert_eq!(anon_reads(&ground, insert).await, Err(DENIED.to_owned()));
    let left: i64 = query_scalar("select count(*) from selfdb.withheld_grants")
        .fetch_one(&ground.db.admin_pool())
        .await
        .expect("the catalogue");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_grant_on_an_unprotected_table_waits_for_protection() {
    let ground = Ground::new().await;
    ground
        .db
        .execute(
            "create table public.notes (id int, secret text); \
             insert into public.notes values (1, 'x'); \
             alter table public.notes disable row level security",
        )
        .await;
    for grant in [
        "grant select on public.notes to anon",
        "grant select on public.notes to public",
        "grant all on all tables in schema public to anon, authenticated",
        "grant select (id) on public.notes to anon",
    ] {
        ground.db.execute(grant).await;
        assert_eq!(
            anon_reads(&ground, READ).await,
            Err(DENIED.to_owned()),
            "{grant}"
        );
        let column = "select id from public.notes";
        assert_eq!(
            anon_reads(&ground, column).await,
            Err(DENIED.to_owned()),
            "{grant}"
        );
    }
    ground
        .db
        .execute(
            "alter table public.notes enable row level security; \
             create policy everyone on public.notes for select to anon using (true)",
        )
        .await;
    assert_eq!(anon_reads(&ground, READ).await, Ok(1));
}

#[tokio::test]
async fn truncate_is_not_granted_even_by_grant_all() {
    let ground = Ground::new().await;
    ground
        .db
        .execute(
            "create table public.notes (id int); \
             grant all on public.notes to anon, authenticated, service_role",
        )
        .await;
    for context in [anon(), service()] {
        let truncated = ground.run(context, "truncate public.notes").await;
        assert_eq!(truncated, Err(DENIED.to_owned()));
    }
}

#[tokio::test]
async fn a_table_moved_into_public_brings_no_exposure() {
    let ground = Ground::new().await;
    ground
        .db
        .execute(
            "create schema elsewhere; create table elsewhere.notes (id int); \
             grant select on elsewhere.notes to anon; \
             alter table elsewhere.notes set schema public",
        )
        .await;
    assert_eq!(anon_reads(&ground, READ).await, Err(DENIED.to_owned()));
}

#[tokio::test]
async fn views_see_what_their_reader_sees_unless_they_say_otherwise() {
    let ground = Ground::new().await;
    ground
        .db
        .execute(
            "create table public.notes (id int); insert into public.notes values (1); \
             create view public.safe as select * from public.notes; \
             create view public.deliberate with (security_invoker = false) \
                 as select * from public.notes; \
             create materialized view public.frozen as select * from public.notes",
        )
        .await;
    assert_eq!(
        anon_reads(&ground, "select * from public.safe").await,
        Ok(0)
    );
    assert_eq!(
        ground.run(service(), "select * from public.safe").await,
        Ok(1)
    );
    assert_eq!(
        anon_reads(&ground, "select * from public.deliberate").await,
        Ok(1)
    );
    // A materialised view has no row-level security: only an explicit grant opens it.
    let frozen = "select * from public.frozen";
    assert_eq!(anon_reads(&ground, frozen).await, Err(DENIED.to_owned()));
    ground
        .db
        .execute("grant select on public.frozen to anon")
        .await;
    assert_eq!(anon_reads(&ground, frozen).await, Ok(1));

    // Replacing a view resets its options.
    ground
        .db
        .execute("create or replace view public.safe as select id from public.notes")
        .await;
    assert_eq!(
        anon_reads(&ground, "select * from public.safe").await,
        Ok(0)
    );
}
