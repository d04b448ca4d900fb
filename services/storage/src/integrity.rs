//! Every object's SHA-256 is kept with it, and reads notice where the bytes are no longer those.
//!
//! A whole read is hashed as it streams, and its last chunk held back until the hash is known; a
//! small object is hashed before a byte is sent. A part of a larger object is sent, and the object
//! queued to be hashed as a whole. What was found whole is not hashed again for an hour, unless its
//! file was touched.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use common::{BoxError, Clock};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use lru::LruCache;
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::backend::{BackendError, ObjectStore, Opened, Outgoing, Stamp};
use crate::domain::object::Version;

/// How many versions are remembered as whole.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(8192).unwrap();
/// For how long.
const TRUST: Duration = Duration::HOUR;
/// The largest object that is hashed before it is sent, in bytes.
const SMALL_BYTES: u64 = 256 * 1024;
/// How many objects may wait to be hashed.
const QUEUE: usize = 256;

/// Which bytes to read, and what is known of them.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Names the bytes.
    pub version: Version,
    /// Their SHA-256; `None` of rows that SQL made.
    pub sha256: Option<[u8; 32]>,
    /// How many there are.
    pub size: u64,
    /// Offset of the first that is wanted.
    pub first: u64,
    /// How many are wanted.
    pub length: u64,
}

impl Wanted {
    /// All of a version's bytes.
    pub fn whole(version: Version, sha256: Option<[u8; 32]>, size: u64) -> Self {
        Self {
            version,
            sha256,
            size,
            first: 0,
            length: size,
        }
    }

    fn is_whole(&self) -> bool {
        self.length == self.size
    }
}

/// Reads bytes and notices damage.
#[derive(Clone)]
pub struct Reads {
    objects: Arc<dyn ObjectStore>,
    known: Arc<Known>,
    queue: mpsc::Sender<Wanted>,
    waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Wanted>>>,
    /// Small objects are held in memory whole while they are hashed: so many at once.
    hashing: Arc<Semaphore>,
}

/// What was found whole, and when.
struct Known {
    clock: Arc<dyn Clock>,
    whole: Mutex<LruCache<Version, Seen>>,
}

/// What a version's file was like when it was found whole, and when that was.
type Seen = (Option<Stamp>, OffsetDateTime);

impl Known {
    fn is_whole(&self, version: Version, stamp: Option<Stamp>) -> bool {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        whole
            .get(&version)
            .is_some_and(|(then, at)| *then == stamp && self.clock.now() - *at < TRUST)
    }

    fn found_whole(&self, version: Version, stamp: Option<Stamp>) {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        whole.put(version, (stamp, self.clock.now()));
    }
}

impl Reads {
    /// Reads of `objects`.
    pub fn new(objects: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            objects,
            known: Arc::new(Known {
                clock,
                whole: Mutex::new(LruCache::new(REMEMBERED)),
            }),
            queue,
            waiting: Arc::new(tokio::sync::Mutex::new(waiting)),
            hashing: Arc::new(Semaphore::new(64)),
        }
    }

    /// The bytes that are `wanted`. Damage ends the stream with [`BackendError::Damaged`], of small
    /// objects before its first byte.
    pub async fn read(&self, wanted: Wanted) -> Result<Outgoing, BackendError> {
        let Wanted {
            version,
            first,
            length,
            ..
        } = wanted;
        let Opened { bytes, stamp } = self.objects.get(version, first, length).await?;
        let Some(sha256) = wanted.sha256 else {
            return Ok(bytes);
        };
        if length == 0 && !wanted.is_whole() || self.known.is_whole(version, stamp) {
            return Ok(bytes);
        }
        if !wanted.is_whole() {
            return self.read_part(wanted, bytes).await;
        }
        let checked = Checked {
            bytes,
            sha256: Sha256::new(),
            expected: sha256,
            held: None,
            version,
            stamp,
            known: Arc::clone(&self.known),
            ended: false,
        };
        if wanted.size > SMALL_BYTES {
            return Ok(Outgoing::Stream(checked.boxed()));
        }
        let _place = self.hashing.acquire().await;
        let chunks: Vec<Bytes> = checked.try_collect().await?;
        Ok(chunks.into())
    }

    async fn read_part(&self, wanted: Wanted, bytes: Outgoing) -> Result<Outgoing, BackendError> {
        let whole = Wanted::whole(wanted.version, wanted.sha256, wanted.size);
        if wanted.size <= SMALL_BYTES {
            self.check(whole).await?;
        } else {
            // Where too many wait, this one is not sampled.
            let _ = self.queue.try_send(whole);
        }
        Ok(bytes)
    }

    /// Hashes all of a version's bytes, whatever is known of them.
    pub async fn check(&self, whole: Wanted) -> Result<(), BackendError> {
        let Some(expected) = whole.sha256 else {
            return Ok(());
        };
        let opened = self.objects.get(whole.version, 0, whole.size).await?;
        let mut checked = Checked {
            bytes: opened.bytes,
            sha256: Sha256::new(),
            expected,
            held: None,
            version: whole.version,
            stamp: opened.stamp,
            known: Arc::clone(&self.known),
            ended: false,
        };
        while checked.next().await.transpose()?.is_some() {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Hashes what was queued, one object after the other, until `shutdown`.
    pub async fn check_queued_until(self, shutdown: CancellationToken) -> Result<(), BoxError> {
        let mut waiting = self.waiting.lock().await;
        loop {
            let next = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                next = waiting.recv() => next,
            };
            let Some(whole) = next else { return Ok(()) };
            match self.check(whole).await {
                // It has been replaced since, or was told by the check itself.
                Ok(()) | Err(BackendError::Missing(_) | BackendError::Damaged(_)) => {}
                Err(error) => tracing::warn!(%error, "an object could not be checked"),
            }
        }
    }
}

/// A stream that is hashed, and whose last chunk is held back until the hash is right.
struct Checked {
    bytes: Outgoing,
    sha256: Sha256,
    expected: [u8; 32],
    held: Option<Bytes>,
    version: Version,
    stamp: Option<Stamp>,
    known: Arc<Known>,
    ended: bool,
}

impl Checked {
    fn end(&mut self) -> Option<Result<Bytes, BackendError>> {
        self.ended = true;
        let found: [u8; 32] = std::mem::take(&mut self.sha256).finalize().into();
        if found != self.expected {
            let version = self.version;
            tracing::error!(%version, "an object's bytes are damaged");
            return Some(Err(BackendError::Damaged(version)));
        }
        self.known.found_whole(self.version, self.stamp);
        self.held.take().map(Ok)
    }
}

impl Stream for Checked {
    type Item = Result<Bytes, BackendError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.ended {
            match ready!(this.bytes.poll_next_unpin(context)) {
                None => return Poll::Ready(this.end()),
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(chunk)) => {
                    this.sha256.update(&chunk);
                    if let Some(held) = this.held.replace(chunk) {
                        return Poll::Ready(Some(Ok(held)));
                    }
                }
            }
        }
        Poll::Ready(None)
    }
}
