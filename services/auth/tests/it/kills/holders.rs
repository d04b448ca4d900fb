//! Holders of sessions who refresh them all the time, as clients do: what gets no answer is asked
//! again with the token they have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::ground::Ground;
use crate::support::PASSWORD;

/// Longer than any answer takes that still comes.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Holders {
    rotations: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Option<String>>,
}

pub(super) struct Outcome {
    /// Refreshes that were answered by tokens.
    pub(super) rotations: usize,
    /// What those were told whose token was not taken.
    pub(super) locked_out: Vec<String>,
}

impl Holders {
    pub(super) async fn sign_up(ground: &Ground, count: usize) -> Self {
        let rotations = Arc::<AtomicUsize>::default();
        let stop = Arc::<AtomicBool>::default();
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let email = format!("holder{number}@example.com");
            let body = json!({ "email": email, "password": PASSWORD }).to_string();
            let (status, session) = post(ground.port, "/signup", &body)
                .await
                .expect("an answer");
            assert_eq!(status, 200, "{session}");
            let (port, token) = (ground.port, refresh_token(&session));
            let (rotations, stop) = (Arc::clone(&rotations), Arc::clone(&stop));
            tasks.spawn(hold(port, token, rotations, stop));
        }
        Self {
            rotations,
            stop,
            tasks,
        }
    }

    /// Waits until so many more rotations are answered than now, or nobody is left to rotate.
    pub(super) async fn rotate(&self, more: usize) {
        let wanted = self.rotations.load(Ordering::SeqCst) + more;
        let begun = Instant::now();
        while self.rotations.load(Ordering::SeqCst) < wanted && !self.all_locked_out() {
            assert!(begun.elapsed() < Duration::from_mins(1), "no progress");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn all_locked_out(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Has each refresh once more, and tells who could not.
    pub(super) async fn stop(self) -> Outcome {
        self.stop.store(true, Ordering::SeqCst);
        let outcomes = self.tasks.join_all().await;
        Outcome {
            rotations: self.rotations.load(Ordering::SeqCst),
            locked_out: outcomes.into_iter().flatten().collect(),
        }
    }
}

/// Refreshes until told to stop; answers what the service said where it did not take the token.
async fn hold(
    port: u16,
    mut token: String,
    rotations: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Option<String> {
    loop {
        let is_last = stop.load(Ordering::SeqCst);
        let body = json!({ "refresh_token": token }).to_string();
        match post(port, "/token?grant_type=refresh_token", &body).await {
            Some((200, session)) => {
                token = refresh_token(&session);
                rotations.fetch_add(1, Ordering::SeqCst);
                if is_last {
                    return None;
                }
            }
            None | Some((500.., _)) => tokio::time::sleep(Duration::from_millis(10)).await,
            Some((status, said)) => {
                // Nobody waits for rotations that do not come any more.
                stop.store(true, Ordering::SeqCst);
                return Some(format!("{status} {said}"));
            }
        }
    }
}

fn refresh_token(session: &Value) -> String {
    let token = session["refresh_token"].as_str();
    token.expect("a refresh token").to_owned()
}

/// One request on a connection of its own; none where no answer came.
pub(super) async fn post(port: u16, path: &str, body: &str) -> Option<(u16, Value)> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len(),
        );
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        // A body that was cut off is no answer.
        Some((status, serde_json::from_str(body).ok()?))
    };
    tokio::time::timeout(PATIENCE, exchange).await.ok()?
}
