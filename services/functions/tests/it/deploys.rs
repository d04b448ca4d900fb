//! Files in the folder become functions by themselves.

use serde_json::json;

use crate::stage::{Stage, until};

#[tokio::test]
async fn changed_code_is_picked_up_and_broken_code_leaves_the_old_serving() {
    let functions = Stage::new().function("answer", "return 1;").start().await;
    assert_eq!(functions.json("/answer").await, json!(1));

    functions
        .stage
        .write("answer.ts", "export default () => 2;");
    until(|| async { (functions.json("/answer").await == json!(2)).then_some(()) }).await;

    functions.stage.write("answer.ts", "export default () => {");
    let service = functions.stage.key("SERVICE_ROLE_KEY");
    until(|| async {
        assert_eq!(functions.json("/answer").await, json!(2));
        let list = functions
            .service
            .get("/api/v1/functions")
            .bearer(&service)
            .await
            .json();
        list[0]["error"].is_string().then_some(())
    })
    .await;
    assert_eq!(functions.json("/answer").await, json!(2));

    functions
        .stage
        .write("answer.ts", "export default () => 3;");
    until(|| async { (functions.json("/answer").await == json!(3)).then_some(()) }).await;
}

#[tokio::test]
async fn shared_code_and_secrets_are_part_of_every_function() {
    let functions = Stage::new()
        .file("_shared/value.ts", "export const value = 1;")
        .file(
            "answer/index.ts",
            "import { value } from '../_shared/value.ts';
             Deno.serve(() => Response.json([value, Deno.env.get('SECRET') ?? null]));",
        )
        .start()
        .await;
    assert_eq!(functions.json("/answer").await, json!([1, null]));
    functions
        .stage
        .write("_shared/value.ts", "export const value = 2;");
    functions.stage.write(".env", "SECRET=hush\n");
    until(|| async { (functions.json("/answer").await == json!([2, "hush"])).then_some(()) }).await;
}

#[tokio::test]
async fn functions_come_and_go_with_their_files() {
    let functions = Stage::new().function("first", "return 1;").start().await;
    functions
        .stage
        .write("second/index.ts", "Deno.serve(() => Response.json(2));");
    until(|| async { (functions.get("/second").await.status == 200).then_some(()) }).await;
    functions.stage.remove("first.ts");
    until(|| async { (functions.get("/first").await.status == 404).then_some(()) }).await;
    assert_eq!(functions.json("/second").await, json!(2));
}

#[tokio::test]
async fn requests_under_way_are_answered_by_the_version_they_reached() {
    let functions = Stage::new()
        .function(
            "slow",
            "await new Promise((done) => setTimeout(done, 1500)); return 1;",
        )
        .start()
        .await;
    let slow = async { functions.json("/slow").await };
    let replaced = async {
        functions.stage.write("slow.ts", "export default () => 2;");
        until(|| async { (functions.json("/slow").await == json!(2)).then_some(()) }).await;
    };
    let (answer, ()) = tokio::join!(slow, replaced);
    assert_eq!(answer, json!(1));
}
