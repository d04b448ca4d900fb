use crate::api::{Api, get};

/// Views of tables, of views, and of a table that is not exposed.
const VIEWS: &str = "
    create view film_list as select id as film, title, director_id as maker from films;
    create view film_titles as select s.film, s.title from (select * from film_list) s;
    create view makers as with m as (select * from directors) select id, last_name from m;
    create view director_names as select last_name from directors;
    create view counted as
        select d.id, (select count(*) from films f where f.director_id = d.id) as films
          from directors d;
    create table private_data.awards (
        id int primary key,
        film_id int references films
    );
    insert into private_data.awards values (1, 2);
    grant usage on schema private_data to service_role;
    grant select on private_data.awards to service_role;
    create view awards as select id, film_id from private_data.awards;
";

#[tokio::test]
async fn a_view_has_the_relationships_of_its_tables() {
    let api = Api::start().await;
    api.db.execute(VIEWS).await;
    let token = api.db.service_token();
    api.until(
        |api| api.service.get("/awards?select=id").bearer(token),
        |response| response.status == 200,
    )
    .await;
    let shown = api
        .show([
            get("/film_list?select=film,directors(last_name)&order=film"),
            get("/directors?select=id,film_list(title)&film_list.order=film&order=id"),
            get("/film_list?select=film,makers(last_name)&order=film"),
            get("/film_titles?select=title,actors(name)&actors.order=name&order=film&limit=2"),
            get("/film_titles?select=film,technical_specs(runtime)&order=film&limit=2"),
            get("/makers?select=last_name,films(title)&id=eq.2"),
            get("/counted?select=id,films,film_list(film)&id=eq.1&film_list.order=film"),
            get("/awards?select=id,films(title)"),
            get("/films?select=id,awards(id)&id=eq.2"),
            get("/films?select=id,directors!director_id(last_name),director_id(last_name)&id=eq.1"),
            get("/director_names?select=last_name,films(id)"),
            get("/film_titles?select=film,directors(id)"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /film_list?select=film,directors(last_name)&order=film
    = 200 | content-range: 0-3/*
    [{"film":1,"directors":{"last_name":"Lind"}},{"film":2,"directors":{"last_name":"Lind"}},{"film":3,"directors":{"last_name":"Ek"}},{"film":4,"directors":null}]

    GET /directors?select=id,film_list(title)&film_list.order=film&order=id
    = 200 | content-range: 0-2/*
    [{"id":1,"film_list":[{"title":"Northern"},{"title":"Southern"}]},{"id":2,"film_list":[{"title":"Eastern"}]},{"id":3,"film_list":[]}]

    GET /film_list?select=film,makers(last_name)&order=film
    = 200 | content-range: 0-3/*
    [{"film":1,"makers":{"last_name":"Lind"}},{"film":2,"makers":{"last_name":"Lind"}},{"film":3,"makers":{"last_name":"Ek"}},{"film":4,"makers":null}]

    GET /film_titles?select=title,actors(name)&actors.order=name&order=film&limit=2
    = 200 | content-range: 0-1/*
    [{"title":"Northern","actors":[{"name":"Dag"},{"name":"Eva"}]},{"title":"Southern","actors":[{"name":"Eva"}]}]

    GET /film_titles?select=film,technical_specs(runtime)&order=film&limit=2
    = 200 | content-range: 0-1/*
    [{"film":1,"technical_specs":{"runtime":"2:00"}},{"film":2,"technical_specs":null}]

    GET /makers?select=last_name,films(title)&id=eq.2
    = 200 | content-range: 0-0/*
    [{"last_name":"Ek","films":[{"title":"Eastern"}]}]

    GET /counted?select=id,films,film_list(film)&id=eq.1&film_list.order=film
    = 200 | content-range: 0-0/*
    [{"id":1,"films":2,"film_list":[{"film":1},{"film":2}]}]

    GET /awards?select=id,films(title)
    = 200 | content-range: 0-0/*
    [{"id":1,"films":{"title":"Southern"}}]

    GET /films?select=id,awards(id)&id=eq.2
    = 200 | content-range: 0-0/*
    [{"id":2,"awards":[{"id":1}]}]

    GET /films?select=id,directors!director_id(last_name),director_id(last_name)&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1,"directors":{"last_name":"Lind"},"director_id":{"last_name":"Lind"}}]

    GET /director_names?select=last_name,films(id)
    = 400
    {"code":"PGRST200","details":"Searched for a foreign key relationship between 'director_names' and 'films' in the schema 'public', but no matches were found.","hint":"Perhaps you meant 'directors' instead of 'director_names'.","message":"Could not find a relationship between 'director_names' and 'films' in the schema cache"}

    GET /film_titles?select=film,directors(id)
    = 400
    {"code":"PGRST200","details":"Searched for a foreign key relationship between 'film_titles' and 'directors' in the schema 'public', but no matches were found.","hint":"Perhaps you meant 'actors' instead of 'directors'.","message":"Could not find a relationship between 'film_titles' and 'directors' in the schema cache"}
    "#);
}
