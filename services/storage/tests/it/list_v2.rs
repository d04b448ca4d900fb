//! Pages of what is under a prefix.

use serde_json::{Value, json};

use crate::stage::{MustBe as _, Stage};

async fn page(stage: &Stage, body: &Value) -> Value {
    let request = stage
        .service
        .post("/object/list-v2/docs")
        .bearer(&stage.admin);
    request.json(body).await.expect_status(200).json()
}

fn names(page: &Value, field: &str) -> Vec<String> {
    let entries = page[field].as_array().expect("a list").iter();
    entries
        .map(|entry| entry["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Every page, one after the other: the names of each, folders first.
async fn pages(stage: &Stage, mut body: Value) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let page = page(stage, &body).await;
        pages.push([names(&page, "folders"), names(&page, "objects")].concat());
        assert_eq!(
            page["hasNext"].as_bool(),
            Some(page["nextCursor"].is_string())
        );
        if page["hasNext"] == json!(false) {
            return pages;
        }
        body["cursor"] = page["nextCursor"].clone();
    }
}

async fn filled() -> Stage {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    for name in ["a", "b/1", "b/2", "b/c/3", "b0", "d/4", "e"] {
        let path = format!("docs/{name}");
        stage.upload(&stage.admin, &path, b"x").await.must_be(200);
    }
    stage
}

#[tokio::test]
async fn every_name_comes_once_whatever_the_page_and_the_order() {
    let stage = filled().await;
    let all = ["a", "b/1", "b/2", "b/c/3", "b0", "d/4", "e"];
    let folded = ["a", "b/", "b0", "d/", "e"];
    let mut backwards = all.to_vec();
    backwards.reverse();
    for limit in 1..9 {
        let flat = pages(&stage, json!({ "limit": limit })).await;
        assert_eq!(flat.concat(), all, "{limit}");
        assert!(flat.iter().all(|page| page.len() <= limit));
        let desc = json!({ "limit": limit, "sortBy": { "column": "name", "order": "desc" } });
        assert_eq!(pages(&stage, desc).await.concat(), backwards, "{limit}");
        let mut names = pages(&stage, json!({ "limit": limit, "with_delimiter": true }))
            .await
            .concat();
        names.sort();
        assert_eq!(names, folded, "{limit}");
        for column in ["created_at", "updated_at"] {
            for order in ["asc", "desc"] {
                let sort = json!({ "column": column, "order": order });
                let flat = pages(&stage, json!({ "limit": limit, "sortBy": sort })).await;
                let expected = if order == "asc" {
                    all.to_vec()
                } else {
                    backwards.clone()
                };
                assert_eq!(flat.concat(), expected, "{limit} {column} {order}");
                let body = json!({ "limit": limit, "sortBy": sort, "with_delimiter": true });
                let mut names = pages(&stage, body).await.concat();
                names.sort();
                assert_eq!(names, folded, "{limit} {column} {order}");
            }
        }
    }
}

#[tokio::test]
async fn a_prefix_is_any_beginning() {
    let stage = filled().await;
    let page = page(&stage, &json!({ "prefix": "b/", "with_delimiter": true })).await;
    assert_eq!(names(&page, "folders"), ["b/c/"]);
    assert_eq!(names(&page, "objects"), ["b/1", "b/2"]);
    assert_eq!(page["objects"][0]["metadata"]["size"], json!(1));
    let page = self::page(&stage, &json!({ "prefix": "b" })).await;
    assert_eq!(names(&page, "objects"), ["b/1", "b/2", "b/c/3", "b0"]);
}

#[tokio::test]
async fn what_cannot_be_a_page_is_refused() {
    let stage = filled().await;
    for body in [
        json!({ "limit": 0 }),
        json!({ "cursor": "!" }),
        json!({ "cursor": "e30" }),
        json!({ "sortBy": { "column": "owner" } }),
    ] {
        let request = stage
            .service
            .post("/object/list-v2/docs")
            .bearer(&stage.admin);
        request.json(&body).await.must_be(400);
    }
}
