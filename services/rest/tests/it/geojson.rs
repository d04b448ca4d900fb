use pg::sqlx;

use crate::api::{Api, get, post};

const SHOPS: &str = "
    create extension postgis schema extensions;
    create table shops (id int primary key, address text, place extensions.geometry(point, 4326));
    insert into shops values
        (1, '1369 Cambridge St', 'SRID=4326;POINT(-71.10044 42.373695)'),
        (2, '757 Massachusetts Ave', 'SRID=4326;POINT(-71.10543 42.366432)');
    create function near(n int) returns setof shops language sql stable as
        $$ select * from shops order by id limit n $$;
";

#[tokio::test]
async fn rows_with_a_geometry_are_features() {
    let api = Api::start().await;
    let available = "select count(*) from pg_available_extensions where name = 'postgis'";
    let available: i64 = sqlx::query_scalar(available)
        .fetch_one(&api.db.admin_pool())
        .await
        .unwrap();
    if available == 0 {
        eprintln!("PostGIS is not installed");
        return;
    }
    api.db.execute(SHOPS).await;
    let token = api.db.service_token();
    api.until(
        |api| api.service.get("/rpc/near?n=1").bearer(token),
        |response| response.status == 200,
    )
    .await;
    let geojson = "application/geo+json";
    let shown = api
        .show([
            get("/shops?id=eq.1").accept(geojson),
            get("/shops?select=address,place&order=id").accept(geojson),
            get("/shops?id=eq.9").accept(geojson),
            get("/rpc/near?n=1&select=place").accept(geojson),
            post(
                "/shops",
                r#"{"id": 3, "place": {"type": "Point", "coordinates": [1, 2]}}"#,
            )
            .prefer("return=representation")
            .accept(geojson),
            get("/shops?select=id&id=eq.1").accept(geojson),
            get("/shops?id=eq.1&select=place"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /shops?id=eq.1
      accept: application/geo+json
    = 200 | content-range: 0-0/*
    {"type" : "FeatureCollection", "features" : [{"type": "Feature", "geometry": {"type":"Point","coordinates":[-71.10044,42.373695]}, "properties": {"id": 1, "address": "1369 Cambridge St"}}]}

    GET /shops?select=address,place&order=id
      accept: application/geo+json
    = 200 | content-range: 0-1/*
    {"type" : "FeatureCollection", "features" : [{"type": "Feature", "geometry": {"type":"Point","coordinates":[-71.10044,42.373695]}, "properties": {"address": "1369 Cambridge St"}}, {"type": "Feature", "geometry": {"type":"Point","coordinates":[-71.10543,42.366432]}, "properties": {"address": "757 Massachusetts Ave"}}]}

    GET /shops?id=eq.9
      accept: application/geo+json
    = 200 | content-range: */*
    {"type" : "FeatureCollection", "features" : []}

    GET /rpc/near?n=1&select=place
      accept: application/geo+json
    = 200 | content-range: 0-0/*
    {"type" : "FeatureCollection", "features" : [{"type": "Feature", "geometry": {"type":"Point","coordinates":[-71.10044,42.373695]}, "properties": {}}]}

    POST /shops
      prefer: return=representation
      accept: application/geo+json
      {"id": 3, "place": {"type": "Point", "coordinates": [1, 2]}}
    = 201 | content-range: */* | preference-applied: return=representation
    {"type" : "FeatureCollection", "features" : [{"type": "Feature", "geometry": {"type":"Point","coordinates":[1,2]}, "properties": {"id": 3, "address": null}}]}

    GET /shops?select=id&id=eq.1
      accept: application/geo+json
    = 400
    {"code":"22023","details":null,"hint":null,"message":"geometry column is missing"}

    GET /shops?id=eq.1&select=place
    = 200 | content-range: 0-0/*
    [{"place":{"type":"Point","crs":{"type":"name","properties":{"name":"EPSG:4326"}},"coordinates":[-71.10044,42.373695]}}]
    "#);
    let response = api.ask(&get("/shops?limit=1").accept(geojson)).await;
    let content_type = response.header("content-type");
    assert_eq!(content_type, Some("application/geo+json; charset=utf-8"));
}

#[tokio::test]
async fn without_postgis_there_is_no_such_function() {
    let api = Api::start().await;
    let asked = get("/directors?id=eq.1").accept("application/geo+json");
    let shown = api.show([asked]).await;
    insta::assert_snapshot!(shown, @r#"
    GET /directors?id=eq.1
      accept: application/geo+json
    = 404
    {"code":"42883","details":null,"hint":"No function matches the given name and argument types. You might need to add explicit type casts.","message":"function st_asgeojson(record) does not exist"}
    "#);
}
