//! What a service sees of a request: the same, in process or elsewhere.

use axum::body::Body;
use http::{Method, StatusCode};

use crate::stage::{PLACES, Place, Stage};

#[tokio::test]
async fn each_route_leads_to_its_service() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        for (path, service, seen) in [
            (
                "/auth/v1/token?grant_type=password",
                "auth",
                "/token?grant_type=password",
            ),
            ("/auth/v1/verify?token=t", "auth", "/verify?token=t"),
            (
                "/rest/v1/todos?select=*&id=in.(1,2)",
                "rest",
                "/todos?select=*&id=in.(1,2)",
            ),
            ("/rest/v1/", "rest", "/"),
            ("/rest/v1", "rest", "/"),
            ("/rest/v1/rpc/f", "rest", "/rpc/f"),
            ("/rest/v1/na%20me%2F?a=%26", "rest", "/na%20me%2F?a=%26"),
            (
                "/rest/v1/../auth/v1/admin/users",
                "rest",
                "/../auth/v1/admin/users",
            ),
            ("/realtime/v1/api/broadcast", "realtime", "/api/broadcast"),
            (
                "/storage/v1/object/b/%2e%2e/f",
                "storage",
                "/object/b/%2e%2e/f",
            ),
            (
                "/functions/v1/hello/deep/path?x=1",
                "functions",
                "/hello/deep/path?x=1",
            ),
            ("/graphql/v1", "rest", "/rpc/graphql"),
            ("/sso/saml/metadata", "auth", "/sso/saml/metadata"),
            ("/api/v1/auth/login", "auth", "/api/v1/auth/login"),
            ("/api/v1/users/me", "auth", "/api/v1/users/me"),
            (
                "/api/v1/tables/t/data?page=1",
                "rest",
                "/api/v1/tables/t/data?page=1",
            ),
            (
                "/api/v1/buckets/public",
                "storage",
                "/api/v1/buckets/public",
            ),
            (
                "/api/v1/files/1/download-info",
                "storage",
                "/api/v1/files/1/download-info",
            ),
            (
                "/api/v1/functions/1/versions",
                "functions",
                "/api/v1/functions/1/versions",
            ),
        ] {
            let reply = stage.get(path).await;
            assert_eq!(reply.status, StatusCode::OK, "{place:?} {path}");
            let body = reply.json();
            assert_eq!(body["service"], service, "{place:?} {path}");
            let uri = body["uri"].as_str().expect("a URI").to_owned();
            assert_eq!(uri, seen, "{place:?} {path}");
        }
    }
}

#[tokio::test]
async fn every_method_is_handed_on() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let headers = [("apikey", stage.keys.anon.as_str())];
        for method in [
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ] {
            let reply = stage
                .ask(method.clone(), "/rest/v1/t", &headers, Body::empty())
                .await;
            assert_eq!(reply.json()["method"], method.as_str(), "{place:?}");
        }
        let reply = stage
            .ask(Method::HEAD, "/rest/v1/t", &headers, Body::empty())
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{place:?}");
        for method in [Method::TRACE, Method::CONNECT] {
            let stream = format!("{method} /rest/v1/t HTTP/1.1\r\nHost: x\r\n\r\n");
            let answer = crate::smuggling::exchange(&stage, stream.as_bytes()).await;
            let refused = answer.starts_with("HTTP/1.1 405") || answer.starts_with("HTTP/1.1 400");
            assert!(refused, "{place:?} {method}: {answer}");
        }
    }
}

