//! The statements prepared in one session, bounded, by text, parameter types and role. The role
//! belongs to it: under row-level security a plan is made for one role, and a statement shared by
//! two would be planned anew whenever they take turns.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::BytesMut;
use lru::LruCache;
use postgres_protocol::message::frontend;

use super::Preparation;
use super::batch::Parameter;
use super::results::Column;

/// What identifies a statement: role, parameter types and text in one run of bytes, so that a
/// look-up needs no allocation.
pub(super) type Key = Box<[u8]>;

/// A statement the session has, or is about to have.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) name: Arc<str>,
    /// The columns of its result; `None` until the server has described it.
    pub(super) columns: Option<Arc<[Column]>>,
}

#[derive(Debug)]
pub(super) struct StatementCache {
    preparation: Preparation,
    entries: LruCache<Key, Prepared>,
    /// Statements to close at the start of the next batch. Not earlier: the batch that displaced
    /// one may still use it.
    displaced: Vec<Arc<str>>,
    wanted: Vec<u8>,
    last: u32,
}

impl StatementCache {
    pub(super) fn new(capacity: NonZeroUsize, preparation: Preparation) -> Self {
        Self {
            preparation,
            entries: LruCache::new(capacity),
            displaced: Vec::new(),
            wanted: Vec::new(),
            last: 0,
        }
    }

    /// The statement with this role, text and types, if the session has it.
    pub(super) fn find(
        &mut self,
        role: &str,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Option<Prepared> {
        let wanted = &mut self.wanted;
        wanted.clear();
        wanted.extend_from_slice(role.as_bytes());
        wanted.push(0);
        // Types that are left to Postgres at the end make no difference to it.
        let typed = parameters
            .iter()
            .rposition(|parameter| parameter.type_oid != 0);
        for parameter in parameters.iter().take(typed.map_or(0, |last| last + 1)) {
            wanted.push(1);
            wanted.extend_from_slice(&parameter.type_oid.to_be_bytes());
        }
        wanted.push(0);
        wanted.extend_from_slice(sql.as_bytes());
        self.entries.get(wanted.as_slice()).cloned()
    }

    /// The key of the statement that was looked for last.
    pub(super) fn wanted(&self) -> Key {
        self.wanted.as_slice().into()
    }

    /// Takes in the statement that was looked for last, under a new name.
    pub(super) fn add(&mut self) -> Prepared {
        if self.preparation == Preparation::Dropped {
            // The unnamed statement, which each next one takes the place of.
            return Prepared {
                name: "".into(),
                columns: None,
            };
        }
        self.last += 1;
        let prepared = Prepared {
            name: format!("s{}", self.last).into(),
            columns: None,
        };
        let key = self.wanted();
        if let Some((_, old)) = self.entries.push(key, prepared.clone()) {
            self.displaced.push(old.name);
        }
        prepared
    }

    /// Notes that the server has the statement `name` and what it gives.
    pub(super) fn confirm(&mut self, key: &[u8], name: &str, columns: &Arc<[Column]>) {
        if let Some(prepared) = self.entries.peek_mut(key)
            && &*prepared.name == name
        {
            prepared.columns = Some(Arc::clone(columns));
        }
    }

    /// Drops a statement that the server may not have: its batch failed first.
    pub(super) fn forget(&mut self, key: &[u8], name: &str) {
        if self
            .entries
            .peek(key)
            .is_some_and(|prepared| &*prepared.name == name)
            && let Some(prepared) = self.entries.pop(key)
        {
            self.displaced.push(prepared.name);
        }
    }

    /// Drops every statement.
    pub(super) fn clear(&mut self) {
        while let Some((_, prepared)) = self.entries.pop_lru() {
            self.displaced.push(prepared.name);
        }
    }

    /// Writes what closes the displaced statements, and answers how many these are. Closing one
    /// that the server never had is no error.
    pub(super) fn close_displaced(&self, output: &mut BytesMut) -> io::Result<usize> {
        for name in &self.displaced {
            frontend::close(b'S', name, output)?;
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

    fn types(oids: &[u32]) -> Vec<Parameter<'static>> {
        let parameter = |&type_oid: &u32| Parameter {
            type_oid,
            value: None,
        };
        oids.iter().map(parameter).collect()
    }

    fn cache(capacity: usize) -> StatementCache {
        let capacity = NonZeroUsize::new(capacity).expect("not zero");
        StatementCache::new(capacity, Preparation::Kept)
    }

    #[test]
    fn role_types_and_text_make_a_statement() {
        let mut cache = cache(8);
        assert!(cache.find("anon", "select $1", &types(&[23])).is_none());
        let name = cache.add().name;
        let mut same = |role, sql, oids| {
            let found = cache.find(role, sql, &types(oids));
            found.is_some_and(|found| found.name == name)
        };
        assert!(same("anon", "select $1", &[23]));
        assert!(same("anon", "select $1", &[23, 0]));
        assert!(!same("anon", "select $1", &[25]));
        assert!(!same("anon", "select $1", &[0, 23]));
        assert!(!same("authenticated", "select $1", &[23]));
        assert!(!same("anon", "select  $1", &[23]));
    }

    #[test]
    fn the_one_unused_longest_is_closed_with_the_next_batch() {
        let mut cache = cache(2);
        let mut closed = BytesMut::new();
        for sql in ["a", "b", "a", "c"] {
            if cache.find("", sql, &[]).is_none() {
                cache.add();
            }
        }
        let count = cache.close_displaced(&mut closed).expect("written");
        cache.closed(count);
        assert_eq!(&closed[..], b"C\0\0\0\x08Ss2\0");
        assert!(cache.find("", "a", &[]).is_some());
        assert!(cache.find("", "b", &[]).is_none());
    }

    #[test]
    fn what_was_not_confirmed_is_forgotten_under_its_own_name_only() {
        let mut cache = cache(2);
        assert!(cache.find("", "a", &[]).is_none());
        let name = cache.add().name;
        let key = cache.wanted();
        cache.forget(&key, "another");
        assert!(cache.find("", "a", &[]).is_some());
        cache.forget(&key, &name);
        assert!(cache.find("", "a", &[]).is_none());
    }
}
