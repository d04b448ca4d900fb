//! `/api/v1/sql/query`, `/api/v1/schema` and what a table is made of.

use serde_json::{Value, json};
use testkit::TestResponse;
use uuid::Uuid;

use crate::api::{Api, get};

async fn run(api: &Api, body: &Value) -> TestResponse {
    let token = api.db.service_token();
    let request = api.service.post("/api/v1/sql/query").bearer(token);
    request.json(body).await
}

async fn query(api: &Api, text: &str) -> TestResponse {
    run(api, &json!({ "query": text })).await
}

#[tokio::test]
async fn statements_are_run_together() {
    let api = Api::start().await;
    let answer = query(
        &api,
        "select id, title, rating, tags, details, id = 1 as one, null::text as nothing
           from films order by id limit 2;
         update films set year = 1900 where id = 1;
         select count(*), count(*) as twice from films where year = 1900 -- ;",
    )
    .await
    .expect_status(200)
    .json();
    assert_eq!(answer["success"], true);
    assert_eq!(answer["is_read_only"], false);
    assert!(answer["total_execution_time"].is_number());
    assert_eq!(answer["total_rows_affected"], 4);
    let films = &answer["results"][0];
    assert_eq!(films["columns"][0], json!({"name": "id", "type": "int4"}));
    assert_eq!(films["rows"][0][0], 1);
    assert_eq!(films["rows"][0][5], true);
    assert_eq!(films["rows"][0][6], Value::Null);
    assert_eq!(films["rows_affected"], 2);
    assert_eq!(films["truncated"], false);
    assert_eq!(answer["results"][1]["rows"], json!([]));
    // Two columns of one name are two.
    assert_eq!(answer["results"][2]["rows"], json!([[1, 1]]));
}

