//! Functions that are called by the clock, by rows, by events and by signed messages.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::TestService;

use crate::stage::{Functions, Stage, until};

const TABLES: &str = "create table public.jobs (id int primary key, status text, price numeric);
     create table public.done (event uuid, job int, attempt int)";

/// A function with `triggers`, whose events it prints.
pub(crate) fn listener(triggers: &Value, body: &str) -> String {
    format!(
        "export const triggers = {triggers};\nexport default async (event, ctx) => {{ {body} }};\n"
    )
}

async fn stage() -> Stage {
    let stage = Stage::new().prepared().await;
    stage.database().execute(TABLES).await;
    stage
}

/// What `name` has printed, as JSON, once there are `least` lines.
async fn printed(functions: &Functions, name: &str, least: usize) -> Vec<Value> {
    let path = format!("/api/v1/functions/{name}/logs?limit=1000");
    until(|| async {
        let lines = functions.admin_json(&path).await;
        let lines = lines.as_array().expect("a list").clone();
        (lines.len() >= least).then(|| {
            let texts = lines.iter().filter_map(|line| line["message"].as_str());
            texts
                .map(|text| serde_json::from_str(text).unwrap_or(Value::Null))
                .collect()
        })
    })
    .await
}

/// Once the registry knows a trigger of `name`, and tables tell of their changes.
pub(crate) async fn listening(functions: &Functions, name: &str) {
    let path = format!("/api/v1/functions/{name}/triggers");
    until(|| async {
        let known = functions.admin(Method::GET, &path).await;
        (known.status == 200 && known.json().as_array().is_some_and(|all| !all.is_empty()))
            .then_some(())
    })
    .await;
}

pub(crate) async fn captured(functions: &Functions, table: &str) {
    let pool = functions.stage.database().admin_pool();
    until(|| async {
        let found: i64 = pg::sqlx::query_scalar(
            "select count(*) from pg_trigger where tgname = 'selfdb_functions_capture' and tgrelid = to_regclass($1)",
        )
        .bind(table)
        .fetch_one(&pool)
        .await
        .expect("counted");
        (found == 1).then_some(())
    })
    .await;
}

const SAY: &str = "console.log(JSON.stringify({ ...event, trigger: ctx.trigger.type, request: event instanceof Request }));";

#[tokio::test]
async fn a_schedule_runs_each_tick_once_on_however_many_nodes() {
    let triggers = json!([{ "type": "schedule", "cron": "* * * * * *", "name": "each-second" }]);
    let stage = stage().await.file("ticks.ts", &listener(&triggers, SAY));
    let functions = stage.start().await;
    let _other = TestService::start(functions.stage.config()).await;
    let _third = TestService::start(functions.stage.config()).await;
    let ticks = printed(&functions, "ticks", 5).await;
    let times: BTreeSet<_> = ticks
        .iter()
        .map(|tick| tick["scheduled_at"].to_string())
        .collect();
    let ids: BTreeSet<_> = ticks.iter().map(|tick| tick["id"].to_string()).collect();
    assert_eq!(
        (times.len(), ids.len()),
        (ticks.len(), ticks.len()),
        "{ticks:?}"
    );
    assert_eq!(
        (&ticks[0]["trigger"], &ticks[0]["request"]),
        (&json!("schedule"), &json!(false))
    );
    assert_eq!(
        (&ticks[0]["type"], &ticks[0]["name"]),
        (&json!("schedule"), &json!("each-second"))
    );
    let rows = functions
        .admin_json("/api/v1/functions/ticks/executions")
        .await;
    assert_eq!(
        (&rows[0]["trigger"], &rows[0]["source"]),
        (&json!("schedule"), &json!("each-second"))
    );
}

