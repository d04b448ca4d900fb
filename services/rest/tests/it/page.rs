//! The page to try the API with.

use crate::api::Api;

#[tokio::test]
async fn the_page_has_its_own_files_and_nothing_else() {
    let api = Api::start().await;
    let page = api.service.get("/-/").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    let text = page.text();
    // What it loads is there, and nothing stands inline.
    let loaded: Vec<&str> = ["href=\"", "src=\""]
        .into_iter()
        .flat_map(|name| text.split(name).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(loaded, ["page.css", "page.js"]);
    for inline in [
        "<style",
        " style=",
        " onclick=",
        "javascript:",
        "http:",
        "https:",
    ] {
        assert!(!text.contains(inline), "{inline}");
    }
    assert_eq!(text.matches("<script").count(), 1);
    for name in loaded {
        let file = api.service.get(&format!("/-/{name}")).await;
        assert_eq!(file.status, 200, "{name}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    }
    // Every field has a label.
    for field in ["key", "resource", "method", "query", "body"] {
        assert!(text.contains(&format!("for=\"{field}\"")), "{field}");
        assert!(text.contains(&format!("id=\"{field}\"")), "{field}");
    }
}
