//! What the schema itself promises: helper functions, grants, generated policies.

use pg::sqlx;
use serde_json::json;

use crate::stage::{ANA, MustBe as _, Stage};

#[tokio::test]
async fn helper_functions_take_names_apart() {
    let stage = Stage::new().await;
    let pool = stage.db.admin_pool();
    let table: [(&str, &[&str], &str, &str); 5] = [
        ("a/b/c.tar.gz", &["a", "b"], "c.tar.gz", "gz"),
        ("c.txt", &[], "c.txt", "txt"),
        ("a/b", &["a"], "b", "b"),
        ("a/", &["a"], "", ""),
        ("", &[], "", ""),
    ];
    for (name, folders, file, extension) in table {
        let row: (Vec<String>, Option<String>, Option<String>) = sqlx::query_as(
            "select storage.foldername($1), storage.filename($1), storage.extension($1)",
        )
        .bind(name)
        .fetch_one(&pool)
        .await
        .expect("three values");
        let (folders_found, file_found, extension_found) = row;
        assert_eq!(folders_found, folders, "{name}");
        assert_eq!(file_found.unwrap_or_default(), file, "{name}");
        assert_eq!(extension_found.unwrap_or_default(), extension, "{name}");
    }
}

#[tokio::test]
async fn roles_of_the_api_have_no_way_around_row_level_security() {
    let stage = Stage::new().await;
    let privileges: Vec<(String, String, String)> = sqlx::query_as(
        "select r.rolname::text, c.relname::text, p.privilege
         from pg_roles r, pg_class c,
              unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'trigger',
                           'references']) p (privilege)
         where r.rolname in ('anon', 'authenticated', 'service_role')
           and c.relnamespace = 'storage'::regnamespace and c.relkind = 'r'
           and has_table_privilege(r.oid, c.oid, p.privilege)
           and not (c.relname in ('buckets', 'objects')
                    and p.privilege in ('select', 'insert', 'update', 'delete'))",
    )
    .fetch_all(&stage.db.admin_pool())
    .await
    .expect("privileges");
    assert_eq!(privileges, []);
    let unprotected: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class
         where relnamespace = 'storage'::regnamespace and relkind = 'r' and not relrowsecurity
           and relname <> 'schema_migrations'",
    )
    .fetch_all(&stage.db.admin_pool())
    .await
    .expect("tables");
    assert_eq!(unprotected, Vec::<String>::new());
}

#[tokio::test]
async fn a_token_without_a_uuid_for_a_subject_works() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let policy = "create policy theirs on storage.objects for all to authenticated
                  using (owner_id = auth.jwt() ->> 'sub')
                  with check (owner_id = auth.jwt() ->> 'sub')";
    stage.db.execute(policy).await;
    let token = stage.db.token(&json!({
        "role": "authenticated", "sub": "auth0|7", "aud": "authenticated",
        "iat": 1_700_000_000, "exp": 4_000_000_000_i64,
    }));
    stage.upload(&token, "docs/a", b"x").await.must_be(200);
    assert_eq!(
        stage
            .download(&token, "docs/a")
            .await
            .expect_status(200)
            .body,
        "x"
    );
    assert_eq!(stage.download(&stage.ana, "docs/a").await.status, 400);
}

#[tokio::test]
async fn public_alone_lets_nobody_list_or_write() {
    let stage = Stage::new().await;
    stage.bucket("site", json!({ "public": true })).await;
    stage
        .upload(&stage.admin, "site/a", b"x")
        .await
        .must_be(200);
    for token in [&stage.anon, &stage.ana] {
        assert_eq!(
            stage.upload(token, "site/b", b"x").await.json()["statusCode"],
            "403"
        );
        let listed = stage.service.post("/object/list/site").bearer(token);
        assert_eq!(
            listed.json(&json!({ "prefix": "" })).await.json(),
            json!([])
        );
        assert_eq!(
            stage.service.get("/bucket").bearer(token).await.json(),
            json!([])
        );
    }
}

#[tokio::test]
async fn one_public_file_opens_itself_and_not_its_bucket() {
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    for name in ["open", "closed"] {
        stage
            .upload(&stage.admin, &format!("docs/{name}"), b"x")
            .await
            .must_be(200);
    }
    stage
        .db
        .execute("update storage.objects set is_public = true where name = 'open'")
        .await;
    stage
        .service
        .get("/object/public/docs/open")
        .await
        .must_be(200);
    assert_eq!(
        stage.service.get("/object/public/docs/closed").await.status,
        400
    );
    let listed = stage.service.post("/object/list/docs").bearer(&stage.anon);
    let listed = listed.json(&json!({ "prefix": "" })).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let removed = stage
        .service
        .delete("/object/docs/open")
        .bearer(&stage.ana)
        .await;
    assert_eq!(
        removed.json()["code"],
        "NoSuchKey",
        "seen is not owned: {ANA}"
    );
}