#[tokio::test]
async fn rows_that_change_call_the_functions_that_asked_for_them() {
    let all = json!([{ "type": "database", "table": "jobs" }]);
    let some = json!([{ "type": "database", "table": "public.jobs", "operations": ["UPDATE"], "filter": ["status=eq.paid", "price=gt.9.5"] }]);
    let stage = stage().await;
    let functions = stage
        .file("all.ts", &listener(&all, SAY))
        .file("some.ts", &listener(&some, SAY))
        .start()
        .await;
    listening(&functions, "all").await;
    listening(&functions, "some").await;
    captured(&functions, "public.jobs").await;
    functions
        .stage
        .database()
        .execute(
            "insert into public.jobs values (1, 'new', 10), (2, 'new', 9);
             update public.jobs set status = 'paid';
             delete from public.jobs where id = 2;",
        )
        .await;
    let undone = "begin; insert into public.jobs values (3, 'never', 1); rollback;";
    functions.stage.database().execute(undone).await;
    let changes = printed(&functions, "all", 5).await;
    let told: BTreeSet<_> = changes
        .iter()
        .map(|one| {
            let row = if one["record"].is_null() {
                &one["old_record"]
            } else {
                &one["record"]
            };
            format!(
                "{} {} {}",
                one["operation"].as_str().unwrap_or_default(),
                row["id"],
                row["status"]
            )
        })
        .collect();
    let expected = [
        "DELETE 2 \"paid\"",
        "INSERT 1 \"new\"",
        "INSERT 2 \"new\"",
        "UPDATE 1 \"paid\"",
        "UPDATE 2 \"paid\"",
    ];
    assert_eq!(told, BTreeSet::from(expected.map(str::to_owned)));
    let paid = printed(&functions, "some", 1).await;
    assert_eq!((paid.len(), &paid[0]["record"]["id"]), (1, &json!(1)));
    assert_eq!(paid[0]["old_record"]["status"], json!("new"));

    // A function that is gone leaves no trigger behind.
    functions.stage.remove("all.ts");
    functions.stage.write("some.ts", "export default () => 1;");
    let pool = functions.stage.database().admin_pool();
    until(|| async {
        let found: i64 = pg::sqlx::query_scalar("select count(*) from functions.triggers")
            .fetch_one(&pool)
            .await
            .expect("counted");
        (found == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_fails_is_tried_again_with_its_id_and_then_kept_as_a_dead_letter() {
    let triggers = json!([{ "type": "database", "table": "jobs", "operations": ["INSERT"] }]);
    let body = format!(
        "{SAY} if (event.record.status === 'bad' && !Deno.env.get('FIXED')) throw new Error('bad job'); return 1;"
    );
    let functions = stage()
        .await
        .file("labour.ts", &listener(&triggers, &body))
        .start()
        .await;
    listening(&functions, "labour").await;
    captured(&functions, "public.jobs").await;
    functions
        .stage
        .database()
        .execute("insert into public.jobs values (1, 'bad', 1), (2, 'good', 1)")
        .await;
    let dead = "/api/v1/functions/labour/dead-letters";
    let letters = until(|| async {
        let letters = functions.admin_json(dead).await;
        letters
            .as_array()
            .is_some_and(|all| all.len() == 1)
            .then_some(letters)
    })
    .await;
    assert_eq!(
        (
            &letters[0]["attempts"],
            &letters[0]["payload"]["record"]["id"]
        ),
        (&json!(5), &json!(1))
    );
    assert!(
        letters[0]["last_error"]
            .as_str()
            .expect("why")
            .contains("500")
    );
    let tries = printed(&functions, "labour", 11).await;
    let of_bad: Vec<_> = tries
        .iter()
        .filter(|one| one["record"]["id"] == 1)
        .collect();
    assert_eq!(of_bad.len(), 5);
    assert!(
        of_bad.iter().all(|one| one["id"] == letters[0]["id"]),
        "{of_bad:?}"
    );
    let attempts: Vec<_> = of_bad.iter().map(|one| one["attempt"].as_i64()).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5].map(Some));

    functions.stage.write(".env", "FIXED=1\n");
    until(|| async {
        let _ = functions
            .admin(Method::POST, &format!("{dead}/retry"))
            .await;
        let left: i64 = pg::sqlx::query_scalar("select count(*) from functions.events")
            .fetch_one(&functions.stage.database().admin_pool())
            .await
            .expect("counted");
        (left == 0).then_some(())
    })
    .await;
}

/// The members of `auth.users` and `storage.objects` that events are made of.
const NOUNS: &str = "create table auth.users (id uuid primary key default gen_random_uuid(), email text,
         encrypted_password text, last_sign_in_at timestamptz);
     create table storage.objects (id uuid primary key default gen_random_uuid(), name text, version text)";

#[tokio::test]
async fn events_of_the_platform_call_the_functions_that_listen() {
    let names = [
        "user.created",
        "user.updated",
        "user.signed_in",
        "user.deleted",
        "file.uploaded",
        "file.updated",
        "file.deleted",
        "order.paid",
    ];
    let triggers = names.map(|name| json!({ "type": "event", "event": name }));
    let stage = stage().await;
    stage.database().execute(NOUNS).await;
    let functions = stage
        .file("all.ts", &listener(&json!(triggers), SAY))
        .start()
        .await;
    listening(&functions, "all").await;
    for table in ["auth.users", "storage.objects", "selfdb.events"] {
        captured(&functions, table).await;
    }
    functions
        .stage
        .database()
        .execute(
            "insert into auth.users (email, encrypted_password) values ('a@example.com', 'hush');
             update auth.users set last_sign_in_at = now();
             update auth.users set email = 'b@example.com';
             update auth.users set encrypted_password = 'hush again';
             delete from auth.users;
             insert into storage.objects (name, version) values ('a.txt', '1');
             update storage.objects set name = 'b.txt';
             update storage.objects set version = '2';
             delete from storage.objects;
             select selfdb.emit_event('ORDER_PAID', '{\"order\": 7}');
             select selfdb.emit_event('ORDER_LOST')",
        )
        .await;
    let told = printed(&functions, "all", names.len()).await;
    let heard: BTreeSet<_> = told
        .iter()
        .filter_map(|one| one["event"].as_str())
        .collect();
    assert_eq!((heard, told.len()), (BTreeSet::from(names), names.len()));
    let data = |name: &str| {
        let one = told.iter().find(|one| one["event"] == name);
        one.map(|one| one["data"].clone()).unwrap_or_default()
    };
    assert_eq!(data("order.paid"), json!({ "order": 7 }));
    assert_eq!(data("user.created")["email"], json!("a@example.com"));
    assert_eq!(data("user.updated")["email"], json!("b@example.com"));
    assert_eq!(data("file.updated")["version"], json!("2"));
    assert!(!json!(told).to_string().contains("hush"), "{told:?}");
}

/// The signature of `body`: HMAC-SHA256 in hexadecimal digits.
fn sign(key: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(body.as_bytes());
    let mut digits = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(digits, "{byte:02x}").expect("written");
    }
    digits
}

