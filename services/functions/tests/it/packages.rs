//! What a function brings with it: packages, a configuration, files.

use serde_json::json;

use crate::stage::{Stage, until};

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
