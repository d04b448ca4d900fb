//! Clients that write all the time, each in the ways clients do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use testkit::history::History;
use tokio::task::JoinSet;

use super::client::{Write, send};
use super::ground::Ground;

/// How a writer behaves that has got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// Sends half of its writes with a key, and those again until they are answered; some even
    /// after the answer.
    Keyed,
    /// Does the same without saying that it is the same write.
    Careless,
}

/// Writers at work until they are told to stop.
pub(super) struct Writers {
    pub(super) history: Arc<History>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Writer {
    number: usize,
    port: u16,
    token: String,
    manners: Manners,
    history: Arc<History>,
    stop: Arc<AtomicBool>,
}

impl Writers {
    pub(super) fn start(ground: &Ground, count: usize, manners: Manners) -> Self {
        let history = Arc::new(History::default());
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let writer = Writer {
                number,
                port: ground.port,
                token: ground.token.clone(),
                manners,
                history: Arc::clone(&history),
                stop: Arc::clone(&stop),
            };
            tasks.spawn(writer.work());
        }
        Self {
            history,
            stop,
            tasks,
        }
    }

    /// Waits until so many more writes are acknowledged than now.
    pub(super) async fn achieve(&self, more: usize) {
        let wanted = self.history.acknowledged() + more;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while self.history.acknowledged() < wanted {
            assert!(tokio::time::Instant::now() < deadline, "no progress");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets each finish what it has begun.
    pub(super) async fn stop(self) -> Arc<History> {
        self.stop.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        self.history
    }
}

impl Writer {
    async fn work(self) {
        let mut turn = 0;
        while !self.stop.load(Ordering::SeqCst) {
            turn += 1;
            let mark = format!("{}-{turn}", self.number);
            let insists = turn % 2 == 0;
            let key = (insists && self.manners == Manners::Keyed).then(|| mark.clone());
            let write = write(turn, &mark, key);
            if insists {
                self.insist(&mark, &write, turn % 16 == 0).await;
            } else {
                self.attempt(&mark, &write).await;
            }
        }
    }

    /// Sends a write until it is acknowledged; once more where the answer is to be "lost".
    async fn insist(&self, mark: &str, write: &Write, loses_answer: bool) {
        while !self.attempt(mark, write).await {}
        if loses_answer {
            self.attempt(mark, write).await;
        }
    }

    /// Sends a write once; whether it was acknowledged.
    async fn attempt(&self, mark: &str, write: &Write) -> bool {
        let attempt = self.history.invoke(mark);
        match send(self.port, &self.token, write).await {
            Some(200..=299) => {
                attempt.acknowledge();
                return true;
            }
            // 409: the first sending of this key is still under way.
            Some(409 | 500..) | None => drop(attempt),
            Some(status) => panic!("{mark}: {status}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        false
    }
}

/// An insert, a patch, an upsert, a call, in turn.
fn write(turn: usize, mark: &str, key: Option<String>) -> Write {
    let account = turn % 100 + 1;
    let body = format!(r#"{{"mark":"{mark}"}}"#);
    let (method, path, prefer, body) = match turn / 2 % 4 {
        0 => ("POST", "/entries".to_owned(), "return=minimal", body),
        1 => {
            let path = format!("/accounts?id=eq.{account}");
            ("PATCH", path, "return=representation", body)
        }
        2 => {
            let body = format!(r#"{{"id":{},"mark":"{mark}"}}"#, account * 2);
            let prefer = "resolution=merge-duplicates";
            ("POST", "/accounts".to_owned(), prefer, body)
        }
        _ => ("POST", "/rpc/record".to_owned(), "", body),
    };
    Write {
        method,
        path,
        prefer,
        body,
        key,
    }
}