/// Makes a webhook of `function`; its secret and its path.
async fn webhook(functions: &Functions, function: &str) -> (String, String) {
    let made = functions
        .admin(Method::POST, "/api/v1/webhooks")
        .json(&json!({ "function": function, "name": "shop" }))
        .await
        .expect_status(201)
        .json();
    let text = |member: &str| made[member].as_str().expect("a text").to_owned();
    (text("secret"), text("path"))
}

/// A function that says what a webhook brings it.
async fn hooked() -> Functions {
    let listener = listener(&json!([{ "type": "webhook" }]), SAY);
    let functions = stage().await.file("hook.ts", &listener).start().await;
    listening(&functions, "hook").await;
    functions
}

#[tokio::test]
async fn messages_count_only_with_the_right_signature() {
    let functions = Box::pin(hooked()).await;
    let (secret, path) = webhook(&functions, "hook").await;
    let body = r#"{"order":7}"#;
    for signature in [
        None,
        Some("00".to_owned()),
        Some(sign("another secret", body)),
        Some(sign(&secret, "{}")),
    ] {
        let mut request = functions.service.post(&path).body(body);
        if let Some(signature) = &signature {
            request = request.header("x-webhook-signature", signature);
        }
        let refused = request.await.expect_status(401);
        assert_eq!(refused.json()["code"], "invalid_signature", "{signature:?}");
    }
    let signed = functions
        .service
        .post(&path)
        .header(
            "x-webhook-signature",
            &format!("sha256={}", sign(&secret, body)),
        )
        .header("x-shop", "7")
        .body(body)
        .await
        .expect_status(202)
        .json();
    let told = printed(&functions, "hook", 1).await;
    assert_eq!(
        (&told[0]["id"], &told[0]["body"]),
        (&signed["id"], &json!({ "order": 7 }))
    );
    assert_eq!(
        (
            &told[0]["headers"]["x-shop"],
            &told[0]["headers"]["x-webhook-signature"]
        ),
        (&json!("7"), &Value::Null)
    );
    let listed = functions.admin_json("/api/v1/webhooks").await;
    assert!(!listed.to_string().contains(&secret), "{listed}");
    let id = listed[0]["id"].as_str().expect("an id");
    until(|| async {
        let deliveries = functions
            .admin_json(&format!("/api/v1/webhooks/{id}/deliveries"))
            .await;
        (deliveries[0]["outcome"] == "answered").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_is_off_takes_nothing_and_its_function_has_no_address() {
    let functions = Box::pin(hooked()).await;
    let (secret, path) = webhook(&functions, "hook").await;
    let listed = functions.admin_json("/api/v1/webhooks").await;
    let id = listed[0]["id"].as_str().expect("an id");
    // It is for messages, and not for whoever calls it.
    let _ = functions.get("/hook").await.expect_status(404);
    let off = functions
        .admin(Method::PUT, &format!("/api/v1/webhooks/{id}"))
        .json(&json!({ "is_active": false }));
    let _ = off.await.expect_status(200);
    let refused = functions
        .service
        .post(&path)
        .header("x-webhook-signature", &sign(&secret, "{}"))
        .body("{}")
        .await;
    let _ = refused.expect_status(401);
}

#[tokio::test]
async fn a_version_runs_once_when_it_is_deployed_and_methods_count() {
    let once = json!([{ "type": "once" }, { "type": "http", "method": "post" }]);
    let functions = stage()
        .await
        .file("setup.ts", &listener(&once, SAY))
        .start()
        .await;
    let told = printed(&functions, "setup", 1).await;
    assert_eq!(
        (&told[0]["type"], &told[0]["version"]),
        (&json!("once"), &json!(1))
    );
    let refused = functions.get("/setup").await.expect_status(405);
    assert_eq!(refused.json()["code"], "METHOD_NOT_ALLOWED");
    let other = TestService::start(functions.stage.config()).await;
    let anon = functions.stage.key("ANON_KEY");
    let _ = other
        .post("/setup")
        .bearer(&anon)
        .json(&json!({}))
        .await
        .expect_status(204);
    // The call by HTTP printed a line; no second run at deployment did.
    let lines = printed(&functions, "setup", 2).await;
    assert_eq!(
        lines.iter().filter(|line| line["type"] == "once").count(),
        1
    );
}

#[tokio::test]
async fn triggers_that_say_nothing_do_not_start() {
    let functions = Stage::new().start().await;
    let code =
        "export const triggers = [{ type: 'schedule', cron: 'soon' }]; export default () => 1;";
    let body = json!({ "name": "bad", "code": code });
    let refused = functions
        .admin(Method::POST, "/api/v1/functions")
        .json(&body)
        .await
        .expect_status(422);
    assert!(
        refused.text().contains("is no schedule"),
        "{}",
        refused.text()
    );
}
