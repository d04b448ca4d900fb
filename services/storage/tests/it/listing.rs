//! Listing a folder.

use serde_json::{Value, json};

use crate::stage::{ANA, BEN, MustBe as _, OWN_FOLDERS, Stage, assert_refused};

async fn filled(keys: &[&str]) -> Stage {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    for key in keys {
        stage
            .upload(&stage.admin, &format!("docs/{key}"), b"x")
            .await
            .must_be(200);
    }
    stage
}

async fn entries(stage: &Stage, token: &str, body: Value) -> Vec<Value> {
    let request = stage.service.post("/object/list/docs").bearer(token);
    let listed = request.json(&body).await.expect_status(200).json();
    listed.as_array().expect("a list").clone()
}

async fn names(stage: &Stage, body: Value) -> Vec<String> {
    let entries = entries(stage, &stage.admin, body).await;
    let name = |entry: &Value| entry["name"].as_str().expect("a name").to_owned();
    entries.iter().map(name).collect()
}

#[tokio::test]
async fn folders_stand_among_files_without_an_id() {
    let stage = filled(&["b.txt", "a/1", "a/2", "a/deep/3", "a.txt", "c/4"]).await;
    let all = entries(&stage, &stage.admin, json!({ "prefix": "" })).await;
    let shape: Vec<(&str, bool)> = all
        .iter()
        .map(|entry| {
            (
                entry["name"].as_str().expect("a name"),
                entry["id"].is_null(),
            )
        })
        .collect();
    assert_eq!(
        shape,
        [("a.txt", false), ("a", true), ("b.txt", false), ("c", true)]
    );
    assert_eq!(all[1]["metadata"], Value::Null);
    assert_eq!(all[0]["metadata"]["size"], 1);
    assert_eq!(all[0]["metadata"]["mimetype"], "text/plain");

    for prefix in ["a", "a/"] {
        assert_eq!(
            names(&stage, json!({ "prefix": prefix })).await,
            ["1", "2", "deep"]
        );
    }
    assert_eq!(names(&stage, json!({ "prefix": "a/deep" })).await, ["3"]);
    assert_eq!(
        names(&stage, json!({ "prefix": "none" })).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn pages_follow_each_other_both_ways() {
    let keys: Vec<String> = (0..250).map(|n| format!("f{n:03}")).collect();
    let stage = filled(&[]).await;
    stage
        .db
        .execute(
            "insert into storage.objects (bucket_id, name)
             select 'docs', 'f' || lpad(n::text, 3, '0') from generate_series(0, 249) n
             union all
             select 'docs', 'f100folder/' || n from generate_series(1, 500) n",
        )
        .await;
    let mut expected = keys;
    expected.push("f100folder".to_owned());
    expected.sort();
    for order in ["asc", "desc"] {
        let mut seen = Vec::new();
        for offset in (0..260).step_by(30) {
            let sort = json!({ "column": "name", "order": order });
            let body = json!({ "prefix": "", "limit": 30, "offset": offset, "sortBy": sort });
            seen.extend(names(&stage, body).await);
        }
        assert_eq!(seen, expected, "{order}");
        expected.reverse();
    }
}

#[tokio::test]
async fn other_orders_put_folders_first() {
    let stage = filled(&["late", "x/1", "early", "w/1"]).await;
    stage
        .db
        .execute(
            "update storage.objects set created_at = now() - interval '1 day' where name = 'early'",
        )
        .await;
    let sorted =
        |order: &str| json!({ "prefix": "", "sortBy": { "column": "created_at", "order": order } });
    assert_eq!(
        names(&stage, sorted("asc")).await,
        ["w", "x", "early", "late"]
    );
    assert_eq!(
        names(&stage, sorted("desc")).await,
        ["w", "x", "late", "early"]
    );
    let page =
        json!({ "prefix": "", "limit": 2, "offset": 1, "sortBy": { "column": "updated_at" } });
    assert_eq!(names(&stage, page).await.len(), 2);
}

#[tokio::test]
async fn search_keeps_what_begins_with_it() {
    let stage = filled(&["Report.pdf", "reports/a", "other", "re_x", "rexx"]).await;
    let search = |text: &str| json!({ "prefix": "", "search": text });
    assert_eq!(
        names(&stage, search("rep")).await,
        ["Report.pdf", "reports"]
    );
    assert_eq!(names(&stage, search("re_")).await, ["re_x"], "no wildcards");
    assert_eq!(names(&stage, search("%")).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_caller_lists_what_policies_show() {
    let stage = filled(&[&format!("{ANA}/a"), &format!("{BEN}/b"), "loose"]).await;
    stage.db.execute(OWN_FOLDERS).await;
    let listed = entries(&stage, &stage.ana, json!({ "prefix": "" })).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["name"], json!(ANA));
    assert!(
        entries(&stage, &stage.anon, json!({ "prefix": "" }))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn nonsense_is_refused() {
    let stage = filled(&[]).await;
    for body in [
        json!({ "prefix": "", "limit": 0 }),
        json!({ "prefix": "", "offset": -1 }),
        json!([]),
    ] {
        let request = stage.service.post("/object/list/docs").bearer(&stage.admin);
        assert_refused(&request.json(&body).await, "400", "InvalidRequest");
    }
}
