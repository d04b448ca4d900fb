//! Row-level security: who hears of which row, deletes included.

use pg::sqlx;
use serde_json::{Value, json};

use crate::client::{Client, Version};
use crate::stage::Stage;

async fn listener(stage: &Stage, token: &str) -> Client {
    let mut client = stage.connect_as(Version::V2, token).await;
    let notes = json!([{ "event": "*", "schema": "public", "table": "notes" }]);
    client.listen("realtime:notes", notes).await;
    client
}

/// The changes that came before a mark, which everybody hears, was inserted.
async fn before_mark(stage: &Stage, client: &mut Client) -> Vec<(Value, Value, Value)> {
    let mark: i32 = sqlx::query_scalar("insert into marks default values returning id")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a mark");
    let mut changes = Vec::new();
    loop {
        let change = client.change().await;
        if change["table"] == "marks" {
            if change["record"]["id"] == mark {
                return changes;
            }
            continue;
        }
        let id = change["record"]
            .get("id")
            .or(change["old_record"].get("id"));
        changes.push((
            change["type"].clone(),
            id.cloned().unwrap_or_default(),
            change["errors"].clone(),
        ));
    }
}

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.owned_table().await;
    stage
        .db
        .execute(
            "create table marks (id serial primary key); \
             select selfdb.set_table_public('marks', true); \
             alter publication supabase_realtime add table marks",
        )
        .await;
    stage
}

async fn everything(stage: &Stage, token: &str) -> Client {
    let mut client = stage.connect_as(Version::V2, token).await;
    client
        .listen(
            "realtime:all",
            json!([{ "event": "*", "schema": "public" }]),
        )
        .await;
    client
}

