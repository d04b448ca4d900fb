//! PostgREST's how-to guides.

use serde_json::{Value, json};

use super::server::{Answer, Ground, SECRET, Server, token};

const TYPES: &str = "
    create table reports (id int primary key, due_date timestamptz);
    create table products (id int primary key, name text unique, extra_info json);
    create table movies (id int primary key, title text not null, tags text[],
                         performance_times time[], cinema_floor_auditorium int[][][]);
    create type dimension as (length decimal(6,2), width decimal(6,2), height decimal(6,2), unit text);
    create table boxes (id int primary key, size dimension);
    insert into boxes values (1, '(5.0,5.0,10.0,\"cm\")');
    create table events (id int primary key, name text unique, duration tsrange);
    create function tsrange_to_json(tsrange) returns json as $$
      select json_build_object('lower', lower($1), 'upper', upper($1),
                               'lower_inc', lower_inc($1), 'upper_inc', upper_inc($1));
    $$ language sql;
    create cast (tsrange as json) with function tsrange_to_json(tsrange) as assignment;
    create role anon# nologin;
    create role login# login noinherit;
    grant anon# to login#;
    grant all on all tables in schema public to anon#;
";

const ANON: (&str, &str) = ("PGRST_DB_ANON_ROLE", "anon#");

async fn post(server: &Server, path: &str, body: &Value) {
    let made = server.ask("POST", path, &[], &body.to_string()).await;
    assert_eq!(made.status, 201, "{path}: {made:?}");
}

