//! Writing a batch into the buffer, all of it or nothing.

use std::io;

use bytes::BytesMut;
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend::{self, BindError};

use super::{Connection, Framing};
use crate::RequestContext;
use crate::pipeline::batch::{Batch, Decision, Parameter};
use crate::pipeline::context;
use crate::pipeline::exchange::{Commits, Kind, Step};

impl Connection {
    /// Writes a whole batch to the buffer. Where that fails nothing of it remains.
    pub(in crate::pipeline) fn compose(
        &mut self,
        context: &RequestContext,
        batch: &Batch<'_>,
        framing: Framing,
    ) -> io::Result<()> {
        self.exchange.reset(match framing {
            Framing::Implicit => Commits::AtEnd,
            Framing::Explicit | Framing::Continued => Commits::Never,
        });
        let written = self.write(context, batch, framing);
        self.sealed(written)
    }

    /// Writes the end of an explicit transaction.
    pub(in crate::pipeline) fn compose_end(&mut self, decision: Decision) -> io::Result<()> {
        let (sql, commits) = match decision {
            Decision::Commit => ("commit", Commits::InStep),
            Decision::Rollback => ("rollback", Commits::Never),
        };
        self.exchange.reset(commits);
        let written = self.step(Kind::Frame, "", sql, &[], std::iter::empty());
        self.sealed(written)
    }

    fn sealed(&mut self, written: io::Result<()>) -> io::Result<()> {
        if written.is_ok() {
            frontend::sync(&mut self.session.wire.output);
            self.is_busy = true;
        } else {
            self.session.wire.output.clear();
            self.exchange.forget_unconfirmed(&mut self.cache);
        }
        written
    }

    fn write(
        &mut self,
        context: &RequestContext,
        batch: &Batch<'_>,
        framing: Framing,
    ) -> io::Result<()> {
        let closing = self.cache.close_displaced(&mut self.session.wire.output)?;
        if framing == Framing::Explicit {
            let begin = batch.isolation.begin();
            self.step(Kind::Frame, "", begin, &[], std::iter::empty())?;
        }
        let sql = context::sql(batch).ok_or_else(|| invalid("too many settings"))?;
        let timeout = context::statement_timeout(context);
        let values = context::values(context, batch, timeout.as_deref());
        self.step(Kind::Frame, "", sql, &[], values)?;
        for statement in &batch.statements {
            let parameters = statement.parameters.as_slice();
            let values = parameters
                .iter()
                .map(|parameter| parameter.value.as_deref());
            self.step(
                Kind::Statement,
                &context.role,
                &statement.sql,
                parameters,
                values,
            )?;
        }
        self.cache.closed(closing);
        Ok(())
    }

    /// Writes one statement: prepares and describes it where that is still to be done, then runs
    /// it. Preparing comes after the context's step: names are looked up in its `search_path`.
    fn step<'v>(
        &mut self,
        kind: Kind,
        role: &str,
        sql: &str,
        parameters: &[Parameter<'_>],
        values: impl Iterator<Item = Option<&'v str>>,
    ) -> io::Result<()> {
        let output = &mut self.session.wire.output;
        let found = self.cache.find(role, sql, parameters);
        let is_new = found.is_none();
        let prepared = found.unwrap_or_else(|| self.cache.add());
        let name = &*prepared.name;
        let unconfirmed = prepared.columns.is_none().then(|| self.cache.wanted());
        if is_new {
            let types = parameters.iter().map(|parameter| parameter.type_oid);
            frontend::parse(name, sql, types, output)?;
        }
        if prepared.columns.is_none() {
            frontend::describe(b'S', name, output)?;
        }
        let write = |value: Option<&str>, output: &mut BytesMut| {
            let Some(value) = value else {
                return Ok(IsNull::Yes);
            };
            output.extend_from_slice(value.as_bytes());
            Ok(IsNull::No)
        };
        let written = frontend::bind("", name, [], values, write, [], output);
        written.map_err(|error| match error {
            BindError::Serialization(error) => error,
            BindError::Conversion(_) => invalid("a value"),
        })?;
        frontend::execute("", 0, output)?;
        self.exchange.steps.push(Step {
            kind,
            name: prepared.name,
            columns: prepared.columns,
            unconfirmed,
            is_new,
        });
        Ok(())
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
