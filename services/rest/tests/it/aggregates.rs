use crate::api::{Api, get, patch, post};

async fn api() -> Api {
    Api::with(|settings| settings.with("PGRST_DB_AGGREGATES_ENABLED", "true")).await
}

#[tokio::test]
async fn functions_casts_and_groups() {
    let shown = api()
        .await
        .show([
            get("/films?select=rating.sum(),rating.avg(),year.max(),first:year.min(),rating.count()"),
            get("/films?select=count()"),
            get("/films?select=films:count()::text&year=gt.2000"),
            get("/films?select=director_id,count()&order=director_id"),
            get("/films?select=rating.avg()::int,rating::int.sum()"),
            get("/films?select=details->>lang,count()&order=details->>lang"),
            get("/films?select=details->crew->0->>n::int.sum()"),
            get("/employees?select=*,count()&order=id&limit=1"),
            get("/films?select=director_id,count()&order=director_id&limit=1&offset=1").prefer("count=exact"),
            get("/films?select=title.sum()"),
            get("/films?select=title.median()"),
            get("/films?select=title.count"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=rating.sum(),rating.avg(),year.max(),first:year.min(),rating.count()
    = 200 | content-range: 0-0/*
    [{"sum":22.6,"avg":7.5333333333333333,"max":2015,"first":1999,"count":3}]

    GET /films?select=count()
    = 200 | content-range: 0-0/*
    [{"count":4}]

    GET /films?select=films:count()::text&year=gt.2000
    = 200 | content-range: 0-0/*
    [{"films":"3"}]

    GET /films?select=director_id,count()&order=director_id
    = 200 | content-range: 0-2/*
    [{"director_id":1,"count":2},{"director_id":2,"count":1},{"director_id":null,"count":1}]

    GET /films?select=rating.avg()::int,rating::int.sum()
    = 200 | content-range: 0-0/*
    [{"avg":8,"sum":23}]

    GET /films?select=details->>lang,count()&order=details->>lang
    = 200 | content-range: 0-2/*
    [{"lang":"en","count":2},{"lang":"sv","count":1},{"lang":null,"count":1}]

    GET /films?select=details->crew->0->>n::int.sum()
    = 200 | content-range: 0-0/*
    [{"sum":1}]

    GET /employees?select=*,count()&order=id&limit=1
    = 200 | content-range: 0-0/*
    [{"id":1,"name":"Root","manager_id":null,"count":1}]

    GET /films?select=director_id,count()&order=director_id&limit=1&offset=1
      prefer: count=exact
    = 206 | content-range: 1-1/4 | preference-applied: count=exact
    [{"director_id":2,"count":1}]

    GET /films?select=title.sum()
    = 404
    {"code":"42883","details":null,"hint":"No function matches the given name and argument types. You might need to add explicit type casts.","message":"function sum(text) does not exist"}

    GET /films?select=title.median()
    = 400
    {"code":"PGRST100","details":"unexpected \"m\" expecting \"sum\", \"avg\", \"count\", \"max\" or \"min\"","hint":null,"message":"\"failed to parse select parameter (title.median())\" (line 1, column 7)"}

    GET /films?select=title.count
    = 400
    {"code":"PGRST100","details":"unexpected end of input expecting \"()\"","hint":null,"message":"\"failed to parse select parameter (title.count)\" (line 1, column 12)"}
    "#);
}

#[tokio::test]
async fn inside_embeds_and_grouped_by_them() {
    let shown = api()
        .await
        .show([
            get("/directors?select=id,films(count(),year.max())&order=id"),
            get("/directors?select=id,films(details->>lang,count())&films.id=eq.1&id=eq.1"),
            get("/directors?select=id,films(count())&films.year=gt.2000&order=id"),
            get("/films?select=count(),directors(last_name)&id=lt.3"),
            get("/films?select=year.max(),actors(name)&actors.order=name&id=eq.1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /directors?select=id,films(count(),year.max())&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"films":[{"count":2,"max":2004}]},{"id":2,"films":[{"count":1,"max":2010}]},{"id":3,"films":[{"count":0,"max":null}]}]

    GET /directors?select=id,films(details->>lang,count())&films.id=eq.1&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"films":[{"lang":"sv","count":1}]}]

    GET /directors?select=id,films(count())&films.year=gt.2000&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"films":[{"count":1}]},{"id":2,"films":[{"count":1}]},{"id":3,"films":[{"count":0}]}]

    GET /films?select=count(),directors(last_name)&id=lt.3
    = 200 | content-range: 0-0/*
    [{"count":2,"directors":{"last_name": "Lind"}}]

    GET /films?select=year.max(),actors(name)&actors.order=name&id=eq.1
    = 200 | content-range: 0-0/*
    [{"max":1999,"actors":[{"name": "Dag"}, {"name": "Eva"}]}]
    "#);
}

#[tokio::test]
async fn of_to_one_spreads_they_are_the_parents() {
    let shown = api()
        .await
        .show([
            get("/films?select=year.max(),...directors(last_name)&year=lt.2015&order=directors(last_name)"),
            get("/orders?select=...directors!orders_billing_fkey(last_name.max(),last_name.min(),makers:count())"),
            get("/roles?select=actor_id,...films(year.min(),...directors(last_name.max(),directed:count()))&order=actor_id"),
            get("/films?select=count(),...directors(*)&directors=not.is.null&id=lt.3"),
            get("/directors?select=id,roles:films(...technical_specs(runtime.max()))&order=id"),
            get("/directors?select=id,...films(count())"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=year.max(),...directors(last_name)&year=lt.2015&order=directors(last_name)
    = 200 | content-range: 0-1/*
    [{"max":2010,"last_name":"Ek"},{"max":2004,"last_name":"Lind"}]

    GET /orders?select=...directors!orders_billing_fkey(last_name.max(),last_name.min(),makers:count())
    = 200 | content-range: 0-0/*
    [{"max":"Lind","min":"Lind","makers":1}]

    GET /roles?select=actor_id,...films(year.min(),...directors(last_name.max(),directed:count()))&order=actor_id
    = 200 | content-range: 0-1/*
    [{"actor_id":1,"min":1999,"max":"Lind","directed":1},{"actor_id":2,"min":1999,"max":"Lind","directed":2}]

    GET /films?select=count(),...directors(*)&directors=not.is.null&id=lt.3
    = 200 | content-range: 0-0/*
    [{"count":2,"id":1,"first_name":"Ada","last_name":"Lind"}]

    GET /directors?select=id,roles:films(...technical_specs(runtime.max()))&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"roles":[{"max":"2:00"}]},{"id":2,"roles":[{"max":"1:30"}]},{"id":3,"roles":[{"max":null}]}]

    GET /directors?select=id,...films(count())
    = 400
    {"code":"PGRST127","details":"Aggregates are not implemented for one-to-many or many-to-many spreads.","hint":null,"message":"Feature not implemented"}
    "#);
}

#[tokio::test]
async fn of_what_was_written_and_called() {
    let shown = api()
        .await
        .show([
            post(
                "/items?select=count(),amount.sum()",
                r#"[{"amount": 1}, {"amount": 2}]"#,
            )
            .prefer("return=representation"),
            patch("/items?amount=lt.5&select=count()", r#"{"amount": 9}"#)
                .prefer("return=representation, handling=strict, max-affected=1"),
            get("/items?select=amount.sum()"),
            get("/rpc/films_of?director=1&select=count(),year.max()"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /items?select=count(),amount.sum()
      prefer: return=representation
      [{"amount": 1}, {"amount": 2}]
    = 201 | content-range: */* | preference-applied: return=representation
    [{"count":2,"sum":3}]

    PATCH /items?amount=lt.5&select=count()
      prefer: return=representation, handling=strict, max-affected=1
      {"amount": 9}
    = 400
    {"code":"PGRST124","details":"The query affects 2 rows","hint":null,"message":"Query result exceeds max-affected preference constraint"}

    GET /items?select=amount.sum()
    = 200 | content-range: 0-0/*
    [{"sum":3}]

    GET /rpc/films_of?director=1&select=count(),year.max()
    = 200 | content-range: 0-0/*
    [{"count":2,"max":2004}]
    "#);
}

#[tokio::test]
async fn unless_the_configuration_allows_them_they_are_refused() {
    let shown = Api::start()
        .await
        .show([
            get("/films?select=count()"),
            get("/directors?select=id,films(year.max())"),
            get("/films?select=...directors(id.max())"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=count()
    = 400
    {"code":"PGRST123","details":null,"hint":null,"message":"Use of aggregate functions is not allowed"}

    GET /directors?select=id,films(year.max())
    = 400
    {"code":"PGRST123","details":null,"hint":null,"message":"Use of aggregate functions is not allowed"}

    GET /films?select=...directors(id.max())
    = 400
    {"code":"PGRST123","details":null,"hint":null,"message":"Use of aggregate functions is not allowed"}
    "#);
}
