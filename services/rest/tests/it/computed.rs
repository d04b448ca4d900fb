use crate::api::{Api, get, patch, post};

/// Functions of rows: columns, relationships, and one in the place of a foreign key's.
const FUNCTIONS: &str = "
    create function label(films) returns text language sql stable as
        $$ select $1.title || ' (' || $1.year || ')' $$;
    create function newest(directors) returns setof films rows 1 language sql stable as
        $$ select * from films where director_id = $1.id order by year desc limit 1 $$;
    create function older(films) returns setof films language sql stable as
        $$ select * from films where year < $1.year $$;
    create function actors(films) returns setof actors language sql stable as
        $$ select * from actors where id = $1.id $$;
    create function boss(employees) returns setof employees rows 1 language sql stable as
        $$ select * from employees where id = $1.manager_id $$;
";

async fn api() -> Api {
    let api = Api::start().await;
    api.db.execute(FUNCTIONS).await;
    let token = api.db.service_token();
    api.until(
        |api| {
            let request = api.service.get("/employees?select=boss(id)");
            request.bearer(token)
        },
        |response| response.status == 200,
    )
    .await;
    api
}

#[tokio::test]
async fn a_function_of_a_row_is_a_column() {
    let shown = api()
        .await
        .show([
            get("/films?select=id,label&order=label.desc&limit=2"),
            get("/films?select=shown:label&label=like.North*"),
            get("/directors?select=id,films(label)&films.order=id&id=eq.1"),
            get("/rpc/films_of?director=2&select=label"),
            post(
                "/films?select=label",
                r#"{"id": 9, "title": "New", "year": 2024}"#,
            )
            .prefer("return=representation"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id,label&order=label.desc&limit=2
    = 200 | content-range: 0-1/*
    [{"id":4,"label":"West (end), \"so\" (2015)"},{"id":2,"label":"Southern (2004)"}]

    GET /films?select=shown:label&label=like.North*
    = 200 | content-range: 0-0/*
    [{"shown":"Northern (1999)"}]

    GET /directors?select=id,films(label)&films.order=id&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"films":[{"label":"Northern (1999)"},{"label":"Southern (2004)"}]}]

    GET /rpc/films_of?director=2&select=label
    = 200 | content-range: 0-0/*
    [{"label":"Eastern (2010)"}]

    POST /films?select=label
      prefer: return=representation
      {"id": 9, "title": "New", "year": 2024}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"label":"New (2024)"}]
    "#);
}

#[tokio::test]
async fn a_function_to_rows_is_a_relationship() {
    let shown = api()
        .await
        .show([
            get("/directors?select=id,newest(title,year)&order=id"),
            get("/directors?select=id,...newest(title)&order=newest(title).desc.nullslast"),
            get(
                "/directors?select=id,newest!inner(title,directors(last_name))&newest.year=gt.2005",
            ),
            get("/films?select=id,older(id)&older.order=id&order=id&limit=3"),
            get("/films?select=id,before:older(id,older(id))&older.order=id&id=eq.3"),
            get("/employees?select=name,boss(name)&order=id"),
            get("/films?select=id,actors(id)&order=id"),
            get("/actors?select=id,films(id)&id=eq.1"),
            get("/directors?select=id,newest(id)&newest=is.null").prefer("count=exact"),
            get("/directors?select=id,newes(id)"),
            patch(
                "/directors?id=eq.2&select=newest(title)",
                r#"{"first_name": "Bob"}"#,
            )
            .prefer("return=representation"),
            get("/rpc/first_film?select=id,older(id),actors(id)"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /directors?select=id,newest(title,year)&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"newest":{"title":"Southern","year":2004}},{"id":2,"newest":{"title":"Eastern","year":2010}},{"id":3,"newest":null}]

    GET /directors?select=id,...newest(title)&order=newest(title).desc.nullslast
    = 200 | content-range: 0-2/*
    [{"id":1,"title":"Southern"},{"id":2,"title":"Eastern"},{"id":3,"title":null}]

    GET /directors?select=id,newest!inner(title,directors(last_name))&newest.year=gt.2005
    = 200 | content-range: 0-0/*
    [{"id":2,"newest":{"title":"Eastern","directors":{"last_name":"Ek"}}}]

    GET /films?select=id,older(id)&older.order=id&order=id&limit=3
    = 200 | content-range: 0-2/*
    [{"id":1,"older":[]},{"id":2,"older":[{"id":1}]},{"id":3,"older":[{"id":1},{"id":2}]}]

    GET /films?select=id,before:older(id,older(id))&older.order=id&id=eq.3
    = 200 | content-range: 0-0/*
    [{"id":3,"before":[{"id":1,"older":[]},{"id":2,"older":[{"id":1}]}]}]

    GET /employees?select=name,boss(name)&order=id
    = 200 | content-range: 0-2/*
    [{"name":"Root","boss":null},{"name":"Left","boss":{"name":"Root"}},{"name":"Right","boss":{"name":"Root"}}]

    GET /films?select=id,actors(id)&order=id
    = 200 | content-range: 0-3/*
    [{"id":1,"actors":[{"id":1}]},{"id":2,"actors":[{"id":2}]},{"id":3,"actors":[{"id":3}]},{"id":4,"actors":[]}]

    GET /actors?select=id,films(id)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"films":[{"id":1}]}]

    GET /directors?select=id,newest(id)&newest=is.null
      prefer: count=exact
    = 200 | content-range: 0-0/1 | preference-applied: count=exact
    [{"id":3,"newest":null}]

    GET /directors?select=id,newes(id)
    = 400
    {"code":"PGRST200","details":"Searched for a foreign key relationship between 'directors' and 'newes' in the schema 'public', but no matches were found.","hint":"Perhaps you meant 'newest' instead of 'newes'.","message":"Could not find a relationship between 'directors' and 'newes' in the schema cache"}

    PATCH /directors?id=eq.2&select=newest(title)
      prefer: return=representation
      {"first_name": "Bob"}
    = 200 | content-range: 0-0/* | preference-applied: return=representation
    [{"newest":{"title":"Eastern"}}]

    GET /rpc/first_film?select=id,older(id),actors(id)
    = 200 | content-range: 0-0/*
    {"id":1,"older":[],"actors":[{"id":1}]}
    "#);
}