#[tokio::test]
async fn an_error_says_where_and_nothing_lasts() {
    let api = Api::start().await;
    let answer = query(&api, "delete from roles; select nothing from films")
        .await
        .expect_status(400)
        .json();
    assert_eq!(answer["success"], false);
    assert_eq!(answer["code"], "42703");
    assert_eq!(answer["position"], 27);
    let still = query(&api, "select count(*) > 0 from roles").await.json();
    assert_eq!(still["results"][0]["rows"], json!([[true]]));
    assert_eq!(still["is_read_only"], true);

    let refused = run(
        &api,
        &json!({"query": "delete from roles", "read_only": true}),
    )
    .await
    .expect_status(405)
    .json();
    assert_eq!(refused["code"], "25006");
    let copied = query(&api, "copy films to stdout").await;
    assert_eq!(copied.status, 400, "{}", copied.text());
    assert_eq!(query(&api, "").await.status, 200);
    let unknown = run(&api, &json!({"query": "select 1", "role": "postgres"})).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn a_script_has_no_more_rights_than_the_service_role_and_leaves_nothing_behind() {
    let api = Api::start().await;
    for (text, code) in [
        ("create role intruder superuser", "42501"),
        ("alter role service_role superuser", "42501"),
        ("select * from pg_authid", "42501"),
        ("set role postgres", "42501"),
        ("commit; set role postgres", "42501"),
        ("copy films to program 'true'", "42501"),
    ] {
        let answer = query(&api, text).await.json();
        assert_eq!(answer["code"], code, "{text}: {answer}");
    }
    // A session is nobody else's.
    let text = "commit; set search_path = 'nowhere'; set application_name = 'mine'";
    assert_eq!(query(&api, text).await.status, 200);
    let next = query(
        &api,
        "select current_setting('search_path'), current_user::text",
    )
    .await;
    let next = next.json();
    assert_ne!(next["results"][0]["rows"][0][0], "nowhere", "{next}");
    assert_eq!(next["results"][0]["rows"][0][1], "service_role");
    let films = api.ask(&get("/films?select=id&limit=1")).await;
    assert_eq!(films.status, 200);
}

#[tokio::test]
async fn only_administration_is_let_in() {
    let api = Api::start().await;
    let user = api.db.user_token(Uuid::from_u128(7), "u@example.com");
    let admin = api.db.superuser_token(Uuid::from_u128(8), "a@example.com");
    let body = json!({"query": "select auth.uid()::text"});
    for (token, status) in [(api.db.anon_token(), 401), (&user, 403), (&admin, 200)] {
        let ask = || api.service.post("/api/v1/sql/query").bearer(token);
        let ran = ask().json(&body).await;
        assert_eq!(ran.status, status, "{}", ran.text());
        for path in ["/api/v1/schema", "/api/v1/schema/visualization"] {
            assert_eq!(
                api.service.get(path).bearer(token).await.status,
                status,
                "{path}"
            );
        }
        if status == 200 {
            // The statements run as administration, on behalf of the one who sent them.
            let caller = Uuid::from_u128(8).to_string();
            assert_eq!(ran.json()["results"][0]["rows"], json!([[caller]]));
        }
    }
}

#[tokio::test]
async fn the_schema_is_told_as_tables_and_as_a_graph() {
    let api = Api::start().await;
    let schema = api
        .ask(&get("/api/v1/schema"))
        .await
        .expect_status(200)
        .json();
    let find = |list: &str, key: &str, name: &str| {
        let list = schema[list].as_array().expect("a list");
        let found = list.iter().find(|one| one[key] == name);
        found.cloned().expect(name)
    };
    assert_eq!(
        find("tables", "name", "films")["primary_key"],
        json!(["id"])
    );
    let key = find("foreign_keys", "constraint", "films_director_fkey");
    assert_eq!(
        key,
        json!({"constraint": "films_director_fkey", "table": "films", "columns": ["director_id"],
               "foreign_table": "directors", "foreign_columns": ["id"], "unique": false})
    );
    let add = find("functions", "name", "add");
    assert_eq!(
        add["parameters"][0],
        json!({"name": "a", "type": "integer", "required": true})
    );

    let graph = api.ask(&get("/api/v1/schema/visualization")).await.json();
    let edges = graph["edges"].as_array().expect("edges");
    let edge = edges
        .iter()
        .find(|edge| edge["label"] == "films_director_fkey");
    let edge = edge.expect("an edge");
    assert_eq!(
        (&edge["source"], &edge["target"]),
        (&json!("films"), &json!("directors"))
    );
    let nodes = graph["nodes"].as_array().expect("nodes");
    for end in ["source", "target"] {
        assert!(nodes.iter().any(|node| node["id"] == edge[end]), "{end}");
    }
}

#[tokio::test]
async fn a_table_is_told_as_what_makes_it() {
    let api = Api::start().await;
    let made = "create table made (id bigint generated always as identity primary key,
                  name text not null default 'it''s', twice int generated always as (2 * 2) stored,
                  film int references films, check (name <> ''));
                create index on made (name);
                create view of_made as select id from made";
    api.db.execute(made).await;
    let token = api.db.service_token();
    let ask = |path| {
        api.until(
            move |api: &Api| api.service.get(path).bearer(token),
            |response| response.status == 200,
        )
    };
    let table = ask("/api/v1/tables/made/sql").await.json();
    insta::assert_snapshot!(table["sql"].as_str().expect("SQL"), @"
    create table public.made (
        id bigint generated always as identity not null,
        name text default 'it''s'::text not null,
        twice integer generated always as ((2 * 2)) stored,
        film integer,
        constraint made_pkey PRIMARY KEY (id),
        constraint made_film_fkey FOREIGN KEY (film) REFERENCES films(id),
        constraint made_name_check CHECK ((name <> ''::text))
    );
    CREATE INDEX made_name_idx ON public.made USING btree (name);
    alter table public.made enable row level security;
    ");
    let view = ask("/api/v1/tables/of_made/sql").await.json();
    let view = view["sql"].as_str().expect("SQL");
    assert!(
        view.starts_with("create view public.of_made as\n"),
        "{view}"
    );
    assert!(view.ends_with("FROM made;"), "{view}");
    let hidden = api
        .service
        .get("/api/v1/tables/made/sql")
        .bearer(api.db.anon_token());
    assert_eq!(hidden.await.status, 404);
}

#[tokio::test]
async fn what_was_run_is_remembered_for_the_one_who_ran_it() {
    let api = Api::start().await;
    let admin = api.db.superuser_token(Uuid::from_u128(8), "a@example.com");
    assert_eq!(query(&api, "select 1").await.status, 200);
    for text in ["select id from films limit 2", "delete from nosuch"] {
        let request = api.service.post("/api/v1/sql/query").bearer(&admin);
        request.json(&json!({ "query": text })).await;
    }
    let history = async |token: &str, path| {
        let answer = api.service.get(path).bearer(token).await;
        answer.expect_status(200).json()["history"].clone()
    };
    let mine = history(&admin, "/api/v1/sql/history").await;
    assert_eq!(mine.as_array().map(Vec::len), Some(2), "{mine}");
    let (failed, read) = (&mine[0], &mine[1]);
    assert_eq!(failed["query"], "delete from nosuch");
    assert_eq!(failed["success"], false);
    assert_eq!(failed["error"], "relation \"nosuch\" does not exist");
    assert_eq!(read["is_read_only"], true);
    assert_eq!(
        (&read["row_count"], &read["error"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(read["user_id"], Uuid::from_u128(8).to_string());
    assert!(read["execution_time"].is_number() && read["executed_at"].is_string());
    let latest = history(&admin, "/api/v1/sql/history?limit=1").await;
    assert_eq!(latest, json!([failed]));
    let key = history(api.db.service_token(), "/api/v1/sql/history").await;
    assert_eq!(key[0]["query"], "select 1");
    for path in ["/api/v1/sql/history?limit=0", "/api/v1/sql/history?limit=x"] {
        let refused = api.service.get(path).bearer(&admin).await;
        assert_eq!(refused.status, 400, "{path}");
    }
    // No statement rewrites it.
    for text in [
        "delete from selfdb.sql_history",
        "update selfdb.sql_history set query = ''",
    ] {
        assert_eq!(query(&api, text).await.json()["code"], "42501", "{text}");
    }
}

#[tokio::test]
async fn only_the_latest_thousand_are_remembered() {
    let api = Api::start().await;
    let fill = "select selfdb.keep_sql_history(jsonb_build_object('query', repeat('x', case n when 1003 then 100001 else 1 end), \
                'success', true, 'is_read_only', true, 'execution_time', 0, 'row_count', n)) \
                from generate_series(1, 1003) n";
    api.db.execute(fill).await;
    let token = api.db.service_token();
    let asked = api
        .service
        .get("/api/v1/sql/history?limit=1000")
        .bearer(token);
    let history = asked.await.expect_status(200).json()["history"].clone();
    assert_eq!(history.as_array().map(Vec::len), Some(1000));
    assert_eq!(history[999]["row_count"], 4);
    assert_eq!(history[0]["query"].as_str().map(str::len), Some(100_000));
}

#[tokio::test]
async fn snippets_are_their_makers_and_shared_ones_everybodys() {
    const PATH: &str = "/api/v1/sql/snippets";
    let api = Api::start().await;
    let mine = api.db.superuser_token(Uuid::from_u128(8), "a@example.com");
    let theirs = api.db.superuser_token(Uuid::from_u128(9), "b@example.com");
    let create = |token, body: Value| {
        let request = api.service.post(PATH).bearer(token);
        async move { request.json(&body).await }
    };
    let list = async |token: &str| {
        let all = api.service.get(PATH).bearer(token).await.expect_status(200);
        all.json()
    };
    let body = json!({ "name": "Count", "sql_code": "select count(*) from films" });
    let kept = create(&mine, body).await.expect_status(201).json();
    assert_eq!(kept["name"], "Count");
    assert_eq!(
        (&kept["is_shared"], &kept["description"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(kept["created_by"], Uuid::from_u128(8).to_string());
    assert!(kept["created_at"].is_string());
    assert_eq!(list(&mine).await, json!([kept]));
    assert_eq!(list(&theirs).await, json!([]));

    let one = format!("{PATH}/{}", kept["id"].as_str().expect("an id"));
    let change = json!({ "is_shared": true, "description": "How many" });
    let put = |token| api.service.put(&one).bearer(token).json(&change);
    assert_eq!(put(&theirs).await.status, 404);
    let shared = put(&mine).await.expect_status(200).json();
    assert_eq!(
        (&shared["name"], &shared["description"]),
        (&json!("Count"), &json!("How many"))
    );
    assert_eq!(list(&theirs).await, json!([shared]));
    let delete = |token| api.service.delete(&one).bearer(token);
    for (token, status) in [(&theirs, 404), (&mine, 204), (&mine, 404)] {
        assert_eq!(delete(token).await.status, status);
    }
    let nowhere = api.service.delete(&format!("{PATH}/1")).bearer(&mine);
    assert_eq!(nowhere.await.status, 404);

    for bad in [
        json!({ "name": "Count" }),
        json!({ "name": "", "sql_code": "select 1" }),
        json!({ "name": "n".repeat(101), "sql_code": "select 1" }),
        json!({ "name": "n", "sql_code": "select 1", "created_by": "me" }),
        json!({ "name": "n\u{0}", "sql_code": "select 1" }),
        json!([]),
    ] {
        let refused = create(&mine, bad.clone()).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text());
    }
    let user = api.db.user_token(Uuid::from_u128(7), "u@example.com");
    for path in [PATH, "/api/v1/sql/history"] {
        for (token, status) in [(api.db.anon_token(), 401), (&user, 403)] {
            let refused = api.service.get(path).bearer(token).await;
            assert_eq!(refused.status, status, "{path}");
        }
    }
}
