//! The gateway's own pages.

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::json;

use crate::stage::{PLACES, PUBLISHABLE, Place, SECRET, SERVICES, Stage, eventually};

#[tokio::test]
async fn pages_need_no_key_and_say_what_is_up() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let page = async |path: &str| stage.ask(Method::GET, path, &[], Body::empty()).await;
        assert_eq!(page("/").await.json()["name"], "SelfDB");
        assert_eq!(page("/live").await.json(), json!({ "status": "live" }));
        for path in ["/health", "/ready", "/api/v1/health", "/api/v1/health/db"] {
            let reply = page(path).await;
            assert_eq!(reply.status, StatusCode::OK, "{place:?} {path}");
            assert_eq!(reply.json()["status"], "ok");
            for service in SERVICES {
                assert_eq!(reply.json()["services"][service], "ok", "{place:?}");
            }
        }
        let posted = stage.ask(Method::POST, "/health", &[], "{}").await;
        assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn a_service_that_is_gone_shows() {
    let stage = Stage::new(Place::Elsewhere, &[]).await;
    stage.services[3].kill();
    let report = eventually(async || {
        let reply = stage.ask(Method::GET, "/health", &[], Body::empty()).await;
        (reply.status == StatusCode::SERVICE_UNAVAILABLE).then(|| reply.json())
    });
    let report = report.await;
    assert_eq!(report["services"]["storage"], "unavailable");
    assert_eq!(report["services"]["rest"], "ok");
}

#[tokio::test]
async fn metrics_are_for_the_service_role_only() {
    common::metrics::install();
    let stage = Stage::new(Place::InProcess, &[]).await;
    assert_eq!(stage.get("/rest/v1/todos").await.status, StatusCode::OK);
    let keys = &stage.keys;
    let bearer = |token: &str| format!("Bearer {token}");
    let refused = [
        ("apikey", keys.anon.clone()),
        ("apikey", PUBLISHABLE.to_owned()),
        ("apikey", keys.user.clone()),
        ("authorization", bearer(&keys.anon)),
        ("authorization", bearer(&keys.user)),
        ("authorization", bearer("garbage")),
        ("x-nothing", String::new()),
    ];
    for (name, value) in &refused {
        let headers = [(*name, value.as_str())];
        let reply = stage
            .ask(Method::GET, "/metrics", &headers, Body::empty())
            .await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{name}: {value}");
    }
    let admitted = [
        ("apikey", keys.service_role.clone()),
        ("apikey", SECRET.to_owned()),
        ("authorization", bearer(&keys.service_role)),
        ("authorization", bearer(SECRET)),
    ];
    for (name, value) in &admitted {
        let headers = [(*name, value.as_str())];
        let reply = stage
            .ask(Method::GET, "/metrics", &headers, Body::empty())
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{name}");
        let text = String::from_utf8(reply.body.to_vec()).expect("text");
        let counted = r#"selfdb_gateway_requests_total{service="rest",status="200"} 1"#;
        assert!(text.contains(counted), "{text}");
        assert!(
            text.contains("selfdb_gateway_request_duration_seconds_bucket"),
            "{text}"
        );
    }
}
