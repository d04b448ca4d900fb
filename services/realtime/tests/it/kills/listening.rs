//! A client that comes back whenever it is cut off, and notes what it hears.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::processes::Processes;
use super::writers::LAST;
use crate::client::{Client, Version};

const TOPIC: &str = "realtime:events";
/// How long a process may take to let the client in: one that follows does not.
const JOIN_PATIENCE: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(50);

/// What the client tells the server when it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// Where it was.
    LastToken,
    /// Where it began.
    FirstToken,
    /// Nothing.
    Nothing,
}

/// What the client has heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) marks: Vec<String>,
    pub(super) resyncs: usize,
    count: Arc<AtomicU64>,
    first: Option<String>,
    last: Option<String>,
}

pub(super) struct Listening {
    task: JoinHandle<Heard>,
    breaker: Arc<Notify>,
    count: Arc<AtomicU64>,
}

impl Listening {
    /// Listens from now on, until `done` or the last row.
    pub(super) async fn begin(
        processes: Arc<Processes>,
        memory: Memory,
        done: CancellationToken,
    ) -> Self {
        let breaker = Arc::new(Notify::new());
        let mut heard = Heard::default();
        let count = Arc::clone(&heard.count);
        let client = loop {
            match join(&processes, memory, &mut heard).await {
                Some(client) => break client,
                None => tokio::time::sleep(RETRY).await,
            }
        };
        let broken = Arc::clone(&breaker);
        let task = tokio::spawn(async move {
            let mut client = Some(client);
            while !done.is_cancelled() {
                let Some(mut joined) = client.take() else {
                    tokio::time::sleep(RETRY).await;
                    client = join(&processes, memory, &mut heard).await;
                    continue;
                };
                tokio::select! {
                    () = broken.notified() => {}
                    last = listen(&mut joined, &mut heard) => {
                        if last {
                            break;
                        }
                    }
                }
            }
            heard
        });
        Self {
            task,
            breaker,
            count,
        }
    }

    /// What cuts the client's connection.
    pub(super) fn breaker(&self) -> Arc<Notify> {
        Arc::clone(&self.breaker)
    }

    /// How many events it has heard.
    pub(super) fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.count)
    }

    /// Waits for the last row; answers everything that was heard.
    pub(super) async fn until_last(self) -> Heard {
        self.task.await.expect("no panic")
    }
}

async fn join(processes: &Processes, memory: Memory, heard: &mut Heard) -> Option<Client> {
    let changes = json!([{ "event": "INSERT", "schema": "public", "table": "events" }]);
    let resume = match memory {
        Memory::LastToken => heard.last.clone(),
        Memory::FirstToken => heard.first.clone(),
        Memory::Nothing => None,
    };
    let config = json!({ "postgres_changes": changes, "resume": resume });
    let joining = async {
        let url = processes.url();
        let client = Client::try_connect(&url, Version::V2, &processes.anon_key).await;
        client.ok()?.try_join(TOPIC, config).await
    };
    let (client, response) = tokio::time::timeout(JOIN_PATIENCE, joining).await.ok()??;
    heard.resyncs += usize::from(response["resume"] == "resync_required");
    heard.note(&response["resume_token"]);
    Some(client)
}

/// Listens until the connection or the channel ends; answers whether the last row was heard.
async fn listen(client: &mut Client, heard: &mut Heard) -> bool {
    while let Some(event) = client.next().await {
        match event.event.as_str() {
            "postgres_changes" => {
                let mark = event.payload["data"]["record"]["mark"]
                    .as_str()
                    .expect("a mark");
                if mark == LAST {
                    return true;
                }
                heard.marks.push(mark.to_owned());
                heard.count.fetch_add(1, Ordering::Relaxed);
                heard.note(&event.payload["resume_token"]);
            }
            "phx_error" | "phx_close" => return false,
            _ => {}
        }
    }
    false
}

impl Heard {
    fn note(&mut self, token: &Value) {
        if let Some(token) = token.as_str() {
            self.first.get_or_insert_with(|| token.to_owned());
            self.last = Some(token.to_owned());
        }
    }
}