#[tokio::test]
async fn services_are_told_whom_they_serve_and_nothing_a_client_made_up() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let headers = [
            ("apikey", stage.keys.anon.as_str()),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("x-selfdb-user", "admin"),
            ("x-internal-role", "service_role"),
            ("x-real-ip", "6.6.6.6"),
            (
                "connection",
                "keep-alive, x-forwarded-for, x-request-id, authorization, x-hop",
            ),
            ("x-hop", "1"),
            ("te", "trailers"),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
            ("x-client-info", "supabase-js/2"),
        ];
        let reply = stage
            .ask(Method::GET, "/rest/v1/todos", &headers, Body::empty())
            .await;
        let host = stage.address().to_string();
        assert_eq!(
            reply.received("x-forwarded-for").as_deref(),
            Some("127.0.0.1"),
            "{place:?}"
        );
        assert_eq!(
            reply.received("x-forwarded-host").as_deref(),
            Some(host.as_str())
        );
        assert_eq!(
            reply.received("host").as_deref(),
            Some(host.as_str()),
            "{place:?}"
        );
        assert_eq!(reply.received("x-forwarded-proto").as_deref(), Some("http"));
        assert_eq!(
            reply.received("x-forwarded-prefix").as_deref(),
            Some("/rest/v1")
        );
        assert_eq!(
            reply.received("traceparent").as_deref(),
            Some(headers[10].1)
        );
        assert_eq!(
            reply.received("x-client-info").as_deref(),
            Some("supabase-js/2")
        );
        for ours in ["authorization", "x-request-id"] {
            assert!(reply.received(ours).is_some(), "{place:?} {ours}");
        }
        for gone in [
            "x-selfdb-user",
            "x-internal-role",
            "x-real-ip",
            "x-hop",
            "te",
            "forwarded",
        ] {
            assert_eq!(reply.received(gone), None, "{place:?} {gone}");
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_tells_where_a_request_comes_from() {
    let stage = Stage::new(Place::Elsewhere, &[("TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let headers = [
        ("apikey", stage.keys.anon.as_str()),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.9"),
        ("x-forwarded-host", "db.example.org"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/base"),
    ];
    let path = "/storage/v1/upload/resumable";
    let reply = stage.ask(Method::POST, path, &headers, Body::empty()).await;
    assert_eq!(
        reply.received("x-forwarded-for").as_deref(),
        Some("203.0.113.9")
    );
    assert_eq!(
        reply.received("x-forwarded-host").as_deref(),
        Some("db.example.org")
    );
    assert_eq!(
        reply.received("x-forwarded-proto").as_deref(),
        Some("https")
    );
    assert_eq!(
        reply.received("x-forwarded-prefix").as_deref(),
        Some("/base/storage/v1")
    );
}

#[tokio::test]
async fn one_request_id_goes_in_and_comes_out() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let key = stage.keys.anon.clone();
        let with = |id: &'static str| [("apikey", key.clone()), ("x-request-id", id.to_owned())];
        for (sent, kept) in [("my-id_1.2", true), ("bad id", false), ("", false)] {
            let headers = with(sent);
            let headers = headers
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            let reply = stage
                .ask(Method::GET, "/rest/v1/t", &headers, Body::empty())
                .await;
            let answered = reply.header("x-request-id").expect("an id").to_owned();
            assert_eq!(
                reply.received("x-request-id"),
                Some(answered.clone()),
                "{place:?}"
            );
            assert_eq!(answered == sent, kept, "{place:?} {sent:?}");
        }
        let refused = stage.ask(
            Method::GET,
            "/rest/v1/t",
            &[("x-request-id", "mine")],
            Body::empty(),
        );
        assert_eq!(refused.await.header("x-request-id"), Some("mine"));
    }
}

#[tokio::test]
async fn graphql_is_a_function_of_its_own_schema() {
    let stage = Stage::new(Place::InProcess, &[]).await;
    let headers = [
        ("apikey", stage.keys.anon.as_str()),
        ("content-profile", "auth"),
    ];
    let reply = stage.ask(Method::POST, "/graphql/v1", &headers, "{}").await;
    assert_eq!(
        reply.received("content-profile").as_deref(),
        Some("graphql_public")
    );
    assert_eq!(
        reply.received("accept-profile").as_deref(),
        Some("graphql_public")
    );
}

#[tokio::test]
async fn what_no_route_matches_is_not_found() {
    let stage = Stage::new(Place::InProcess, &[]).await;
    for path in [
        "/nothing",
        "/rest/v2/todos",
        "/api/v1/nothing",
        "/storage/v1/api/v1/buckets",
    ] {
        let reply = stage.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.json()["code"], "route_not_found");
    }
}
