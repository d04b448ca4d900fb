//! A batch as bytes, but for the names that its statements have in one session or another: what a
//! caller writes once, and any connection can send.

use std::io;
use std::ops::Range;

use bytes::{BufMut as _, BytesMut};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend::{self, BindError};

use super::batch::{Access, Batch, Decision, Isolation, Parameter};
use super::context;
use super::exchange::{Commits, Kind};
use crate::RequestContext;

/// Tag and length of a message.
const HEADER: usize = 5;
/// Tag and length of a `Bind`, the empty names of its portal and of its statement.
const BIND_HEADER: usize = HEADER + 2;

/// Who ends a batch's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Postgres, at the end of the batch.
    Implicit,
    /// The caller, once the results are there.
    Explicit,
    /// The caller: the transaction is open already.
    Continued,
}

/// A batch that is ready to be sent.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) access: Access,
    pub(super) framing: Framing,
    pub(super) commits: Commits,
    steps: Vec<EncodedStep>,
    bytes: BytesMut,
}

#[derive(Debug)]
struct EncodedStep {
    kind: Kind,
    key: Range<usize>,
    role: usize,
    bind: Range<usize>,
}

/// One statement of a batch, with its values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'e> {
    pub(super) kind: Kind,
    /// What identifies the statement: its role, its text, and the types of its parameters.
    pub(super) key: &'e [u8],
    /// The length of the role in the key.
    role: usize,
    bind: &'e [u8],
}

impl Encoded {
    /// Writes the context and the statements of `batch`. Fails where the protocol has no room for
    /// them.
    pub(super) fn new(
        context: &RequestContext,
        batch: &Batch<'_>,
        framing: Framing,
    ) -> io::Result<Self> {
        let mut encoded = Self {
            access: batch.access,
            framing,
            commits: match framing {
                Framing::Implicit => Commits::AtEnd,
                Framing::Explicit | Framing::Continued => Commits::Never,
            },
            steps: Vec::with_capacity(batch.statements.len() + 2),
            bytes: BytesMut::with_capacity(2048),
        };
        if framing == Framing::Explicit {
            encoded.frame(batch.isolation.begin(), std::iter::empty())?;
        }
        let sql = context::sql(batch).ok_or_else(|| invalid("too many settings"))?;
        let timeout = context::statement_timeout(context);
        encoded.frame(sql, context::values(context, batch, timeout.as_deref()))?;
        for statement in &batch.statements {
            let parameters = statement.parameters.as_slice();
            let values = parameters
                .iter()
                .map(|parameter| parameter.value.as_deref());
            let text = (context.role.as_str(), &*statement.sql);
            encoded.step(Kind::Statement, text, parameters, values)?;
        }
        Ok(encoded)
    }

    /// The end of a transaction that the caller ends.
    pub(super) fn end(decision: Decision) -> io::Result<Self> {
        let (sql, commits) = match decision {
            Decision::Commit => ("commit", Commits::InStep),
            Decision::Rollback => ("rollback", Commits::Never),
        };
        let mut encoded = Self {
            access: Access::ReadWrite,
            framing: Framing::Continued,
            commits,
            steps: Vec::with_capacity(1),
            bytes: BytesMut::with_capacity(64),
        };
        encoded.frame(sql, std::iter::empty())?;
        Ok(encoded)
    }

    /// Whether it cannot write, and its transaction ends with it: it can be sent a second time.
    pub(super) fn is_simple_read(&self) -> bool {
        self.access == Access::ReadOnly && self.framing == Framing::Implicit
    }

    /// The statements in order.
    pub(super) fn steps(&self) -> impl Iterator<Item = Written<'_>> {
        let bytes = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        self.steps.iter().map(move |step| Written {
            kind: step.kind,
            key: bytes(&step.key),
            role: step.role,
            bind: bytes(&step.bind),
        })
    }

    /// A statement of ours, the same for every role.
    fn frame<'v>(
        &mut self,
        sql: &str,
        values: impl Iterator<Item = Option<&'v str>>,
    ) -> io::Result<()> {
        self.step(Kind::Frame, ("", sql), &[], values)
    }

    fn step<'v>(
        &mut self,
        kind: Kind,
        (role, sql): (&str, &str),
        parameters: &[Parameter<'_>],
        values: impl Iterator<Item = Option<&'v str>>,
    ) -> io::Result<()> {
        let bytes = &mut self.bytes;
        let begin = bytes.len() + HEADER;
        // Types that are left to Postgres at the end make no difference to it.
        let typed = parameters
            .iter()
            .rposition(|parameter| parameter.type_oid != 0);
        let types = parameters.iter().take(typed.map_or(0, |last| last + 1));
        let types = types.map(|parameter| parameter.type_oid);
        // The role stands where the name will be: all of it together is what identifies it.
        frontend::parse(role, sql, types, bytes)?;
        let key = begin..bytes.len();
        let begin = bytes.len() + BIND_HEADER;
        let write = |value: Option<&str>, output: &mut BytesMut| {
            let Some(value) = value else {
                return Ok(IsNull::Yes);
            };
            output.extend_from_slice(value.as_bytes());
            Ok(IsNull::No)
        };
        let written = frontend::bind("", "", [], values, write, [], bytes);
        written.map_err(|error| match error {
            BindError::Serialization(error) => error,
            BindError::Conversion(_) => invalid("a value"),
        })?;
        self.steps.push(EncodedStep {
            kind,
            key,
            role: role.len(),
            bind: begin..bytes.len(),
        });
        Ok(())
    }
}