async fn read(server: &Server, path: &str) -> Value {
    let answer: Answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

#[tokio::test]
async fn working_with_data_types() {
    let ground = Ground::new(TYPES).await;
    let server = ground.serve("login#", &[ANON]).await;
    let reports = json!([
        { "id": 1, "due_date": "2022-02-24 11:10:15 Australia/Sydney" },
        { "id": 2, "due_date": "epoch" },
    ]);
    post(&server, "/reports", &reports).await;
    let cairo = read(
        &server,
        "/reports?due_date=eq.2022-02-24+02:10:15+Africa/Cairo&select=id",
    )
    .await;
    assert_eq!(cairo, json!([{ "id": 1 }]));
    let special = "/reports?or=(and(due_date.gte.today,due_date.lte.tomorrow),and(due_date.gt.-infinity,due_date.lte.epoch))&select=id";
    assert_eq!(read(&server, special).await, json!([{ "id": 2 }]));

    let info = json!({ "expiry_date": "2025-12-31", "exportable": true });
    post(
        &server,
        "/products",
        &json!({ "id": 1, "name": "Canned fish", "extra_info": info }),
    )
    .await;
    let expiry = read(&server, "/products?select=extra_info->>expiry_date").await;
    assert_eq!(expiry, json!([{ "expiry_date": "2025-12-31" }]));

    let written = json!({ "id": 1, "title": "Paddington", "tags": "{family,comedy,not streamable}",
                          "performance_times": "{12:40,15:00,20:00}" });
    let listed = json!({ "id": 2, "title": "Paddington", "tags": ["family", "comedy", "not streamable"],
                         "performance_times": ["12:40", "15:00", "20:00"] });
    post(&server, "/movies", &written).await;
    post(&server, "/movies", &listed).await;
    let same = read(&server, "/movies?select=tags,performance_times&order=id").await;
    assert_eq!(same[0], same[1]);
    let cube = json!({ "cinema_floor_auditorium": [[[1, 2], [6, 7]], [[3, 5], [8, 9]]] });
    let changed = server
        .ask("PATCH", "/movies?id=eq.1", &[], &cube.to_string())
        .await;
    assert_eq!(changed.status, 204, "{changed:?}");
    let floor = read(
        &server,
        "/movies?select=title,auditorium:cinema_floor_auditorium->0->1&id=eq.1",
    )
    .await;
    assert_eq!(
        floor,
        json!([{ "title": "Paddington", "auditorium": [6, 7] }])
    );

    post(
        &server,
        "/boxes",
        &json!({ "id": 2, "size": "(0.7,0.5,1.8,\"m\")" }),
    )
    .await;
    let size = json!({ "length": 0.7, "width": 0.5, "height": 1.8, "unit": "m" });
    post(&server, "/boxes", &json!({ "id": 3, "size": size })).await;
    let units = read(&server, "/boxes?select=size->>unit&order=id").await;
    assert_eq!(
        units,
        json!([{ "unit": "cm" }, { "unit": "m" }, { "unit": "m" }])
    );

    let party = json!({ "id": 1, "name": "New Year's Party",
                        "duration": "['2022-12-31 11:00','2023-01-01 06:00']" });
    post(&server, "/events", &party).await;
    let found = read(
        &server,
        "/events?duration=cs.[2023-01-01,2023-01-01]&select=id,duration::json",
    )
    .await;
    let duration = json!({ "lower": "2022-12-31T11:00:00", "upper": "2023-01-01T06:00:00",
                           "lower_inc": true, "upper_inc": true });
    assert_eq!(found, json!([{ "id": 1, "duration": duration }]));
}

#[tokio::test]
async fn users_of_postgres_are_users_of_the_api() {
    let ground = Ground::new(
        "create table foobar (foo int, bar text, baz float);
         create role anon# noinherit;
         create role login# noinherit login;
         grant anon# to login#;
         create role foo# login;
         alter role foo# set statement_timeout to '9s';
         create function shows() returns text stable language sql as
           $$ select current_setting('statement_timeout') $$",
    )
    .await;
    let server = ground
        .serve("login#", &[ANON, ("PGRST_JWT_SECRET", SECRET)])
        .await;
    let role = ground.named("foo#");
    let bearer = format!("Bearer {}", token(&json!({ "role": role })));
    let foo = [("authorization", bearer.as_str())];
    assert_eq!(
        server.get("/foobar").await.code(),
        (401, "42501".to_owned())
    );
    let refused = server.ask("GET", "/foobar", &foo, "").await;
    assert_eq!(refused.code(), (403, "42501".to_owned()));
    assert_eq!(
        refused.json()["message"],
        format!("permission denied to set role \"{role}\"")
    );
    ground.execute("grant foo# to login#").await;
    let refused = server.ask("GET", "/foobar", &foo, "").await;
    assert_eq!(
        refused.json()["message"],
        "permission denied for table foobar"
    );
    ground
        .execute("grant select on table foobar to foo#; notify pgrst")
        .await;
    let read = server.ask("GET", "/foobar", &foo, "").await;
    assert_eq!((read.status, read.body.as_str()), (200, "[]"));
    let mut server = server;
    server.said("schema cache loaded").await;
    let shown = server.ask("GET", "/rpc/shows", &foo, "").await;
    assert_eq!(shown.json(), "9s");
}

#[tokio::test]
async fn html_and_images() {
    let ground = Ground::new(
        "create table todos (id int primary key generated by default as identity, task text);
         insert into todos (task) values ('finish tutorial 0');
         create domain \"text/html\" as text;
         create function index() returns \"text/html\" language sql as $$
           select '<ul>' || string_agg('<li>' || task || '</li>', '' order by id) || '</ul>' from todos
         $$;
         create function add_todo(_task text) returns \"text/html\" language sql as $$
           insert into todos (task) values (_task);
           select index();
         $$;
         create domain \"*/*\" as bytea;
         create table files (id int primary key, blob bytea, type text, name text);
         insert into files values (42, '\\xcafe00', 'image/png', 'cats.png');
         create function file(id int) returns \"*/*\" language plpgsql as $$
         declare headers text; declare blob bytea;
         begin
           select format('[{\"Content-Type\": \"%s\"},'
                         '{\"Content-Disposition\": \"inline; filename=\\\"%s\\\"\"},'
                         '{\"Cache-Control\": \"max-age=259200\"}]', files.type, files.name)
             from files where files.id = file.id into headers;
           perform set_config('response.headers', headers, true);
           select files.blob from files where files.id = file.id into blob;
           if found then return blob; end if;
           raise sqlstate 'PT404' using message = 'NOT FOUND', detail = 'File not found',
             hint = format('%s seems to be an invalid file id', file.id);
         end $$;
         create role anon# nologin;
         create role login# login noinherit;
         grant anon# to login#;
         grant all on todos, files to anon#;",
    )
    .await;
    let server = ground.serve("login#", &[ANON]).await;
    let browser = [(
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    )];
    let page = server.ask("GET", "/rpc/index", &browser, "").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("content-type"), Some("text/html"));
    assert_eq!(page.body, "<ul><li>finish tutorial 0</li></ul>");
    let form = [
        ("accept", "text/html"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "9"),
    ];
    let added =
        super::server::ask_raw(&server, ("POST", "/rpc/add_todo"), &form, "_task=pat").await;
    assert_eq!(
        added.body, "<ul><li>finish tutorial 0</li><li>pat</li></ul>",
        "{added:?}"
    );

    let missing = server.get("/rpc/file?id=43").await;
    assert_eq!(missing.status, 404, "{missing:?}");
    assert_eq!(missing.json()["hint"], "43 seems to be an invalid file id");
}
