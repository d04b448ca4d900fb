//! Pages of other origins.

use axum::body::Body;
use http::{Method, StatusCode};

use crate::stage::{PLACES, Place, Stage};

const PREFLIGHT: [(&str, &str); 3] = [
    ("origin", "https://app.example"),
    ("access-control-request-method", "POST"),
    (
        "access-control-request-headers",
        "apikey,authorization,x-client-info,x-anything",
    ),
];

#[tokio::test]
async fn a_preflight_needs_no_key_anywhere() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        for path in [
            "/auth/v1/token",
            "/rest/v1/todos",
            "/realtime/v1/api/broadcast",
            "/storage/v1/object/b/f",
            "/functions/v1/hello",
            "/graphql/v1",
            "/api/v1/tables",
            "/health",
            "/nothing",
        ] {
            let reply = stage
                .ask(Method::OPTIONS, path, &PREFLIGHT, Body::empty())
                .await;
            assert_eq!(reply.status, StatusCode::NO_CONTENT, "{place:?} {path}");
            assert_eq!(
                reply.header("access-control-allow-origin"),
                Some("*"),
                "{path}"
            );
            assert_eq!(
                reply.header("access-control-allow-headers"),
                Some(PREFLIGHT[2].1)
            );
            let methods = reply
                .header("access-control-allow-methods")
                .expect("methods");
            assert!(methods.contains("PATCH"), "{methods}");
            assert_eq!(reply.header("access-control-allow-credentials"), None);
            assert!(reply.body.is_empty());
        }
    }
}

#[tokio::test]
async fn answers_and_refusals_can_be_read_by_any_page() {
    let stage = Stage::new(Place::InProcess, &[]).await;
    for path in ["/rest/v1/todos", "/nothing"] {
        let reply = stage.get(path).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        let exposed = reply
            .header("access-control-expose-headers")
            .expect("names");
        for name in [
            "content-range",
            "etag",
            "location",
            "preference-applied",
            "x-request-id",
        ] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}");
        }
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn listed_origins_are_echoed_and_others_left_out() {
    let changes = [(
        "CORS_ALLOWED_ORIGINS",
        "https://app.example,http://localhost:3000",
    )];
    let stage = Stage::new(Place::InProcess, &changes).await;
    let key = stage.keys.anon.as_str();
    for (origin, allowed) in [
        (Some("https://app.example"), true),
        (Some("http://localhost:3000"), true),
        (Some("https://app.example.evil"), false),
        (Some("https://APP.example"), false),
        (Some("null"), false),
        (None, false),
    ] {
        let mut headers = vec![("apikey", key)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let reply = stage
            .ask(Method::GET, "/rest/v1/t", &headers, Body::empty())
            .await;
        let expected = origin.filter(|_| allowed);
        assert_eq!(
            reply.header("access-control-allow-origin"),
            expected,
            "{origin:?}"
        );
        assert_eq!(reply.header("vary"), Some("origin"), "{origin:?}");
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    let evil = [("origin", "https://evil.example"), PREFLIGHT[1]];
    let reply = stage
        .ask(Method::OPTIONS, "/rest/v1/t", &evil, Body::empty())
        .await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_function_s_own_answer_to_a_page_stands() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        for (method, headers) in [
            (Method::OPTIONS, &PREFLIGHT[..]),
            (Method::GET, &PREFLIGHT[..1]),
        ] {
            let reply = stage
                .ask(method, "/functions/v1/cors", headers, Body::empty())
                .await;
            let origins: Vec<_> = reply
                .headers
                .get_all("access-control-allow-origin")
                .iter()
                .collect();
            assert_eq!(origins, ["https://function.example"], "{place:?}");
            assert_eq!(reply.header("access-control-allow-headers"), Some("x-mine"));
            assert_eq!(reply.body, "mine");
        }
    }
}
