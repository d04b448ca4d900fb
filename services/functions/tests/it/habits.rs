//! What functions written for Supabase's runtime are used to beside `Deno.serve`.

use futures_util::StreamExt as _;
use http::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::stage::{Stage, until};

const SERVER: &str = "
    import { createServer } from 'node:http';
    import { createHash } from 'node:crypto';
    const server = createServer((request, response) => {
        console.log('asked for', request.url);
        let text = '';
        request.on('data', (piece) => text += piece);
        request.on('end', () => {
            response.writeHead(201, { 'content-type': 'application/json' });
            response.end(JSON.stringify({ url: request.url, method: request.method, text }));
        });
    });
    server.on('upgrade', (request, socket) => {
        const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
        const key = createHash('sha1').update(request.headers['sec-websocket-key'] + guid).digest('base64');
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n' +
            'Connection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
        socket.write(new Uint8Array([0x81, 2, 0x68, 0x69]));
    });
    server.listen(3000, () => console.log('listening'));";

#[tokio::test]
async fn a_server_of_nodes_that_listens_on_a_port_is_the_function() {
    let functions = Stage::new()
        .set("FUNCTIONS_VERIFY_JWT", "false")
        .file("node/index.ts", SERVER)
        .listen()
        .await;
    let answered = functions
        .post("/node/deep?a=1")
        .body("text")
        .await
        .expect_status(201);
    assert_eq!(
        answered.json(),
        json!({ "url": "/node/deep?a=1", "method": "POST", "text": "text" })
    );
    let id = answered.header("x-deno-execution-id").expect("an id");
    until(|| async {
        let lines = functions.admin_json("/api/v1/functions/node/logs").await;
        let mut lines = lines.as_array().into_iter().flatten();
        let line = lines.find(|line| line["message"] == "asked for /node/deep?a=1")?;
        assert_eq!(line["execution_id"], id);
        Some(())
    })
    .await;
    let url = functions.service.url().replace("http://", "ws://");
    let request = format!("{url}/node").into_client_request().expect("a URL");
    let (mut socket, _) = tokio_tungstenite::connect_async(request)
        .await
        .expect("upgraded");
    let message = socket.next().await.expect("a message").expect("whole");
    assert_eq!(message, Message::text("hi"));
}

#[tokio::test]
async fn the_folder_for_temporary_files_is_the_functions_own() {
    let functions = Stage::new()
        .function(
            "writes",
            "await Deno.mkdir('/tmp/deep');
             await Deno.writeTextFile('/tmp/deep/a.txt', 'mine');
             await Deno.rename('/tmp/deep/a.txt', new URL('file:///tmp/b.txt'));
             const names = [];
             for await (const entry of Deno.readDir('/tmp')) names.push(entry.name);
             return [Deno.readTextFileSync('/tmp/b.txt'), (await Deno.stat('/tmp/b.txt')).size, names.sort()];",
        )
        .function(
            "reads",
            "return [await Deno.readTextFile('/tmp/b.txt').catch((error) => error.name),
                     await Deno.readTextFile('/tmp/../etc/passwd').catch((error) => error.name)];",
        )
        .start()
        .await;
    assert_eq!(
        functions.json("/writes").await,
        json!(["mine", 4, ["b.txt", "deep"]])
    );
    let refused = functions.json("/reads").await;
    assert_eq!(refused[0], "NotFound");
    assert_ne!(refused[1].as_str().expect("a name").len(), 0);
    assert!(!refused.to_string().contains("root:"), "{refused}");
    assert!(!std::path::Path::new("/tmp/b.txt").exists());
}

#[tokio::test]
async fn the_first_line_of_every_function_of_theirs_needs_no_registry() {
    let functions = Stage::new()
        .file(
            "typed/deno.json",
            r#"{ "imports": { "@supabase/functions-js": "jsr:@supabase/functions-js@^2" } }"#,
        )
        .file(
            "typed/index.ts",
            "import \"@supabase/functions-js/edge-runtime.d.ts\";
             Deno.serve(() => Response.json(1));",
        )
        .file(
            "older/index.ts",
            "import 'jsr:@supabase/functions-js/edge-runtime.d.ts';
             Deno.serve(() => { EdgeRuntime.waitUntil(Promise.resolve()); return Response.json(2); });",
        )
        .start()
        .await;
    assert_eq!(functions.json("/typed").await, json!(1));
    assert_eq!(functions.json("/older").await, json!(2));
    let code = "import 'jsr:@supabase/functions-js/edge-runtime.d.ts';
        Deno.serve(async () => Response.json(await EdgeRuntime.waitUntil(Promise.resolve(3))));";
    let body = json!({ "name": "checked", "code": code, "check_types": true });
    let _ = functions
        .admin(Method::POST, "/api/v1/functions")
        .json(&body)
        .await
        .expect_status(201);
    assert_eq!(functions.json("/checked").await, json!(3));
}

#[tokio::test]
async fn whoever_waits_for_the_server_to_listen_is_told_that_it_does() {
    let functions = Stage::new()
        .file(
            "waits/index.ts",
            "const listening = Promise.withResolvers();
             Deno.serve({ port: 8000, onListen: listening.resolve, handler: () => Response.json(port) });
             const { port } = await listening.promise;",
        )
        .start()
        .await;
    assert_eq!(functions.json("/waits").await, json!(8000));
}