impl Written<'_> {
    /// Writes what prepares the statement under `name`.
    pub(super) fn parse(&self, name: &str, output: &mut BytesMut) -> io::Result<()> {
        let text = self.key.get(self.role..).unwrap_or_default();
        let length = length_of(name.len() + text.len())?;
        output.put_u8(b'P');
        output.put_i32(length);
        output.put_slice(name.as_bytes());
        output.put_slice(text);
        Ok(())
    }

    /// Writes what gives the statement `name` its values.
    pub(super) fn bind(&self, name: &str, output: &mut BytesMut) -> io::Result<()> {
        let length = length_of(name.len() + 2 + self.bind.len())?;
        output.put_u8(b'B');
        output.put_i32(length);
        output.put_u8(0);
        output.put_slice(name.as_bytes());
        output.put_u8(0);
        output.put_slice(self.bind);
        Ok(())
    }
}

impl Framing {
    /// What `batch` needs where its caller leaves the end to Postgres.
    pub(super) fn of(batch: &Batch<'_>) -> Self {
        match batch.isolation {
            Isolation::ReadCommitted => Self::Implicit,
            Isolation::RepeatableRead | Isolation::Serializable => Self::Explicit,
        }
    }
}

/// The length that a message with a body of `bytes` says of itself.
fn length_of(bytes: usize) -> io::Result<i32> {
    i32::try_from(bytes + 4).map_err(|_| invalid("a message of 2 GiB"))
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of a batch with one statement.
    fn key(role: &str, sql: &str, types: &[u32]) -> Vec<u8> {
        let parameters: Vec<Parameter<'_>> = types
            .iter()
            .map(|&type_oid| Parameter {
                type_oid,
                value: None,
            })
            .collect();
        let mut encoded = Encoded::end(Decision::Commit).expect("written");
        let values = types.iter().map(|_| None);
        encoded
            .step(Kind::Statement, (role, sql), &parameters, values)
            .expect("written");
        let last = encoded.steps().last().expect("a step");
        last.key.to_vec()
    }

    #[test]
    fn role_types_and_text_make_a_statement() {
        let first = key("anon", "select $1", &[23]);
        assert_eq!(first, key("anon", "select $1", &[23]));
        assert_eq!(first, key("anon", "select $1", &[23, 0]));
        assert_ne!(first, key("anon", "select $1", &[25]));
        assert_ne!(first, key("anon", "select $1", &[0, 23]));
        assert_ne!(first, key("authenticated", "select $1", &[23]));
        assert_ne!(first, key("anon", "select  $1", &[23]));
    }

    #[test]
    fn what_is_sent_is_what_the_protocol_library_writes() {
        let context = RequestContext::new("anon", "{}");
        let batch = Batch::read_only().then(
            super::super::Statement::new("select $1, $2")
                .bind_as(25, Some("a".into()))
                .bind_null(),
        );
        let encoded = Encoded::new(&context, &batch, Framing::Implicit).expect("written");
        let last = encoded.steps().last().expect("a step");
        let (mut ours, mut theirs) = (BytesMut::new(), BytesMut::new());
        last.parse("s17", &mut ours).expect("written");
        last.bind("s17", &mut ours).expect("written");
        frontend::parse("s17", "select $1, $2", [25], &mut theirs).expect("written");
        let values = [Some("a"), None];
        let write = |value: Option<&str>, output: &mut BytesMut| {
            output.extend_from_slice(value.unwrap_or_default().as_bytes());
            Ok(if value.is_some() {
                IsNull::No
            } else {
                IsNull::Yes
            })
        };
        let bound = frontend::bind("", "s17", [], values, write, [], &mut theirs);
        assert!(bound.is_ok());
        assert_eq!(ours, theirs);
    }
}
