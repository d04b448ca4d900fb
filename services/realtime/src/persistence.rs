//! Keeping what clients send to private topics, for those who join later: whoever may insert into
//! `realtime.messages` with the extension `persistence` asks for it message by message.

use std::sync::Arc;

use pg::sqlx::{Error, PgPool};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::broadcast::Broadcast;
use crate::store::messages;

/// The longest time a message is kept, in seconds: that of all messages.
pub const MAX_SECONDS: i64 = 72 * 60 * 60;
/// What is being written at once; more is not kept.
const UNDER_WAY: usize = 256;

/// For how many seconds a message is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping(pub i64);

/// Neither a yes or no, nor a whole number of seconds from 1 to [`MAX_SECONDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("persist takes true, or a ttl of 1 to 259200 seconds")]
pub struct InvalidKeeping;

impl Keeping {
    const LONGEST: Self = Self(MAX_SECONDS);

    /// What `persist` of a message asks for; `None` where it is not to be kept.
    pub fn asked(persist: &Value) -> Result<Option<Self>, InvalidKeeping> {
        match persist {
            Value::Null | Value::Bool(false) => Ok(None),
            Value::Bool(true) => Ok(Some(Self::LONGEST)),
            Value::Object(options) => match options.get("ttl") {
                None | Some(Value::Null) => Ok(Some(Self::LONGEST)),
                Some(ttl) => Self::seconds(ttl.as_i64()).map(Some),
            },
            Value::Number(_) | Value::String(_) | Value::Array(_) => Err(InvalidKeeping),
        }
    }

    /// The same of a query's `persist` and `persist[ttl]`.
    pub fn asked_by_query(
        persist: Option<&str>,
        ttl: Option<&str>,
    ) -> Result<Option<Self>, InvalidKeeping> {
        match (persist, ttl) {
            (_, Some(ttl)) => Self::seconds(ttl.parse().ok()).map(Some),
            (None | Some("false"), None) => Ok(None),
            (Some("true"), None) => Ok(Some(Self::LONGEST)),
            (Some(_), None) => Err(InvalidKeeping),
        }
    }

    fn seconds(seconds: Option<i64>) -> Result<Self, InvalidKeeping> {
        let fits = seconds.filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
        fits.map(Self).ok_or(InvalidKeeping)
    }
}

/// Writes messages down.
pub struct Keeper {
    pool: PgPool,
    under_way: Arc<Semaphore>,
}

impl Keeper {
    /// Writes with the owner's connections: whoever sends was asked already.
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            under_way: Arc::new(Semaphore::new(UNDER_WAY)),
        }
    }

    /// Keeps a message that has an id, whether or not the answer is waited for: whether it is kept.
    /// It was told, so where it cannot be kept nobody is refused anything.
    pub fn keep(&self, broadcast: &Broadcast, keeping: Keeping) -> JoinHandle<bool> {
        let permit = Arc::clone(&self.under_way).try_acquire_owned();
        let (pool, broadcast) = (self.pool.clone(), broadcast.clone());
        tokio::spawn(async move {
            let kept = match permit {
                Ok(_under_way) => messages::insert(&pool, &broadcast, keeping).await,
                Err(_) => Err(Error::PoolTimedOut),
            };
            if let Err(error) = &kept {
                tracing::warn!(error = %common::error::chain(error), "a message was not kept");
            }
            kept.is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_kept_as_long_as_is_asked_and_not_longer_than_all() {
        for (persist, expected) in [
            (json!(null), Ok(None)),
            (json!(false), Ok(None)),
            (json!(true), Ok(Some(Keeping(259_200)))),
            (json!({}), Ok(Some(Keeping(259_200)))),
            (json!({ "ttl": null }), Ok(Some(Keeping(259_200)))),
            (json!({ "ttl": 60 }), Ok(Some(Keeping(60)))),
            (json!({ "ttl": 259_200 }), Ok(Some(Keeping(259_200)))),
            (json!({ "ttl": 259_201 }), Err(InvalidKeeping)),
            (json!({ "ttl": 0 }), Err(InvalidKeeping)),
            (json!({ "ttl": 1.5 }), Err(InvalidKeeping)),
            (json!("yes"), Err(InvalidKeeping)),
        ] {
            assert_eq!(Keeping::asked(&persist), expected, "{persist}");
        }
        for (persist, ttl, expected) in [
            (None, None, Ok(None)),
            (Some("false"), None, Ok(None)),
            (Some("true"), None, Ok(Some(Keeping(259_200)))),
            (None, Some("60"), Ok(Some(Keeping(60)))),
            (Some("true"), Some("0"), Err(InvalidKeeping)),
            (None, Some("1h"), Err(InvalidKeeping)),
            (Some("1"), None, Err(InvalidKeeping)),
        ] {
            assert_eq!(Keeping::asked_by_query(persist, ttl), expected);
        }
    }
}
