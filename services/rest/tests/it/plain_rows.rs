//! Rows that Postgres sends as they are come out as Postgres' own JSON.

use pg::sqlx;
use testkit::{TestDatabase, TestService};

use crate::api::Api;

/// A table of every type whose JSON is made here, its lists too, and what of each is seldom.
const EVERYTHING: &str = r#"
create table everything (
    id int primary key,
    small smallint, large bigint, real4 real, real8 double precision, exact numeric,
    scaled numeric(10, 2), truth boolean, letters text, limited varchar(20), padded char(5),
    identity uuid, "a ""quoted"" näme" text, raw json, parsed jsonb, day date,
    moment timestamp, moment_3 timestamp(3), instant timestamptz, instant_0 timestamptz(0),
    clock time, clock_zone timetz, span interval, bytes bytea, address inet, network cidr,
    hardware macaddr, cash money, bits bit(3), bits_many bit varying, catalogue name, number oid,
    smalls smallint[], larges bigint[], reals real[], doubles double precision[], exacts numeric[],
    truths boolean[], texts text[], limiteds varchar(9)[], paddeds char(3)[], identities uuid[],
    raws json[], parseds jsonb[], days date[], moments timestamp[], instants timestamptz[],
    clocks time[], spans interval[], byteses bytea[], addresses inet[], hardwares macaddr[],
    cashes money[], bitses bit(2)[], clock_zones timetz[], bits_manys bit varying[],
    networks cidr[], numbers oid[], catalogues name[]
);
insert into everything (id) values (0);
insert into everything values (
    1, -32768, 9223372036854775807, 1e20, 'NaN', 'Infinity', 1.50, true,
    E'tab\there "quotes" \\ back / \x01 ü 漢 \u2028' , 'x', 'ab', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    '', '{"b" : 1,  "a":[ ]}', '{"b" : 1,  "a":[ ]}', '2024-02-29', '2024-02-29 12:00:00.123456',
    '2024-02-29 12:00:00.1', '2024-02-29 12:00:00.5+02', '2024-07-01 00:00:00-11', '23:59:59.9',
    '04:05:06-08', '1 year 2 mons 3 days 04:05:06.7', '\x00ff22', '::1', '10.0.0.0/8',
    '08:00:2b:01:02:03', 12.5, '101', '1', 'n', 4294967295,
    '{1,null,-3}', '{}', '{1.5,NaN}', '{Infinity,-0}', '{1.00,null}', '{t,f,null}',
    array['a', 'b c', null, 'NULL', '', '"', '\', '{}', ',', E'\n'], '{x}', '{a,bc}',
    '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', array['{"a": "x,y"}'::json, '1', 'null'],
    array['{"a": "x,y"}'::jsonb, '"s"'], '{2024-01-01,infinity}', '{"2024-01-01 10:00:00",null}',
    '{"2024-01-01 10:00:00+00"}', '{10:00}', '{"1 day",null}', array['\x01'::bytea], '{::1}',
    '{08:00:2b:01:02:03}', '{1.5}', '{01}', '{10:00:00+05:30}', '{1}', '{10.0.0.0/8}', '{1}', '{n}');
insert into everything (id, day, moment, instant, real8, exact, texts, larges, exacts)
values (2, 'infinity', '-infinity', 'infinity', '-Infinity', 'NaN', '{{a,b},{c,d}}', '[0:1]={1,2}', '{}'),
       (3, '0044-03-15 BC', '0044-03-15 10:00:00 BC', '0044-03-15 10:00:00+00 BC', -0.0, -0.0, null, null, '{{1},{2}}'),
       (4, '10000-01-01', '10000-01-01', '1883-01-01 10:00:00+00', 1e-300, 1e-10, array[' lead', 'trail ', 'tab	', 'é'], null, null);
"#;

#[tokio::test]
async fn every_type_comes_out_as_postgres_own_json() {
    let api = Api::start().await;
    api.db.execute(EVERYTHING).await;
    let ask = |api: &Api, zone: &str| {
        let request = api.service.get("/everything?order=id");
        let request = request.bearer(api.db.service_token());
        request.header("prefer", &format!("timezone={zone}"))
    };
    api.until(|api| ask(api, "UTC"), |answer| answer.status == 200)
        .await;
    let pool = api.db.admin_pool();
    let mut session = pool.acquire().await.expect("a connection");
    let all = "select json_agg(e)::text from (select * from everything order by id) e";
    for zone in ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Berlin"] {
        let answer = ask(&api, zone).await;
        let set = sqlx::query("select set_config('timezone', $1, false)").bind(zone);
        set.execute(&mut *session).await.expect("a zone");
        let rows = sqlx::query_scalar(all).fetch_one(&mut *session);
        let rows: String = rows.await.expect("rows");
        assert_eq!(answer.text(), rows, "{zone}");
    }
}

/// A style that is not ISO is found when the rows are there.
#[tokio::test]
async fn what_is_written_otherwise_is_left_to_postgres() {
    let db = TestDatabase::new(&[]).await;
    let name = db.name();
    db.execute(&format!(
        "create table dated (id int primary key, day date, at timestamptz);
         insert into dated values (1, '2024-02-29', '2024-02-29 12:00:00+00');
         alter database {name} set datestyle = 'German';"
    ))
    .await;
    let config: rest::Config = testkit::config(&db.settings());
    let service = TestService::start(config).await;
    let api = Api::of(db, service).await;
    let request = api.service.get("/dated?order=id");
    let request = request.bearer(api.db.service_token());
    let answer = request.header("prefer", "timezone=UTC").await;
    let row = r#"[{"id":1,"day":"2024-02-29","at":"2024-02-29T12:00:00+00:00"}]"#;
    assert_eq!(answer.text(), row);
}

#[tokio::test]
async fn a_policy_may_still_say_what_the_response_is() {
    let api = Api::start().await;
    api.db
        .execute(
            r#"create function kettle_is_on() returns boolean language plpgsql as
             $$ begin
                perform set_config('response.status', '418', true);
                perform set_config('response.headers', '[{"x-kettle": "on"}]', true);
                return true;
             end $$;
             create table kettles (id int primary key);
             grant select on kettles to anon;
             insert into kettles values (1), (2);
             alter table kettles enable row level security;
             create policy asked on kettles using (kettle_is_on());"#,
        )
        .await;
    let ask = |api: &Api| {
        let request = api.service.get("/kettles?order=id");
        request
            .bearer(api.db.anon_token())
            .header("prefer", "count=exact")
    };
    let answer = api.until(ask, |answer| answer.status != 404).await;
    assert_eq!(answer.status.as_u16(), 418, "{answer:?}");
    assert_eq!(answer.header("x-kettle"), Some("on"));
    assert_eq!(answer.header("content-range"), Some("0-1/2"));
    assert_eq!(answer.text(), "[{\"id\":1}, \n {\"id\":2}]");
}
