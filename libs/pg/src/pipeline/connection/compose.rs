//! Writing a batch into the buffer, all of it or nothing.

use std::io;

use postgres_protocol::message::frontend;

use super::Connection;
use crate::pipeline::encoded::{Encoded, Written};
use crate::pipeline::exchange::{Exchange, Step};

impl Connection {
    /// Writes a whole batch to the buffer, behind what is there, and answers what is to be known
    /// of it when it is answered. Where that fails nothing of it remains.
    pub(in crate::pipeline) fn compose(&mut self, encoded: &Encoded) -> io::Result<Exchange> {
        let mut exchange = Exchange::new(encoded.commits);
        let begin = self.session.wire.output.len();
        match self.write(encoded, &mut exchange) {
            Ok(()) => {
                frontend::sync(&mut self.session.wire.output);
                self.is_busy = true;
                Ok(exchange)
            }
            Err(error) => {
                self.session.wire.output.truncate(begin);
                exchange.forget_unconfirmed(&mut self.cache);
                Err(error)
            }
        }
    }

    fn write(&mut self, encoded: &Encoded, exchange: &mut Exchange) -> io::Result<()> {
        let closing = self.cache.close_displaced(&mut self.session.wire.output)?;
        for written in encoded.steps() {
            exchange.steps.push(self.step(written)?);
        }
        self.cache.closed(closing);
        Ok(())
    }

    /// Writes one statement: prepares and describes it where that is still to be done, then runs
    /// it. Preparing comes after the context's step: names are looked up in its `search_path`.
    fn step(&mut self, written: Written<'_>) -> io::Result<Step> {
        let output = &mut self.session.wire.output;
        let found = self.cache.find(written.key);
        let is_new = found.is_none();
        let prepared = found.unwrap_or_else(|| self.cache.add(written.key));
        let name = &*prepared.server.name;
        if is_new {
            written.parse(name, output)?;
        }
        if prepared.columns.is_none() {
            frontend::describe(b'S', name, output)?;
        }
        written.bind(name, output)?;
        frontend::execute("", 0, output)?;
        Ok(Step {
            kind: written.kind,
            unconfirmed: prepared.columns.is_none().then(|| written.key.into()),
            server: prepared.server,
            columns: prepared.columns,
            is_new,
        })
    }
}
