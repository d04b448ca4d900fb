//! What a function brings with it: packages, a configuration, files.

use std::os::unix::fs::PermissionsExt;

use http::Method;
use pg::sqlx;
use serde_json::{Value, json};

use crate::stage::{Functions, Stage, until};

#[tokio::test]
async fn a_configuration_of_its_own_maps_imports_and_makes_elements() {
    let functions = Stage::new()
        .file(
            "page/deno.json",
            r#"{ "imports": { "greet/": "./lib/", "shared": "../_shared/name.ts" },
                 "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }"#,
        )
        .file("page/lib/word.ts", "export const word = 'Hello';")
        .file("_shared/name.ts", "export const name = 'Ada';")
        .file(
            "page/view.tsx",
            "import { word } from 'greet/word.ts';
             import { name } from 'shared';
             const h = (tag: string, _: unknown, ...inside: string[]) => `<${tag}>${inside.join('')}</${tag}>`;
             export const view = () => <p>{word} {name}</p>;",
        )
        .file(
            "page/index.ts",
            "import { view } from './view.tsx';
             Deno.serve(() => new Response(String(view())));",
        )
        .file("mapped/import_map.json", r#"{ "imports": { "one": "./two.ts" } }"#)
        .file("mapped/two.ts", "export default 2;")
        .file("mapped/index.ts", "import two from 'one'; Deno.serve(() => Response.json(two));")
        .start()
        .await;
    assert_eq!(
        functions.get("/page").await.expect_status(200).text(),
        "<p>Hello Ada</p>"
    );
    assert_eq!(functions.json("/mapped").await, json!(2));
}

#[tokio::test]
async fn files_beside_the_code_can_be_read() {
    let functions = Stage::new()
        .file("site/page.html", "<h1>Hi</h1>")
        .file("site/data.json", r#"{ "a": 1 }"#)
        .file(
            "site/index.ts",
            "import data from './data.json' with { type: 'json' };
             const page = await Deno.readTextFile(new URL('./page.html', import.meta.url));
             Deno.serve(() => Response.json([page, data.a]));",
        )
        .start()
        .await;
    assert_eq!(functions.json("/site").await, json!(["<h1>Hi</h1>", 1]));
}

#[tokio::test]
async fn packages_are_fetched_once_and_read_by_the_function() {
    let functions = Stage::new()
        .file(
            "camel/index.ts",
            "import camelCase from 'npm:camelcase@8.0.0';
             Deno.serve(() => new Response(camelCase('foo-bar')));",
        )
        .file(
            "missing/index.ts",
            "import x from 'npm:a-package-that-nobody-has-published-7f3a'; Deno.serve(() => new Response(x));",
        )
        .start()
        .await;
    assert_eq!(
        functions.get("/camel").await.expect_status(200).text(),
        "fooBar"
    );
    let missing = functions.get("/missing").await.expect_status(503);
    assert_eq!(missing.json()["code"], "BOOT_ERROR");
}

#[tokio::test]
async fn a_projects_own_config_names_entries_and_switches_functions_off() {
    let functions = Stage::new()
        .file(
            "config.toml",
            "[functions.named]\nentrypoint = './functions/named/src/main.js'\n\
             [functions.single]\nentrypoint = './functions/other/single.tsx'\n\
             [functions.off]\nenabled = false\n\
             [functions.outside]\nentrypoint = '../../etc/passwd'\n\
             [functions.nowhere]\nentrypoint = './functions/nowhere/main.ts'\n",
        )
        .file(
            "named/src/main.js",
            "import { word } from '../word.js'; Deno.serve(() => Response.json(word));",
        )
        .file("named/word.js", "export const word = 'named';")
        .file(
            "other/single.tsx",
            "Deno.serve(() => Response.json('single'));",
        )
        .file("off/index.ts", "Deno.serve(() => Response.json('off'));")
        .start()
        .await;
    assert_eq!(functions.json("/named").await, json!("named"));
    assert_eq!(functions.json("/single").await, json!("single"));
    for name in ["off", "outside", "nowhere"] {
        let answer = functions.get(&format!("/{name}")).await.expect_status(404);
        assert_eq!(answer.json()["code"], "NOT_FOUND", "{name}");
    }
    functions
        .stage
        .write("config.toml", "[functions.off]\nenabled = true\n");
    until(|| async { (functions.get("/off").await.status == 200).then_some(()) }).await;
}

#[tokio::test]
async fn import_maps_and_files_elsewhere_count_where_the_config_names_them() {
    let entry = "import { word } from 'word'; Deno.serve(() => Response.json(word));";
    let functions = Stage::new()
        .file(
            "import_map.json",
            r#"{ "imports": { "word": "./_shared/common.ts" } }"#,
        )
        .file(
            "maps/other.json",
            r#"{ "imports": { "word": "../_shared/other.ts" } }"#,
        )
        .file("_shared/common.ts", "export const word = 'common';")
        .file("_shared/other.ts", "export const word = 'other';")
        .file("legacy/index.ts", entry)
        .file("named/index.ts", entry)
        .file(
            "named/deno.json",
            r#"{ "imports": { "word": "./own.ts" } }"#,
        )
        .file("named/own.ts", "export const word = 'own';")
        .file("own/index.ts", entry)
        .file("own/deno.json", r#"{ "imports": { "word": "./own.ts" } }"#)
        .file("own/own.ts", "export const word = 'own';")
        .file("texts/deep/a.txt", "from elsewhere")
        .file(
            "reads/index.ts",
            "const text = await Deno.readTextFile(new URL('../texts/deep/a.txt', import.meta.url));
             Deno.serve(() => Response.json(text));",
        )
        .file(
            "config.toml",
            "[functions.named]\nimport_map = './functions/maps/other.json'\n\
             [functions.reads]\nstatic_files = ['./functions/texts/**/*.txt']\n",
        )
        .start()
        .await;
    for (name, word) in [
        ("legacy", "common"),
        ("named", "other"),
        ("own", "own"),
        ("reads", "from elsewhere"),
    ] {
        assert_eq!(
            functions.json(&format!("/{name}")).await,
            json!(word),
            "{name}"
        );
    }
    functions.stage.write("config.toml", "");
    until(|| async { (functions.json("/named").await == json!("own")).then_some(()) }).await;
}

const CAMEL: &str = "/api/v1/functions/camel";

/// A function that answers the camel case of `foo-bar`, by the version of the package that is asked
/// for, and the first word of what that package complains about.
fn camel(version: &str) -> Value {
    let code = format!(
        "import camelCase from 'npm:camelcase@{version}';
         let said = '';
         try {{ camelCase(1); }} catch (error) {{ said = error.message; }}
         Deno.serve(() => Response.json([camelCase('foo-bar'), said.split(' ')[0]]));"
    );
    json!({ "name": "camel", "code": code })
}

/// Changes a word in a package that lies in the database, so that it can be told from what the
/// registry has.
async fn mark(functions: &Functions, part: &str, word: &str) {
    let pool = functions.stage.database().admin_pool();
    let mut transaction = pool.begin().await.expect("a transaction");
    sqlx::query("set local session_replication_role = replica")
        .execute(&mut *transaction)
        .await
        .expect("set");
    let marked = sqlx::query(
        "with marked as (
             select hash, decode(replace(encode(content, 'hex'), encode('Expected', 'hex'),
                                         encode($2::text::bytea, 'hex')), 'hex') as content
               from functions.packages
              where hash in (select hash from functions.version_packages where part like $1)),
         moved as (
             update functions.version_packages v set hash = encode(sha256(m.content), 'hex')
               from marked m where v.hash = m.hash)
         update functions.packages p set hash = encode(sha256(m.content), 'hex'), content = m.content
           from marked m where p.hash = m.hash and p.content <> m.content",
    )
    .bind(part)
    .bind(word)
    .execute(&mut *transaction)
    .await
    .expect("marked");
    assert_eq!(marked.rows_affected(), 1, "each package lies there once");
    transaction.commit().await.expect("committed");
}

#[tokio::test]
async fn a_version_keeps_what_it_imports_without_the_cache_and_the_registry() {
    let cache = tempfile::Builder::new()
        .permissions(PermissionsExt::from_mode(0o755))
        .tempdir()
        .expect("a folder");
    let folder = cache.path().display().to_string();
    let stage = Stage::new().set("FUNCTIONS_CACHE_DIR", &folder).file(
        "found/index.ts",
        "import camelCase from 'npm:camelcase@^7'; Deno.serve(() => Response.json(camelCase('a-b')));",
    );
    let functions = stage.start().await;
    let made = functions.admin(Method::POST, "/api/v1/functions");
    let _ = made.json(&camel("^7.0.0")).await.expect_status(201);
    assert_eq!(functions.json("/found").await, json!("aB"));
    let put = functions.admin(Method::PUT, CAMEL).json(&camel("8.0.0"));
    let _ = put.await.expect_status(200);
    assert_eq!(
        functions.json("/camel").await,
        json!(["fooBar", "Expected"])
    );
    mark(&functions, "%/camelcase/7.0.1", "Restored").await;
    mark(&functions, "%/camelcase/8.0.0", "Reloaded").await;

    let Functions { service, stage } = functions;
    drop(service);
    std::fs::remove_dir_all(cache.path().join("trees")).expect("removed");
    let functions = stage.start().await;
    assert_eq!(
        functions.json("/camel").await,
        json!(["fooBar", "Reloaded"])
    );
    assert_eq!(functions.json("/found").await, json!("aB"));
    let back = functions.admin(Method::POST, &format!("{CAMEL}/rollback"));
    let _ = back.json(&json!({ "version": 1 })).await.expect_status(200);
    assert_eq!(
        functions.json("/camel").await,
        json!(["fooBar", "Restored"])
    );
    // The same code has the same packages, whatever was published since.
    let again = functions.admin(Method::PUT, CAMEL).json(&camel("8.0.0"));
    let _ = again.await.expect_status(200);
    assert_eq!(
        functions.json("/camel").await,
        json!(["fooBar", "Reloaded"])
    );

    let deleted = functions.admin(Method::DELETE, CAMEL).await;
    let _ = deleted.expect_status(204);
    let left: i64 = sqlx::query_scalar("select count(*) from functions.packages")
        .fetch_one(&functions.stage.database().admin_pool())
        .await
        .expect("counted");
    assert_eq!(left, 2, "the other function's package and list of versions");
}
