//! `GET /types.ts`.

use crate::api::{Api, get};

const SCHEMA: &str = "
    drop schema public cascade;
    create schema public;
    grant usage on schema public to anon, authenticated, service_role;
    create type mood as enum ('sad', 'ok', 'so so');
    create domain short as varchar(5);
    create type money_in as (amount numeric, currency text, moods mood[]);
    create table people (
        id bigint primary key generated always as identity, name text not null, nick short,
        mood mood not null default 'ok', moods mood[], data jsonb, paid money_in,
        shout text generated always as (upper(name)) stored, born date, \"odd name\" inet);
    create table pets (
        id uuid primary key default gen_random_uuid(),
        person_id bigint not null references people, tag int unique references people);
    create view grown as select id, name, mood from people;
    create function label(people) returns text language sql stable as 'select $1.name';
    create function add(a int, b int default 1) returns int language sql as 'select a + b';
    create function add(a text, b text) returns text language sql as 'select a || b';
    create function pets_of(owner bigint) returns setof pets language sql stable
        as 'select * from pets where person_id = owner';
    create function owner_of(pets) returns setof people rows 1 language sql stable
        as 'select * from people where id = $1.person_id';
    create function sums(out total bigint, out label text) language sql as 'select 1, null::text';
    create function listed() returns table (id int, mood mood) language sql as 'select 1, null::mood';
    create function hidden() returns void language sql as 'select';
    create table secret (id int primary key);
    grant all on all tables in schema public to anon, service_role;
    grant execute on all functions in schema public to anon, service_role;
    revoke all on secret from anon;
    revoke all on function hidden() from public, anon;
    notify pgrst";

#[tokio::test]
async fn types_are_those_of_the_schema() {
    let api = Api::start().await;
    api.db.execute(SCHEMA).await;
    let wanted = |text: &str| text.contains("pets_tag_fkey") && text.contains("grown");
    let seen = api
        .until(
            |api| api.service.get("/types.ts").bearer(api.db.service_token()),
            |seen| wanted(&seen.text()),
        )
        .await;
    let text = seen.text();
    assert_eq!(
        seen.header("content-type"),
        Some("application/typescript; charset=utf-8")
    );
    let (database, rest) = text
        .split_once("type DatabaseWithoutInternals")
        .unwrap_or_default();
    let expected = include_str!("typescript.ts");
    assert_eq!(database.trim_end(), expected.trim_end());
    let (_, constants) = rest
        .split_once("export const Constants")
        .unwrap_or_default();
    assert_eq!(
        constants,
        " = {\n  public: {\n    Enums: {\n      mood: [\"sad\", \"ok\", \"so so\"],\n    },\n  },\n} as const\n"
    );

    let anon = api.acting_as("");
    let text = anon.ask(&get("/types.ts")).await.text();
    assert!(text.contains("people: {"));
    assert!(!text.contains("secret: {") && !text.contains("hidden: {"));
}

#[tokio::test]
async fn types_follow_the_mode_of_the_description() {
    let api = Api::with(|settings| settings.with("PGRST_OPENAPI_MODE", "disabled")).await;
    let refused = api.ask(&get("/types.ts")).await;
    assert_eq!(refused.status, 404);
    assert_eq!(refused.json()["code"], "PGRST126");

    let api = Api::with(|settings| settings.with("PGRST_OPENAPI_MODE", "ignore-privileges")).await;
    api.db.execute(SCHEMA).await;
    let anon = api.acting_as("");
    anon.until(
        |api| api.service.get("/types.ts"),
        |seen| seen.text().contains("secret: {") && seen.text().contains("hidden: {"),
    )
    .await;
}
