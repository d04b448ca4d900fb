//! Random changes of rows that belong to two users and to nobody: each user hears of exactly their
//! own, and no word of another's reaches them.
//!
//! `REALTIME_RANDOM_CHANGES=100000 cargo nextest run -p realtime random` makes that many;
//! `REALTIME_RANDOM_SEED` makes others.

use std::collections::BTreeMap;

use common::{Environment as _, ProcessEnvironment};
use pg::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, Version};
use crate::stage::Stage;

const CHANGES: u64 = 3000;
const SEED: u64 = 11;
/// Changes of one transaction.
const BATCH: u64 = 40;
/// Changes between two heartbeats.
const HEARTBEAT_EVERY: usize = 500;
/// What nobody but the owner of a row may read, by owner; the last is nobody's.
const SECRETS: [&str; 3] = ["annas-secret", "berts-secret", "nobodys-secret"];

/// The rows as they are, and what each user must hear.
struct Model {
    owners: [Uuid; 3],
    /// The owner of each row.
    rows: BTreeMap<u64, usize>,
    expected: [Vec<String>; 3],
    random: u64,
    made: u64,
}

impl Model {
    /// xorshift64 (Marsaglia, 2003).
    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 16).expect("48 bits") % limit
    }

    /// One change, as SQL.
    fn change(&mut self) -> String {
        self.made += 1;
        let n = self.made;
        let kind = if self.rows.is_empty() {
            0
        } else {
            self.below(4)
        };
        let owner = self.below(3);
        let body = |owner: usize| format!("{} {n}", SECRETS[owner]);
        if kind == 0 {
            self.rows.insert(n, owner);
            self.expected[owner].push(format!("INSERT {n} {}", body(owner)));
            let (id, body) = (self.owners[owner], body(owner));
            return format!("insert into notes values ({n}, '{id}', '{body}');");
        }
        let place = self.below(self.rows.len());
        let (row, before) = self.rows.iter().nth(place).expect("a row");
        let (row, before) = (*row, *before);
        if kind == 1 {
            self.rows.remove(&row);
            self.expected[before].push(format!("DELETE {row}"));
            return format!("delete from notes where id = {row};");
        }
        // Every other update hands the row over, perhaps to the one who has it.
        let owner = if kind == 2 { before } else { owner };
        self.rows.insert(row, owner);
        self.expected[owner].push(format!("UPDATE {row} {}", body(owner)));
        let (id, body) = (self.owners[owner], body(owner));
        format!("update notes set user_id = '{id}', body = '{body}' where id = {row};")
    }
}

/// What one user heard, until `expected` changes and whatever else came by then.
async fn hear(mut client: Client, expected: usize) -> (Vec<String>, Vec<String>) {
    let (mut heard, mut texts) = (Vec::with_capacity(expected), Vec::new());
    let mut note = |payload: &Value| {
        let data = &payload["data"];
        let row = match data.get("record") {
            Some(row) => format!("{} {}", row["id"], row["body"].as_str().unwrap_or_default()),
            None => data["old_record"]["id"].to_string(),
        };
        let kind = data["type"].as_str().unwrap_or_default();
        heard.push(format!("{kind} {row}"));
        texts.push(payload.to_string());
    };
    for number in 0..expected {
        if number % HEARTBEAT_EVERY == 0 {
            client.push("phoenix", "heartbeat", json!({})).await;
        }
        note(&client.event("postgres_changes").await.payload);
    }
    for event in client.settle().await {
        if event.event == "postgres_changes" {
            note(&event.payload);
        }
    }
    (heard, texts)
}

fn setting(name: &str, default: u64) -> u64 {
    let text = ProcessEnvironment.var(name);
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Makes `changes` random changes; answers what was expected and what was heard, of both users.
async fn play(stage: &Stage, changes: u64) -> Vec<(Vec<String>, Vec<String>, Vec<String>)> {
    let ((anna, annas), (bert, berts)) = (stage.user(), stage.user());
    let mut model = Model {
        owners: [anna, bert, Uuid::new_v4()],
        rows: BTreeMap::new(),
        expected: [const { Vec::new() }; 3],
        random: setting("REALTIME_RANDOM_SEED", SEED),
        made: 0,
    };
    let mut transactions = Vec::new();
    while model.made < changes {
        let size = BATCH.min(changes - model.made);
        transactions.push((0..size).map(|_| model.change()).collect::<String>());
    }
    let mut hearing = Vec::new();
    for (token, expected) in [annas, berts].iter().zip(&model.expected) {
        let mut client = stage.connect_as(Version::V2, token).await;
        let notes = json!([{ "event": "*", "schema": "public", "table": "notes" }]);
        client.listen("realtime:notes", notes).await;
        hearing.push(tokio::spawn(hear(client, expected.len())));
    }
    let pool = stage.db.admin_pool();
    for sql in transactions {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool);
        done.await.expect("changes");
    }
    let mut outcomes = Vec::new();
    for (hearing, expected) in hearing.into_iter().zip(model.expected) {
        let (heard, texts) = hearing.await.expect("everything is heard");
        outcomes.push((expected, heard, texts));
    }
    outcomes
}

fn names_another(texts: &[String], own: &str) -> bool {
    let mut others = SECRETS.iter().filter(|secret| **secret != own);
    others.any(|secret| texts.iter().any(|text| text.contains(secret)))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_never_see_each_others_rows() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    stage.run("alter table notes replica identity full").await;
    let outcomes = play(&stage, setting("REALTIME_RANDOM_CHANGES", CHANGES)).await;
    for ((expected, heard, texts), own) in outcomes.into_iter().zip(SECRETS) {
        assert!(expected.len() > 100);
        let differ = expected.iter().zip(&heard).find(|(a, b)| a != b);
        assert_eq!(differ, None);
        assert_eq!(expected.len(), heard.len());
        assert!(!names_another(&texts, own));
    }
}

/// The control: what is looked for is found where a policy lets everybody see everything.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_they_are_found_to_see_them() {
    let stage = Stage::new().await;
    stage.owned_table().await;
    stage.run("alter table notes replica identity full").await;
    stage.run("alter policy own on notes using (true)").await;
    for ((_, _, texts), own) in play(&stage, 100).await.into_iter().zip(SECRETS) {
        assert!(names_another(&texts, own));
    }
}
