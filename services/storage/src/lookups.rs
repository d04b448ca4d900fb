//! Looking objects up by name, many in one question.
//!
//! Nothing is remembered: what a look-up answers, Postgres said after it was asked for, so a bucket
//! made private or an object replaced counts at once, whichever process or statement did it. What
//! makes it cheap is that requests which arrive while Postgres is busy with a question go into the
//! next one together, and those that ask for the same name share its row. One alone waits for
//! nothing but its answer.

use std::collections::HashMap;
use std::sync::Arc;

use common::BoxError;
use pg::sqlx;
use pg::sqlx::postgres::PgPool;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::domain::key::{BucketId, ObjectKey};
use crate::store::objects::{self, Found};

/// How many names one question has at most.
const MAX_NAMES: usize = 256;

/// A bucket and a name in it.
pub type Name = (BucketId, ObjectKey);

/// Looks up objects as the owner of the schema: whoever asks must already know why the caller may
/// see the answer.
#[derive(Clone)]
pub struct LookUps {
    owner: PgPool,
    asks: mpsc::Sender<Ask>,
    waiting: Arc<Mutex<mpsc::Receiver<Ask>>>,
}

struct Ask {
    name: Name,
    answer: oneshot::Sender<Answer>,
}

/// The error is shared by all who asked together.
type Answer = Result<Found, Arc<sqlx::Error>>;

impl LookUps {
    /// Look-ups through `owner`. Until [`LookUps::answer_until`] runs they wait.
    pub fn new(owner: PgPool) -> Self {
        let (asks, waiting) = mpsc::channel(MAX_NAMES);
        Self {
            owner,
            asks,
            waiting: Arc::new(Mutex::new(waiting)),
        }
    }

    /// What there is under a name.
    pub async fn find(&self, bucket: &BucketId, key: &ObjectKey) -> Answer {
        let name = (bucket.clone(), key.clone());
        let (answer, answered) = oneshot::channel();
        let ask = Ask { name, answer };
        if self.asks.send(ask).await.is_ok()
            && let Ok(answer) = answered.await
        {
            return answer;
        }
        // The service is shutting down: those still in flight ask for themselves.
        let mut found = self.question(&[(bucket.clone(), key.clone())]).await?;
        Ok(found.pop().unwrap_or_default())
    }

    /// Answers look-ups until `shutdown`.
    pub async fn answer_until(self, shutdown: CancellationToken) -> Result<(), BoxError> {
        let mut waiting = self.waiting.lock().await;
        let mut asks = Vec::with_capacity(MAX_NAMES);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = waiting.recv_many(&mut asks, MAX_NAMES) => {}
            }
            self.answer(asks.drain(..)).await;
        }
        waiting.close();
        while waiting.recv_many(&mut asks, MAX_NAMES).await > 0 {
            self.answer(asks.drain(..)).await;
        }
        Ok(())
    }

    async fn answer(&self, asks: impl Iterator<Item = Ask>) {
        let mut asked: HashMap<Name, Vec<oneshot::Sender<Answer>>> = HashMap::new();
        for Ask { name, answer } in asks {
            asked.entry(name).or_default().push(answer);
        }
        let (names, senders): (Vec<Name>, Vec<_>) = asked.into_iter().unzip();
        let answers = match self.question(&names).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); names.len()],
        };
        for (answer, senders) in answers.into_iter().zip(senders) {
            for sender in senders {
                // Whoever asked may have gone.
                let _ = sender.send(answer.clone());
            }
        }
    }

    async fn question(&self, names: &[Name]) -> Result<Vec<Found>, Arc<sqlx::Error>> {
        let mut connection = self.owner.acquire().await?;
        Ok(objects::find_together(&mut connection, names).await?)
    }
}
