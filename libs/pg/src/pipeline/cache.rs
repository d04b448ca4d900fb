//! The statements prepared in one session, bounded, by text, parameter types and role. The role
//! belongs to it: under row-level security a plan is made for one role, and a statement shared by
//! two would be planned anew whenever they take turns.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use lru::LruCache;
use postgres_protocol::message::frontend;

use super::Preparation;
use super::results::Column;

/// Longer than this no statement may have taken that others are sent behind.
const QUICK: Duration = Duration::from_millis(20);

/// What identifies a statement: role, text and parameter types in one run of bytes, so that a
/// look-up needs no allocation.
pub(super) type Key = Box<[u8]>;

/// A statement the session has, or is about to have.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) server: Arc<ServerStatement>,
    /// The columns of its result; `None` until the server has described it.
    pub(super) columns: Option<Arc<[Column]>>,
}

/// A statement by the name that it has in its session.
#[derive(Debug)]
pub(super) struct ServerStatement {
    pub(super) name: Box<str>,
    /// Whether it was quick when it ran last.
    is_quick: AtomicBool,
}

impl ServerStatement {
    fn new(name: impl Into<Box<str>>) -> Arc<Self> {
        let is_quick = AtomicBool::new(false);
        let name = name.into();
        Arc::new(Self { name, is_quick })
    }

    /// Notes how long the batch took that it ran in.
    pub(super) fn took(&self, time: Duration) {
        self.is_quick.store(time <= QUICK, Ordering::Relaxed);
    }

    pub(super) fn is_quick(&self) -> bool {
        self.is_quick.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(super) struct StatementCache {
    preparation: Preparation,
    entries: LruCache<Key, Prepared>,
    /// Statements to close at the start of the next batch. Not earlier: the batch that displaced
    /// one may still use it.
    displaced: Vec<Arc<ServerStatement>>,
    last: u32,
}

impl StatementCache {
    pub(super) fn new(capacity: NonZeroUsize, preparation: Preparation) -> Self {
        Self {
            preparation,
            entries: LruCache::new(capacity),
            displaced: Vec::new(),
            last: 0,
        }
    }

    /// The statement that `key` identifies, if the session has it.
    pub(super) fn find(&mut self, key: &[u8]) -> Option<Prepared> {
        self.entries.get(key).cloned()
    }

    /// The statement that `key` identifies, where the server has said that it has it.
    pub(super) fn confirmed(&self, key: &[u8]) -> Option<&ServerStatement> {
        let prepared = self.entries.peek(key)?;
        prepared.columns.is_some().then_some(&prepared.server)
    }

    /// Takes in the statement that `key` identifies, under a new name.
    pub(super) fn add(&mut self, key: &[u8]) -> Prepared {
        if self.preparation == Preparation::Dropped {
            // The unnamed statement, which each next one takes the place of.
            return Prepared {
                server: ServerStatement::new(""),
                columns: None,
            };
        }
        self.last += 1;
        let prepared = Prepared {
            server: ServerStatement::new(format!("s{}", self.last)),
            columns: None,
        };
        if let Some((_, old)) = self.entries.push(key.into(), prepared.clone()) {
            self.displaced.push(old.server);
        }
        prepared
    }

    /// Notes that the server has the statement `server` and what it gives.
    pub(super) fn confirm(
        &mut self,
        key: &[u8],
        server: &Arc<ServerStatement>,
        columns: &Arc<[Column]>,
    ) {
        if let Some(prepared) = self.entries.peek_mut(key)
            && Arc::ptr_eq(&prepared.server, server)
        {
            prepared.columns = Some(Arc::clone(columns));
        }
    }

    /// Drops a statement that the server may not have: its batch failed first.
    pub(super) fn forget(&mut self, key: &[u8], server: &Arc<ServerStatement>) {
        if self
            .entries
            .peek(key)
            .is_some_and(|prepared| Arc::ptr_eq(&prepared.server, server))
            && let Some(prepared) = self.entries.pop(key)
        {
            self.displaced.push(prepared.server);
        }
    }

    /// Drops every statement.
    pub(super) fn clear(&mut self) {
        while let Some((_, prepared)) = self.entries.pop_lru() {
            self.displaced.push(prepared.server);
        }
    }

    /// Writes what closes the displaced statements, and answers how many these are. Closing one
    /// that the server never had is no error.
    pub(super) fn close_displaced(&self, output: &mut BytesMut) -> io::Result<usize> {
        for statement in &self.displaced {
            frontend::close(b'S', &statement.name, output)?;
        }
        Ok(self.displaced.len())
    }

    /// Notes that the first `count` displaced statements will be closed by the batch that was
    /// written.
    pub(super) fn closed(&mut self, count: usize) {
        self.displaced.drain(..count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(capacity: usize) -> StatementCache {
        let capacity = NonZeroUsize::new(capacity).expect("not zero");
        StatementCache::new(capacity, Preparation::Kept)
    }

    #[test]
    fn the_one_unused_longest_is_closed_with_the_next_batch() {
        let mut cache = cache(2);
        let mut closed = BytesMut::new();
        for key in [b"a", b"b", b"a", b"c"] {
            if cache.find(key).is_none() {
                cache.add(key);
            }
        }
        let count = cache.close_displaced(&mut closed).expect("written");
        cache.closed(count);
        assert_eq!(&closed[..], b"C\0\0\0\x08Ss2\0");
        assert!(cache.find(b"a").is_some());
        assert!(cache.find(b"b").is_none());
    }

    #[test]
    fn what_was_not_confirmed_is_forgotten_as_itself_only() {
        let mut cache = cache(2);
        let server = cache.add(b"a").server;
        let another = cache.add(b"b").server;
        cache.forget(b"a", &another);
        assert!(cache.find(b"a").is_some());
        cache.forget(b"a", &server);
        assert!(cache.find(b"a").is_none());
    }

    #[test]
    fn quick_is_what_was_quick_the_last_time() {
        let mut cache = cache(2);
        let server = cache.add(b"a").server;
        assert!(
            cache.confirmed(b"a").is_none(),
            "the server may not have it"
        );
        cache.confirm(b"a", &server, &Arc::default());
        let is_quick = || cache.confirmed(b"a").is_some_and(ServerStatement::is_quick);
        assert!(!is_quick(), "nobody knows");
        server.took(Duration::from_millis(1));
        assert!(is_quick());
        server.took(QUICK * 2);
        assert!(!is_quick());
    }
}
