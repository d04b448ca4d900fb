//! Hashing of passwords beside requests: on blocking threads, a few at once, with a short queue.

use std::sync::Arc;

use common::{Randomness, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::password_hash::{self, DECOY, HashError, Verdict};

/// How many may wait for each that is hashed. At about 40 ms a hash, the last waits about 2 s.
const QUEUE_PER_SLOT: usize = 50;

/// Hashes and checks passwords, so many at once.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    randomness: Arc<dyn Randomness>,
}

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// Too many wait already.
    #[error("too many passwords wait to be checked")]
    Busy,
    /// The computation failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The computation was stopped, at shutdown.
    #[error("hashing was stopped")]
    Stopped,
}

impl Hasher {
    /// Hashes up to `concurrency` passwords at once.
    pub fn new(concurrency: usize, randomness: Arc<dyn Randomness>) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(concurrency)),
            queue: Arc::new(Semaphore::new(concurrency * (QUEUE_PER_SLOT + 1))),
            randomness,
        }
    }

    /// The hash to store of a new password.
    pub async fn hash(&self, password: &Secret) -> Result<String, HashingError> {
        let randomness = Arc::clone(&self.randomness);
        let password = password.clone();
        let hash = self
            .run(move || password_hash::hash(password.expose(), &*randomness))
            .await?;
        Ok(hash?)
    }

    /// Checks a password against the stored hash; without one, takes as long and answers
    /// [`Verdict::Wrong`].
    pub async fn verify(
        &self,
        password: &Secret,
        stored: Option<&str>,
    ) -> Result<Verdict, HashingError> {
        let password = password.clone();
        let stored = stored.unwrap_or(DECOY).to_owned();
        self.run(move || password_hash::verify(password.expose(), &stored))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let queue = Arc::clone(&self.queue);
        let place = queue.try_acquire_owned().map_err(|_| HashingError::Busy)?;
        let slots = Arc::clone(&self.slots);
        let slot = slots
            .acquire_owned()
            .await
            .map_err(|_| HashingError::Stopped)?;
        // The permits go with the work: a client that leaves does not make room for another.
        let held: [OwnedSemaphorePermit; 2] = [place, slot];
        let work = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(held);
            answer
        });
        work.await.map_err(|_| HashingError::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use common::SystemRandomness;

    use super::*;

    #[tokio::test]
    async fn beyond_the_queue_callers_are_turned_away() {
        let hasher = Hasher::new(1, Arc::new(SystemRandomness));
        let everywhere = u32::try_from(QUEUE_PER_SLOT + 1).expect("a small number");
        let held = Arc::clone(&hasher.queue)
            .acquire_many_owned(everywhere)
            .await
            .expect("open");
        let password = Secret::from("hunter22");
        let refused = hasher.verify(&password, None).await;
        assert!(matches!(refused, Err(HashingError::Busy)));
        drop(held);
        assert_eq!(
            hasher.verify(&password, None).await.expect("checked"),
            Verdict::Wrong
        );
    }
}