fn heard(changes: &[(Value, Value, Value)]) -> Vec<String> {
    changes
        .iter()
        .map(|(kind, id, _)| format!("{} {id}", kind.as_str().unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn two_users_hear_of_their_own_rows_only() {
    let stage = stage().await;
    let ((anna, annas), (bert, berts)) = (stage.user(), stage.user());
    let mut first = everything(&stage, &annas).await;
    let mut second = everything(&stage, &berts).await;
    let mut nobody = everything(&stage, stage.db.anon_token()).await;
    let mut service = everything(&stage, stage.db.service_token()).await;
    for id in 0..40 {
        stage
            .note(id, if id % 2 == 0 { anna } else { bert }, "x")
            .await;
    }
    let of = |kind: i32| {
        (0..40)
            .filter(move |id| id % 2 == kind)
            .map(|id| format!("INSERT {id}"))
    };
    assert_eq!(
        heard(&before_mark(&stage, &mut first).await),
        of(0).collect::<Vec<_>>()
    );
    assert_eq!(
        heard(&before_mark(&stage, &mut second).await),
        of(1).collect::<Vec<_>>()
    );
    assert_eq!(
        heard(&before_mark(&stage, &mut nobody).await),
        Vec::<String>::new()
    );
    assert_eq!(before_mark(&stage, &mut service).await.len(), 40);
}

#[tokio::test]
async fn deletes_are_heard_only_by_who_could_see_the_row() {
    let stage = stage().await;
    let ((anna, annas), (_, berts)) = (stage.user(), stage.user());
    let mut first = everything(&stage, &annas).await;
    let mut second = everything(&stage, &berts).await;
    // By default the log has the key only, and the policy reads another column: nobody hears.
    stage.note(1, anna, "x").await;
    stage.run("delete from notes").await;
    assert_eq!(heard(&before_mark(&stage, &mut first).await), ["INSERT 1"]);
    assert_eq!(
        heard(&before_mark(&stage, &mut second).await),
        Vec::<String>::new()
    );
    stage.run("alter table notes replica identity full").await;
    stage.note(2, anna, "x").await;
    stage.run("delete from notes").await;
    assert_eq!(
        heard(&before_mark(&stage, &mut first).await),
        ["INSERT 2", "DELETE 2"]
    );
    assert_eq!(
        heard(&before_mark(&stage, &mut second).await),
        Vec::<String>::new()
    );
    // A policy on the key alone can be decided by the key.
    stage
        .run("alter table notes replica identity default")
        .await;
    stage
        .run("alter policy own on notes using (id % 2 = 1)")
        .await;
    stage.note(3, anna, "x").await;
    stage.note(4, anna, "x").await;
    stage.run("delete from notes").await;
    assert_eq!(
        heard(&before_mark(&stage, &mut second).await),
        ["INSERT 3", "DELETE 3"]
    );
}

#[tokio::test]
async fn a_row_is_decided_as_it_was_when_it_changed() {
    let stage = stage().await;
    let ((anna, annas), (bert, berts)) = (stage.user(), stage.user());
    let mut first = everything(&stage, &annas).await;
    let mut second = everything(&stage, &berts).await;
    stage
        .db
        .execute(&format!(
            "begin; insert into notes values (1, '{anna}', 'x'); \
             update notes set user_id = '{bert}'; delete from notes; commit"
        ))
        .await;
    assert_eq!(heard(&before_mark(&stage, &mut first).await), ["INSERT 1"]);
    assert_eq!(heard(&before_mark(&stage, &mut second).await), ["UPDATE 1"]);
}

#[tokio::test]
async fn policies_may_look_into_other_tables_and_call_functions() {
    let stage = stage().await;
    let ((anna, annas), (bert, berts)) = (stage.user(), stage.user());
    stage
        .db
        .execute(
            "create table members (note_id int, user_id uuid); \
             alter table members enable row level security; \
             grant select on members to authenticated; \
             create policy own on members for select using (user_id = auth.uid()); \
             create function is_open(row_of notes) returns boolean language sql stable \
                 as $$ select row_of.body = 'open' $$; \
             drop policy own on notes; \
             create policy shared on notes for select to authenticated using ( \
                 exists (select from members where members.note_id = notes.id) or is_open(notes)); \
             create policy dated on notes as restrictive for select using (body <> 'never')",
        )
        .await;
    stage
        .db
        .execute(&format!(
            "insert into members values (1, '{anna}'), (3, '{anna}')"
        ))
        .await;
    let mut first = everything(&stage, &annas).await;
    let mut second = everything(&stage, &berts).await;
    for (id, body) in [(1, "x"), (2, "open"), (3, "never"), (4, "x")] {
        stage.note(id, bert, body).await;
    }
    assert_eq!(
        heard(&before_mark(&stage, &mut first).await),
        ["INSERT 1", "INSERT 2"]
    );
    assert_eq!(heard(&before_mark(&stage, &mut second).await), ["INSERT 2"]);
}

#[tokio::test]
async fn a_changed_policy_holds_from_the_next_row_on() {
    let stage = stage().await;
    let (anna, annas) = stage.user();
    let mut client = everything(&stage, &annas).await;
    for (id, policy, expected) in [
        (
            1,
            "alter policy own on notes using (true)",
            &["INSERT 1"][..],
        ),
        (2, "alter policy own on notes using (false)", &[]),
        (3, "alter policy own on notes using (true)", &["INSERT 3"]),
    ] {
        stage.run(policy).await;
        stage.note(id, anna, "x").await;
        assert_eq!(heard(&before_mark(&stage, &mut client).await), expected);
    }
}

#[tokio::test]
async fn a_revoked_policy_is_seen_by_the_next_commit() {
    let stage = stage().await;
    let (anna, annas) = stage.user();
    let mut client = everything(&stage, &annas).await;
    stage.note(1, anna, "x").await;
    assert_eq!(heard(&before_mark(&stage, &mut client).await), ["INSERT 1"]);
    stage.run("drop policy own on notes").await;
    stage.note(2, anna, "x").await;
    assert_eq!(
        heard(&before_mark(&stage, &mut client).await),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_role_without_the_privilege_is_told_so() {
    let stage = stage().await;
    stage.run("revoke select on notes from anon").await;
    let mut client = listener(&stage, stage.db.anon_token()).await;
    let (anna, _) = stage.user();
    stage.note(1, anna, "secret").await;
    let change = client.change().await;
    assert_eq!(change["errors"], json!(["Error 401: Unauthorized"]));
    assert_eq!(
        (&change["record"], &change["columns"]),
        (&json!({}), &json!([]))
    );
}

#[tokio::test]
async fn columns_a_role_may_not_read_are_not_sent_and_do_not_filter() {
    let stage = stage().await;
    let (anna, annas) = stage.user();
    stage.run("revoke select on notes from authenticated").await;
    stage
        .run("grant select (id) on notes to authenticated")
        .await;
    let mut client = listener(&stage, &annas).await;
    stage.note(1, anna, "secret").await;
    let change = client.change().await;
    assert_eq!(change["record"], json!({ "id": 1 }));
    assert!(!change.to_string().contains("secret"));
    let request =
        json!([{ "event": "*", "schema": "public", "table": "notes", "filter": "body=eq.x" }]);
    let config = json!({ "postgres_changes": request });
    client.join("realtime:other", config).await;
    let system = client.event("system").await.payload;
    assert_eq!(system["status"], "error");
}

#[tokio::test]
async fn a_policy_that_fails_is_no_silent_gap() {
    let stage = stage().await;
    let (anna, annas) = stage.user();
    let mut client = listener(&stage, &annas).await;
    stage
        .run("alter policy own on notes using (1 / (id - 1) = 0)")
        .await;
    stage.note(1, anna, "x").await;
    let system = client.event("system").await;
    assert_eq!(system.payload["status"], "error");
    client.event("phx_error").await;
}

#[tokio::test]
async fn policies_on_columns_of_any_type_are_evaluated() {
    let stage = stage().await;
    let (anna, annas) = stage.user();
    stage
        .db
        .execute(
            "create domain label as text not null check (value <> ''); \
             create type level as enum ('low', 'high'); \
             alter table notes add column \"Tags\" text[] default '{a,\"b c\"}', \
                 add column doc jsonb default '{\"open\": [1, 2]}', \
                 add column grade level default 'high', add column name label default 'x', \
                 add column at timestamptz default now(), add column price numeric(8, 2) default 1.5; \
             alter policy own on notes using ( \
                 'b c' = any (\"Tags\") and doc -> 'open' @> '[2]' and grade > 'low' \
                 and name <> 'hidden' and at > now() - interval '1 day' and price < 2 \
                 and (auth.jwt() ->> 'role') = 'authenticated')",
        )
        .await;
    let mut client = everything(&stage, &annas).await;
    stage
        .run("insert into notes (id, name) values (1, 'shown'), (2, 'hidden')")
        .await;
    stage
        .run("insert into notes (id, grade) values (3, 'low'), (4, 'high')")
        .await;
    stage.note(5, anna, "x").await;
    let heard = heard(&before_mark(&stage, &mut client).await);
    assert_eq!(heard, ["INSERT 1", "INSERT 4", "INSERT 5"]);
}
