use crate::api::{Api, get, patch, post};

#[tokio::test]
async fn every_kind_of_relationship() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id,directors(last_name)&order=id"),
            get("/directors?select=id,films(title)&order=id"),
            get("/films?select=id,technical_specs(runtime)&order=id"),
            get("/technical_specs?select=runtime,films(title)&order=film_id"),
            get("/films?select=id,actors(name)&order=id"),
            get("/actors?select=name,films(title)&order=id"),
            get("/films?select=id,roles(character,actors(name))&id=eq.1"),
            get("/employees?select=name,manager_id(name)&order=id"),
            get("/employees?select=name,employees(name)&id=eq.1"),
            get("/directors?select=id,films(title,actors(name),technical_specs(*))&id=eq.1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id,directors(last_name)&order=id
    = 200 | content-range: 0-3/*
    [{"id":1,"directors":{"last_name":"Lind"}},{"id":2,"directors":{"last_name":"Lind"}},{"id":3,"directors":{"last_name":"Ek"}},{"id":4,"directors":null}]

    GET /directors?select=id,films(title)&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"films":[{"title":"Northern"},{"title":"Southern"}]},{"id":2,"films":[{"title":"Eastern"}]},{"id":3,"films":[]}]

    GET /films?select=id,technical_specs(runtime)&order=id
    = 200 | content-range: 0-3/*
    [{"id":1,"technical_specs":{"runtime":"2:00"}},{"id":2,"technical_specs":null},{"id":3,"technical_specs":{"runtime":"1:30"}},{"id":4,"technical_specs":null}]

    GET /technical_specs?select=runtime,films(title)&order=film_id
    = 200 | content-range: 0-1/*
    [{"runtime":"2:00","films":{"title":"Northern"}},{"runtime":"1:30","films":{"title":"Eastern"}}]

    GET /films?select=id,actors(name)&order=id
    = 200 | content-range: 0-3/*
    [{"id":1,"actors":[{"name":"Dag"},{"name":"Eva"}]},{"id":2,"actors":[{"name":"Eva"}]},{"id":3,"actors":[]},{"id":4,"actors":[]}]

    GET /actors?select=name,films(title)&order=id
    = 200 | content-range: 0-2/*
    [{"name":"Dag","films":[{"title":"Northern"}]},{"name":"Eva","films":[{"title":"Northern"},{"title":"Southern"}]},{"name":"Finn","films":[]}]

    GET /films?select=id,roles(character,actors(name))&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"roles":[{"character":"Hunter","actors":{"name":"Dag"}},{"character":"Widow","actors":{"name":"Eva"}}]}]

    GET /employees?select=name,manager_id(name)&order=id
    = 200 | content-range: 0-2/*
    [{"name":"Root","manager_id":null},{"name":"Left","manager_id":{"name":"Root"}},{"name":"Right","manager_id":{"name":"Root"}}]

    GET /employees?select=name,employees(name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"name":"Root","employees":[{"name":"Left"},{"name":"Right"}]}]

    GET /directors?select=id,films(title,actors(name),technical_specs(*))&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"films":[{"title":"Northern","actors":[{"name":"Dag"},{"name":"Eva"}],"technical_specs":{"film_id":1,"runtime":"2:00"}},{"title":"Southern","actors":[{"name":"Eva"}],"technical_specs":null}]}]
    "#);
}

#[tokio::test]
async fn aliases_hints_and_ambiguity() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id,made_by:directors(last_name)&id=eq.1"),
            get("/films?select=id,directors!films_director_fkey(last_name)&id=eq.1"),
            get("/films?select=id,directors!director_id(last_name)&id=eq.1"),
            get("/films?select=id,director_id(last_name)&id=eq.1"),
            get("/films?select=id,films_director_fkey(last_name)&id=eq.1"),
            get("/films?select=id,actors!roles(name)&id=eq.1"),
            get("/orders?select=id,directors(id)"),
            get("/orders?select=id,billing:directors!orders_billing_fkey(id),shipping:directors!shipping_id(id)"),
            get("/films?select=id,actor(name)"),
            get("/film?select=id"),
            get("/films?select=id,items(*)"),
            get("/films?select=id,directors!nosuch(*)"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id,made_by:directors(last_name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"made_by":{"last_name":"Lind"}}]

    GET /films?select=id,directors!films_director_fkey(last_name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"directors":{"last_name":"Lind"}}]

    GET /films?select=id,directors!director_id(last_name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"directors":{"last_name":"Lind"}}]

    GET /films?select=id,director_id(last_name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"director_id":{"last_name":"Lind"}}]

    GET /films?select=id,films_director_fkey(last_name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"films_director_fkey":{"last_name":"Lind"}}]

    GET /films?select=id,actors!roles(name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"actors":[{"name":"Dag"},{"name":"Eva"}]}]

    GET /orders?select=id,directors(id)
    = 300
    {"code":"PGRST201","details":[{"cardinality":"many-to-one","embedding":"orders with directors","relationship":"orders_billing_fkey using orders(billing_id) and directors(id)"},{"cardinality":"many-to-one","embedding":"orders with directors","relationship":"orders_shipping_fkey using orders(shipping_id) and directors(id)"}],"hint":"Try changing 'directors' to one of the following: 'directors!orders_billing_fkey', 'directors!orders_shipping_fkey'. Find the desired relationship in the 'details' key.","message":"Could not embed because more than one relationship was found for 'orders' and 'directors'"}

    GET /orders?select=id,billing:directors!orders_billing_fkey(id),shipping:directors!shipping_id(id)
    = 200 | content-range: 0-0/*
    [{"id":1,"billing":{"id":1},"shipping":{"id":2}}]

    GET /films?select=id,actor(name)
    = 400
    {"code":"PGRST200","details":"Searched for a foreign key relationship between 'films' and 'actor' in the schema 'public', but no matches were found.","hint":"Perhaps you meant 'actors' instead of 'actor'.","message":"Could not find a relationship between 'films' and 'actor' in the schema cache"}

    GET /film?select=id
    = 404
    {"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'public.films'","message":"Could not find the table 'public.film' in the schema cache"}

    GET /films?select=id,items(*)
    = 400
    {"code":"PGRST200","details":"Searched for a foreign key relationship between 'films' and 'items' in the schema 'public', but no matches were found.","hint":"Perhaps you meant 'actors' instead of 'items'.","message":"Could not find a relationship between 'films' and 'items' in the schema cache"}

    GET /films?select=id,directors!nosuch(*)
    = 400
    {"code":"PGRST200","details":"Searched for a foreign key relationship between 'films' and 'directors' using the hint 'nosuch' in the schema 'public', but no matches were found.","hint":null,"message":"Could not find a relationship between 'films' and 'directors' in the schema cache"}
    "#);
}

#[tokio::test]
async fn joins_filters_order_and_limits_on_embeds() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id,directors!inner(last_name)&order=id"),
            get("/films?select=id,directors!inner(last_name)&directors.last_name=eq.Ek"),
            get("/films?select=id,directors(last_name)&directors.last_name=eq.Ek&order=id"),
            get("/directors?select=id,films!inner(id)&films.year=gt.2009"),
            get("/directors?select=id,films(id)&films.order=id.desc&films.limit=1&order=id"),
            get("/directors?select=id,films(id)&films.or=(id.eq.1,id.eq.3)&order=id"),
            get("/directors?select=id,films(id,actors(name))&films.actors.name=eq.Eva&id=eq.1"),
            get("/films?select=id,directors()&directors=is.null"),
            get("/films?select=id,directors(id)&directors=not.is.null&order=id"),
            get("/directors?select=id,films(id)&films=is.null"),
            get("/films?select=id,directors(id),technical_specs(film_id)&or=(directors.is.null,technical_specs.not.is.null)&order=id"),
            get("/films?select=id,directors(last_name)&order=directors(last_name).desc.nullslast,id"),
            get("/directors?select=id,films(id)&order=films(id)"),
            get("/films?select=id,directors(id)&directors=eq.1"),
            get("/films?select=id&directors.id=eq.1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id,directors!inner(last_name)&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"directors":{"last_name":"Lind"}},{"id":2,"directors":{"last_name":"Lind"}},{"id":3,"directors":{"last_name":"Ek"}}]

    GET /films?select=id,directors!inner(last_name)&directors.last_name=eq.Ek
    = 200 | content-range: 0-0/*
    [{"id":3,"directors":{"last_name":"Ek"}}]

    GET /films?select=id,directors(last_name)&directors.last_name=eq.Ek&order=id
    = 200 | content-range: 0-3/*
    [{"id":1,"directors":null},{"id":2,"directors":null},{"id":3,"directors":{"last_name":"Ek"}},{"id":4,"directors":null}]

    GET /directors?select=id,films!inner(id)&films.year=gt.2009
    = 200 | content-range: 0-0/*
    [{"id":2,"films":[{"id":3}]}]

    GET /directors?select=id,films(id)&films.order=id.desc&films.limit=1&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"films":[{"id":2}]},{"id":2,"films":[{"id":3}]},{"id":3,"films":[]}]

    GET /directors?select=id,films(id)&films.or=(id.eq.1,id.eq.3)&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"films":[{"id":1}]},{"id":2,"films":[{"id":3}]},{"id":3,"films":[]}]

    GET /directors?select=id,films(id,actors(name))&films.actors.name=eq.Eva&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"films":[{"id":1,"actors":[{"name":"Eva"}]},{"id":2,"actors":[{"name":"Eva"}]}]}]

    GET /films?select=id,directors()&directors=is.null
    = 200 | content-range: 0-0/*
    [{"id":4}]

    GET /films?select=id,directors(id)&directors=not.is.null&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"directors":{"id":1}},{"id":2,"directors":{"id":1}},{"id":3,"directors":{"id":2}}]

    GET /directors?select=id,films(id)&films=is.null
    = 200 | content-range: 0-0/*
    [{"id":3,"films":[]}]

    GET /films?select=id,directors(id),technical_specs(film_id)&or=(directors.is.null,technical_specs.not.is.null)&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"directors":{"id":1},"technical_specs":{"film_id":1}},{"id":3,"directors":{"id":2},"technical_specs":{"film_id":3}},{"id":4,"directors":null,"technical_specs":null}]

    GET /films?select=id,directors(last_name)&order=directors(last_name).desc.nullslast,id
    = 200 | content-range: 0-3/*
    [{"id":1,"directors":{"last_name":"Lind"}},{"id":2,"directors":{"last_name":"Lind"}},{"id":3,"directors":{"last_name":"Ek"}},{"id":4,"directors":null}]

    GET /directors?select=id,films(id)&order=films(id)
    = 400
    {"code":"PGRST118","details":"'directors' and 'films' do not form a many-to-one or one-to-one relationship","hint":null,"message":"A related order on 'films' is not possible"}

    GET /films?select=id,directors(id)&directors=eq.1
    = 400
    {"code":"PGRST120","details":"Only is null or not is null filters are allowed on embedded resources","hint":null,"message":"Bad operator on the 'directors' embedded resource"}

    GET /films?select=id&directors.id=eq.1
    = 400
    {"code":"PGRST108","details":null,"hint":"Verify that 'directors' is included in the 'select' query parameter.","message":"'directors' is not an embedded resource in this request"}
    "#);
}

#[tokio::test]
async fn spread_puts_columns_among_the_parents() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id,...directors(maker:last_name)&order=id"),
            get("/films?select=id,...directors(first_name,orders!orders_billing_fkey(id))&id=eq.1"),
            get("/technical_specs?select=runtime,...films(title,...directors(last_name))&order=film_id"),
            get("/directors?select=id,...films(titles:title,year,actors(name))&order=id&films.order=title.desc"),
            get("/films?select=id,...actors(actors:name)&order=id&actors.order=name&limit=2"),
            get("/directors?select=id,...films(title,...technical_specs(runtime),...actors(name))&id=eq.1&films.order=id"),
            get("/directors?select=id,...films!inner(title)&films.year=gt.2009"),
            get("/directors?select=id,...films()&films=is.null"),
            get("/films?select=id,...roles(character,...actors(name))&id=eq.1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id,...directors(maker:last_name)&order=id
    = 200 | content-range: 0-3/*
    [{"id":1,"maker":"Lind"},{"id":2,"maker":"Lind"},{"id":3,"maker":"Ek"},{"id":4,"maker":null}]

    GET /films?select=id,...directors(first_name,orders!orders_billing_fkey(id))&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"first_name":"Ada","orders":[{"id":1}]}]

    GET /technical_specs?select=runtime,...films(title,...directors(last_name))&order=film_id
    = 200 | content-range: 0-1/*
    [{"runtime":"2:00","title":"Northern","last_name":"Lind"},{"runtime":"1:30","title":"Eastern","last_name":"Ek"}]

    GET /directors?select=id,...films(titles:title,year,actors(name))&order=id&films.order=title.desc
    = 200 | content-range: 0-2/*
    [{"id":1,"titles":["Southern", "Northern"],"year":[2004, 1999],"actors":[[{"name":"Eva"}], [{"name":"Dag"},{"name":"Eva"}]]},{"id":2,"titles":["Eastern"],"year":[2010],"actors":[[]]},{"id":3,"titles":[],"year":[],"actors":[]}]

    GET /films?select=id,...actors(actors:name)&order=id&actors.order=name&limit=2
    = 200 | content-range: 0-1/*
    [{"id":1,"actors":["Dag", "Eva"]},{"id":2,"actors":["Eva"]}]

    GET /directors?select=id,...films(title,...technical_specs(runtime),...actors(name))&id=eq.1&films.order=id
    = 200 | content-range: 0-0/*
    [{"id":1,"title":["Northern", "Southern"],"runtime":["2:00", null],"name":[["Dag", "Eva"], ["Eva"]]}]

    GET /directors?select=id,...films!inner(title)&films.year=gt.2009
    = 200 | content-range: 0-0/*
    [{"id":2,"title":["Eastern"]}]

    GET /directors?select=id,...films()&films=is.null
    = 200 | content-range: 0-0/*
    [{"id":3}]

    GET /films?select=id,...roles(character,...actors(name))&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"character":["Hunter", "Widow"],"name":["Dag", "Eva"]}]
    "#);
}

#[tokio::test]
async fn what_was_written_can_be_embedded() {
    let api = Api::start().await;
    let shown = api
        .show([
            post(
                "/films?select=title,directors(last_name)",
                r#"{"id": 9, "title": "New", "director_id": 2}"#,
            )
            .prefer("return=representation"),
            patch("/films?id=eq.9&select=id,directors(id),actors(name)", r#"{"director_id": 1}"#)
                .prefer("return=representation"),
            get("/rpc/films_of?director=1&select=title,directors(last_name),actors(name)&actors.order=name"),
            get("/rpc/films_of?director=1&select=id&year=gt.2000"),
            get("/rpc/films_of?director=1&select=id&order=id.desc"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    POST /films?select=title,directors(last_name)
      prefer: return=representation
      {"id": 9, "title": "New", "director_id": 2}
    = 201 | content-range: */* | preference-applied: return=representation
    [{"title":"New","directors":{"last_name":"Ek"}}]

    PATCH /films?id=eq.9&select=id,directors(id),actors(name)
      prefer: return=representation
      {"director_id": 1}
    = 200 | content-range: 0-0/* | preference-applied: return=representation
    [{"id":9,"directors":{"id":1},"actors":[]}]

    GET /rpc/films_of?director=1&select=title,directors(last_name),actors(name)&actors.order=name
    = 200 | content-range: 0-2/*
    [{"title":"Northern","directors":{"last_name":"Lind"},"actors":[{"name":"Dag"},{"name":"Eva"}]},{"title":"Southern","directors":{"last_name":"Lind"},"actors":[{"name":"Eva"}]},{"title":"New","directors":{"last_name":"Lind"},"actors":[]}]

    GET /rpc/films_of?director=1&select=id&year=gt.2000
    = 200 | content-range: 0-0/*
    [{"id":2}]

    GET /rpc/films_of?director=1&select=id&order=id.desc
    = 200 | content-range: 0-2/*
    [{"id":9},{"id":2},{"id":1}]
    "#);
}
