//! The `is_public` flag, enforced by policies alone.

use pg::sqlx::{query_as, query_scalar};
use uuid::Uuid;

use crate::support::{Ground, anon, service, user};

const DENIED: &str = "42501";
const PUBLISH: &str = "select selfdb.set_table_public('public.posts', true)";

async fn ground(column: &str) -> Ground {
    let ground = Ground::new().await;
    let create =
        format!("create table public.posts (id bigserial primary key, title text, {column})");
    ground.db.execute(&create).await;
    ground
}

#[tokio::test]
async fn public_rows_are_read_by_all_and_changed_by_their_owner() {
    let ground = ground("user_id uuid").await;
    ground
        .run(service(), PUBLISH)
        .await
        .expect("service_role sets the flag");
    let (ann, bob) = (Uuid::new_v4(), Uuid::new_v4());
    let insert = "insert into public.posts (title) values ('a')";
    assert_eq!(ground.run(user(ann), insert).await, Ok(1));
    assert_eq!(ground.run(anon(), insert).await, Ok(1));
    let owners: Vec<Option<Uuid>> = query_scalar("select user_id from public.posts order by id")
        .fetch_all(&ground.db.admin_pool())
        .await
        .expect("posts");
    assert_eq!(
        owners,
        [Some(ann), None],
        "owner columns default to auth.uid()"
    );

    for context in [anon(), user(ann), user(bob)] {
        assert_eq!(
            ground.run(context, "select * from public.posts").await,
            Ok(2)
        );
    }
    let update = "update public.posts set title = 'b'";
    assert_eq!(ground.run(anon(), update).await, Ok(0));
    assert_eq!(ground.run(user(bob), update).await, Ok(0));
    assert_eq!(ground.run(user(ann), update).await, Ok(1), "her own only");
    let delete = "delete from public.posts";
    assert_eq!(ground.run(anon(), delete).await, Ok(0));
    assert_eq!(ground.run(user(bob), delete).await, Ok(0));
    assert_eq!(ground.run(user(ann), delete).await, Ok(1));
}

#[tokio::test]
async fn nobody_writes_in_anothers_name() {
    let ground = ground("owner_id uuid").await;
    ground.run(service(), PUBLISH).await.expect("published");
    let (ann, bob) = (Uuid::new_v4(), Uuid::new_v4());
    let forged = format!("insert into public.posts (title, owner_id) values ('x', '{ann}')");
    assert_eq!(ground.run(user(bob), &forged).await, Err(DENIED.to_owned()));
    assert_eq!(ground.run(anon(), &forged).await, Err(DENIED.to_owned()));
    assert_eq!(ground.run(user(ann), &forged).await, Ok(1));
    let given_away = format!("update public.posts set owner_id = '{bob}'");
    assert_eq!(
        ground.run(user(ann), &given_away).await,
        Err(DENIED.to_owned())
    );
}

#[tokio::test]
async fn without_an_owner_column_nobody_changes_rows() {
    let ground = ground("body text").await;
    ground.run(service(), PUBLISH).await.expect("published");
    let insert = "insert into public.posts (title) values ('a')";
    assert_eq!(ground.run(anon(), insert).await, Ok(1));
    for sql in [
        "update public.posts set title = 'b'",
        "delete from public.posts",
    ] {
        assert_eq!(ground.run(anon(), sql).await, Ok(0));
        assert_eq!(ground.run(user(Uuid::new_v4()), sql).await, Ok(0));
        assert_eq!(ground.run(service(), sql).await, Ok(1));
    }
}

#[tokio::test]
async fn taking_the_flag_back_takes_its_policies_and_leaves_others() {
    let ground = ground("created_by uuid default null").await;
    ground.run(service(), PUBLISH).await.expect("published");
    ground
        .db
        .execute(
            "create policy mine on public.posts for select to authenticated \
             using (created_by = auth.uid())",
        )
        .await;
    // A default that was chosen is left alone, so no owner is set here.
    assert_eq!(
        ground
            .run(anon(), "insert into public.posts (title) values ('a')")
            .await,
        Ok(1)
    );
    ground
        .run(
            service(),
            "select selfdb.set_table_public('public.posts', false)",
        )
        .await
        .expect("taken back");
    assert_eq!(
        ground.run(anon(), "select * from public.posts").await,
        Ok(0)
    );
    let policies: Vec<String> = query_scalar("select polname::text from pg_policy")
        .fetch_all(&ground.db.admin_pool())
        .await
        .expect("policies");
    assert_eq!(policies, ["mine"]);
    let flag: (String, bool) = query_as("select relation::text, is_public from selfdb.tables")
        .fetch_one(&ground.db.admin_pool())
        .await
        .expect("the catalogue");
    assert_eq!(flag, ("posts".to_owned(), false));
}

#[tokio::test]
async fn a_flag_is_set_again_without_harm_and_goes_with_its_table() {
    let ground = ground("user_id uuid").await;
    for _ in 0..2 {
        ground.run(service(), PUBLISH).await.expect("published");
    }
    ground
        .db
        .execute("alter table public.posts rename to articles")
        .await;
    let name: String = query_scalar("select relation::text from selfdb.tables where is_public")
        .fetch_one(&ground.db.admin_pool())
        .await
        .expect("one");
    assert_eq!(name, "articles");
    ground.db.execute("drop table public.articles").await;
    let left: i64 = query_scalar("select count(*) from selfdb.tables")
        .fetch_one(&ground.db.admin_pool())
        .await
        .expect("the catalogue");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_flagged_table_whose_protection_is_turned_off_is_still_not_open_to_change() {
    let ground = ground("user_id uuid").await;
    ground.run(service(), PUBLISH).await.expect("published");
    ground
        .db
        .execute("insert into public.posts (title) values ('a')")
        .await;
    ground
        .db
        .execute("alter table public.posts disable row level security")
        .await;
    assert_eq!(
        ground.run(anon(), "select * from public.posts").await,
        Ok(1)
    );
    for sql in [
        "update public.posts set title = 'b'",
        "delete from public.posts",
    ] {
        let changed = ground.run(user(Uuid::new_v4()), sql).await;
        assert_eq!(changed, Err(DENIED.to_owned()));
    }
}

#[tokio::test]
async fn only_the_platform_sets_flags_and_only_on_users_tables() {
    let ground = ground("user_id uuid").await;
    for context in [anon(), user(Uuid::new_v4())] {
        assert_eq!(ground.run(context, PUBLISH).await, Err(DENIED.to_owned()));
    }
    for (table, code) in [
        ("selfdb.tables", DENIED),
        ("pg_catalog.pg_authid", DENIED),
        ("public.posts_pkey", "42809"),
    ] {
        let sql = format!("select selfdb.set_table_public('{table}', true)");
        assert_eq!(
            ground.run(service(), &sql).await,
            Err(code.to_owned()),
            "{table}"
        );
    }
}
