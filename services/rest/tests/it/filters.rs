use crate::api::{Api, get};

#[tokio::test]
async fn comparison_operators() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&id=eq.1"),
            get("/films?select=id&id=neq.1"),
            get("/films?select=id&year=gt.2004"),
            get("/films?select=id&year=gte.2004"),
            get("/films?select=id&year=lt.2004"),
            get("/films?select=id&year=lte.2004"),
            get("/films?select=id&year=not.lte.2004"),
            get("/films?select=id&rating=isdistinct.9.1"),
            get("/films?select=id&year=gt.2000&rating=lt.9"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=id&id=neq.1
    = 200 | content-range: 0-2/*
    [{"id":2},{"id":3},{"id":4}]

    GET /films?select=id&year=gt.2004
    = 200 | content-range: 0-1/*
    [{"id":3},{"id":4}]

    GET /films?select=id&year=gte.2004
    = 200 | content-range: 0-2/*
    [{"id":2},{"id":3},{"id":4}]

    GET /films?select=id&year=lt.2004
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=id&year=lte.2004
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&year=not.lte.2004
    = 200 | content-range: 0-1/*
    [{"id":3},{"id":4}]

    GET /films?select=id&rating=isdistinct.9.1
    = 200 | content-range: 0-2/*
    [{"id":1},{"id":2},{"id":3}]

    GET /films?select=id&year=gt.2000&rating=lt.9
    = 200 | content-range: 0-0/*
    [{"id":2}]
    "#);
}

#[tokio::test]
async fn patterns_and_modifiers() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&title=like.*ern"),
            get("/films?select=id&title=ilike.NORTH*"),
            get("/films?select=id&title=match.^[NS]o"),
            get("/films?select=id&title=imatch.^e"),
            get("/films?select=id&title=like(any).{N*,E*}"),
            get("/films?select=id&title=like(all).{*o*,*ern}"),
            get("/films?select=id&id=eq(any).{1,4}"),
            get("/films?select=id&id=gt(all).{1,2}"),
            get("/films?select=id&id=not.eq(any).{1,4}"),
            get("/films?select=id&id=eq(some).{1}"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&title=like.*ern
    = 200 | content-range: 0-2/*
    [{"id":1},{"id":2},{"id":3}]

    GET /films?select=id&title=ilike.NORTH*
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=id&title=match.^[NS]o
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&title=imatch.^e
    = 200 | content-range: 0-0/*
    [{"id":3}]

    GET /films?select=id&title=like(any).{N*,E*}
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":3}]

    GET /films?select=id&title=like(all).{*o*,*ern}
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&id=eq(any).{1,4}
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":4}]

    GET /films?select=id&id=gt(all).{1,2}
    = 200 | content-range: 0-1/*
    [{"id":3},{"id":4}]

    GET /films?select=id&id=not.eq(any).{1,4}
    = 200 | content-range: 0-1/*
    [{"id":2},{"id":3}]

    GET /films?select=id&id=eq(some).{1}
    = 400
    {"code":"PGRST100","details":"unexpected \"s\" expecting \"any\" or \"all\"","hint":null,"message":"\"failed to parse filter (eq(some).{1})\" (line 1, column 4)"}
    "#);
}

#[tokio::test]
async fn lists_and_is() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&id=in.(1,3)"),
            get("/films?select=id&title=in.(\"West (end), \\\"so\\\"\",Northern)"),
            get("/films?select=id&title=in.()"),
            get("/films?select=id&id=not.in.(1,3)"),
            get("/films?select=id&rating=is.null"),
            get("/films?select=id&rating=not.is.null"),
            get("/films?select=id&rating=is.not_null"),
            get("/events?select=id&done=is.true"),
            get("/events?select=id&done=is.FALSE"),
            get("/events?select=id&done=is.unknown"),
            get("/events?select=id&done=is.nothing"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&id=in.(1,3)
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":3}]

    GET /films?select=id&title=in.("West (end), \"so\"",Northern)
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":4}]

    GET /films?select=id&title=in.()
    = 200 | content-range: */*
    []

    GET /films?select=id&id=not.in.(1,3)
    = 200 | content-range: 0-1/*
    [{"id":2},{"id":4}]

    GET /films?select=id&rating=is.null
    = 200 | content-range: 0-0/*
    [{"id":3}]

    GET /films?select=id&rating=not.is.null
    = 200 | content-range: 0-2/*
    [{"id":1},{"id":2},{"id":4}]

    GET /films?select=id&rating=is.not_null
    = 200 | content-range: 0-2/*
    [{"id":1},{"id":2},{"id":4}]

    GET /events?select=id&done=is.true
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /events?select=id&done=is.FALSE
    = 200 | content-range: 0-0/*
    [{"id":2}]

    GET /events?select=id&done=is.unknown
    = 200 | content-range: 0-0/*
    [{"id":3}]

    GET /events?select=id&done=is.nothing
    = 400
    {"code":"PGRST100","details":"unexpected \"n\" expecting isVal: (null, not_null, true, false, unknown)","hint":null,"message":"\"failed to parse filter (is.nothing)\" (line 1, column 4)"}
    "#);
}

#[tokio::test]
async fn arrays_ranges_and_text_search() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&tags=cs.{drama}"),
            get("/films?select=id&tags=cs.{\"snow, ice\"}"),
            get("/films?select=id&tags=cd.{drama,comedy}"),
            get("/films?select=id&tags=ov.{comedy,\"snow, ice\"}"),
            get("/films?select=id&details=cs.{\"lang\":\"en\"}"),
            get("/events?select=id&during=cs.[2020-01-15,2020-01-20)"),
            get("/events?select=id&during=sl.[2020-03-01,2020-04-01)"),
            get("/events?select=id&during=sr.[2020-03-01,2020-04-01)"),
            get("/events?select=id&during=nxr.[2020-01-01,2020-03-01)"),
            get("/events?select=id&during=nxl.[2020-02-01,2020-03-01)"),
            get("/events?select=id&during=adj.[2020-03-01,2020-04-01)"),
            get("/events?select=id&vector=fts(english).fox%26!dog"),
            get("/events?select=id&vector=plfts(english).lazy dogs"),
            get("/events?select=id&vector=phfts(english).brown fox"),
            get("/events?select=id&vector=wfts(english).fox -dog"),
            get("/events?select=id&body=fts(english).foxes"),
            get("/events?select=id&vector=not.fts(english).fox"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&tags=cs.{drama}
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&tags=cs.{"snow, ice"}
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=id&tags=cd.{drama,comedy}
    = 200 | content-range: 0-2/*
    [{"id":2},{"id":3},{"id":4}]

    GET /films?select=id&tags=ov.{comedy,"snow, ice"}
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":4}]

    GET /films?select=id&details=cs.{"lang":"en"}
    = 200 | content-range: 0-1/*
    [{"id":2},{"id":4}]

    GET /events?select=id&during=cs.[2020-01-15,2020-01-20)
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /events?select=id&during=sl.[2020-03-01,2020-04-01)
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /events?select=id&during=sr.[2020-03-01,2020-04-01)
    = 200 | content-range: 0-0/*
    [{"id":3}]

    GET /events?select=id&during=nxr.[2020-01-01,2020-03-01)
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /events?select=id&during=nxl.[2020-02-01,2020-03-01)
    = 200 | content-range: 0-1/*
    [{"id":2},{"id":3}]

    GET /events?select=id&during=adj.[2020-03-01,2020-04-01)
    = 200 | content-range: 0-0/*
    [{"id":2}]

    GET /events?select=id&vector=fts(english).fox%26!dog
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /events?select=id&vector=plfts(english).lazy dogs
    = 200 | content-range: 0-0/*
    [{"id":2}]

    GET /events?select=id&vector=phfts(english).brown fox
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /events?select=id&vector=wfts(english).fox -dog
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /events?select=id&body=fts(english).foxes
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":3}]

    GET /events?select=id&vector=not.fts(english).fox
    = 200 | content-range: 0-0/*
    [{"id":2}]
    "#);
}

#[tokio::test]
async fn boolean_trees() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&or=(id.eq.1,id.eq.4)"),
            get("/films?select=id&and=(id.gt.1,id.lt.4)"),
            get("/films?select=id&or=(id.eq.1,and(year.gt.2000,rating.lt.7))"),
            get("/films?select=id&or=(id.eq.1,not.and(year.gt.2000,id.gt.0))"),
            get("/films?select=id&not.or=(id.eq.1,id.eq.2)"),
            get("/films?select=id&or=(title.eq.\"West (end), \\\"so\\\"\",id.in.(2,3))"),
            get("/films?select=id&or=(tags.cs.{drama,\"snow, ice\"},id.eq.4)"),
            get("/films?select=id&or=( id.eq.1 , id.not.is.null )&id=lt.3"),
            get("/films?select=id&or=()"),
            get("/films?select=id&or=(id.eq.1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&or=(id.eq.1,id.eq.4)
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":4}]

    GET /films?select=id&and=(id.gt.1,id.lt.4)
    = 200 | content-range: 0-1/*
    [{"id":2},{"id":3}]

    GET /films?select=id&or=(id.eq.1,and(year.gt.2000,rating.lt.7))
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&or=(id.eq.1,not.and(year.gt.2000,id.gt.0))
    = 200 | content-range: 0-0/*
    [{"id":1}]

    GET /films?select=id&not.or=(id.eq.1,id.eq.2)
    = 200 | content-range: 0-1/*
    [{"id":3},{"id":4}]

    GET /films?select=id&or=(title.eq."West (end), \"so\"",id.in.(2,3))
    = 200 | content-range: 0-2/*
    [{"id":2},{"id":3},{"id":4}]

    GET /films?select=id&or=(tags.cs.{drama,"snow, ice"},id.eq.4)
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":4}]

    GET /films?select=id&or=( id.eq.1 , id.not.is.null )&id=lt.3
    = 200 | content-range: 0-1/*
    [{"id":1},{"id":2}]

    GET /films?select=id&or=()
    = 400
    {"code":"PGRST100","details":"unexpected \")\" expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse logic tree (())\" (line 1, column 2)"}

    GET /films?select=id&or=(id.eq.1
    = 400
    {"code":"PGRST100","details":"unexpected end of input expecting \")\"","hint":null,"message":"\"failed to parse logic tree ((id.eq.1)\" (line 1, column 9)"}
    "#);
}

#[tokio::test]
async fn a_filter_is_never_sql() {
    let api = Api::start().await;
    let shown = api
        .show([
            get("/films?select=id&title=eq.'; drop table films; --"),
            get("/films?select=id&id=in.(1); drop table films"),
            get("/films?select=id&\"id\\\" = 1; drop table films; --\"=eq.1"),
            get("/films?select=id::int);drop"),
            get("/films?select=id::int) from pg_user"),
            get("/films?select=id::nosuchtype"),
            get("/films?select=id&order=id;drop"),
            get("/films?select=id&limit=1;drop table films"),
            get("/films?select=id&title=fts(english'::regconfig).x"),
            get("/films?select=count&id=eq.1"),
            get("/films?select=id&id=eq.1"),
        ])
        .await;
    insta::assert_snapshot!(shown, @r#"
    GET /films?select=id&title=eq.'; drop table films; --
    = 200 | content-range: */*
    []

    GET /films?select=id&id=in.(1); drop table films
    = 400
    {"code":"PGRST100","details":"unexpected \";\" expecting end of input","hint":null,"message":"\"failed to parse filter (in.(1); drop table films)\" (line 1, column 7)"}

    GET /films?select=id&"id\" = 1; drop table films; --"=eq.1
    = 400
    {"code":"PGRST100","details":"unexpected end of input expecting \"\\\"\"","hint":null,"message":"\"failed to parse tree path (\"id\\\" )\" (line 1, column 7)"}

    GET /films?select=id::int);drop
    = 400
    {"code":"PGRST100","details":"unexpected \")\" expecting end of input","hint":null,"message":"\"failed to parse select parameter (id::int);drop)\" (line 1, column 8)"}

    GET /films?select=id::int) from pg_user
    = 400
    {"code":"PGRST100","details":"unexpected \")\" expecting end of input","hint":null,"message":"\"failed to parse select parameter (id::int) from pg_user)\" (line 1, column 8)"}

    GET /films?select=id::nosuchtype
    = 400
    {"code":"42704","details":null,"hint":null,"message":"type \"nosuchtype\" does not exist"}

    GET /films?select=id&order=id;drop
    = 400
    {"code":"PGRST100","details":"unexpected \";\" expecting delimiter (.), \",\" or end of input","hint":null,"message":"\"failed to parse order (id;drop)\" (line 1, column 3)"}

    GET /films?select=id&limit=1;drop table films
    = 200 | content-range: 0-3/*
    [{"id":1},{"id":2},{"id":3},{"id":4}]

    GET /films?select=id&title=fts(english'::regconfig).x
    = 400
    {"code":"PGRST100","details":"unexpected \"'\" expecting \")\"","hint":null,"message":"\"failed to parse filter (fts(english'::regconfig).x)\" (line 1, column 12)"}

    GET /films?select=count&id=eq.1
    = 200 | content-range: 0-0/*
    [{"count":1}]

    GET /films?select=id&id=eq.1
    = 200 | content-range: 0-0/*
    [{"id":1}]
    "#);
}
