//! A session and the batch that runs in it.

use postgres_protocol::message::backend::Message;
use tokio::time::Instant;

use super::PipelineOptions;
use super::cache::StatementCache;
use super::encoded::Encoded;
use super::error::{ConnectionError, Outcome};
use super::exchange::{Commits, Exchange, Kind, Transaction};
use super::frame::Frame;
use super::session::{CancelKey, Session};

mod compose;

/// How far to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Until the server is done with the batch.
    End,
    /// Also until rows of its last statement are there.
    Rows,
}

#[derive(Debug)]
pub(super) struct Connection {
    session: Session,
    cache: StatementCache,
    pub(super) exchange: Exchange,
    /// Whether the server may still be working on [`Connection::exchange`], or holds a transaction
    /// open.
    pub(super) is_busy: bool,
    /// Not to be used for another request.
    pub(super) is_spent: bool,
    pub(super) opened: Instant,
    pub(super) rested: Instant,
}

impl Connection {
    pub(super) fn new(session: Session, options: &PipelineOptions) -> Self {
        let now = Instant::now();
        Self {
            session,
            cache: StatementCache::new(options.statement_cache, options.preparation),
            exchange: Exchange::default(),
            is_busy: false,
            is_spent: false,
            opened: now,
            rested: now,
        }
    }

    pub(super) fn key(&self) -> CancelKey {
        self.session.key
    }

    /// Whether `encoded` may be sent before what was sent before it is answered: only reads, whose
    /// statements this session has and was quick with.
    pub(super) fn takes_along(&self, encoded: &Encoded) -> bool {
        encoded.is_simple_read()
            && encoded.steps().all(|step| {
                let known = self.cache.confirmed(step.key);
                known.is_some_and(|known| step.kind == Kind::Frame || known.is_quick())
            })
    }

    /// Whether the server still keeps this idle session, as far as what has arrived tells.
    pub(super) fn is_alive(&mut self) -> bool {
        loop {
            match self.session.wire.next() {
                Ok(Some(Frame::Message(
                    Message::NoticeResponse(_) | Message::NotificationResponse(_),
                ))) => {}
                Ok(Some(Frame::Message(Message::ParameterStatus(body)))) => {
                    if self.session.reported.note(&body).is_err() {
                        return false;
                    }
                }
                Ok(None) => match self.session.wire.read_arrived() {
                    Ok(true) => {}
                    Ok(false) => return !self.session.reported.has_drifted(),
                    Err(_) => return false,
                },
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    }

    /// Turns to the next of several batches that were composed.
    pub(super) fn expect(&mut self, exchange: Exchange) {
        self.exchange = exchange;
        self.is_busy = true;
    }

    /// Sends what is composed and reads on; `None` where it stopped for rows. Cancel safe: called
    /// again, it goes on where it was.
    pub(super) async fn complete(
        &mut self,
        until: Until,
    ) -> Result<Option<Transaction>, ConnectionError> {
        let completed = self.read_on(until).await;
        if completed.is_err() {
            self.is_spent = true;
            self.is_busy = false;
        } else if self.exchange.ended == Some(Transaction::None) {
            self.is_busy = false;
            self.session.wire.rest();
        }
        completed
    }

    /// Whether a function has changed the session that all requests share.
    pub(super) fn has_drifted(&self) -> bool {
        self.session.reported.has_drifted()
    }

    async fn read_on(&mut self, until: Until) -> Result<Option<Transaction>, ConnectionError> {
        let Session { wire, reported, .. } = &mut self.session;
        let exchange = &mut self.exchange;
        while exchange.ended.is_none() {
            if let Some(frame) = wire.next()? {
                exchange.accept(frame, &mut self.cache, reported)?;
            } else if until == Until::Rows && exchange.is_streaming() {
                break;
            } else {
                wire.transfer().await?;
            }
        }
        Ok(exchange.ended)
    }

    /// Whether the batch has left this process whole.
    pub(super) fn is_sent(&self) -> bool {
        self.session.wire.is_sent()
    }

    /// What became of a batch whose connection ended with `error`.
    pub(super) fn outcome(&self, error: &ConnectionError) -> Outcome {
        let said_why = matches!(error, ConnectionError::Ended(_));
        let applied = match self.exchange.commits {
            Commits::Never => false,
            // A server that can still say why it ends the session has not reached the commit
            // while steps are unanswered.
            Commits::AtEnd => !said_why || self.exchange.is_answered_whole(),
            Commits::InStep => true,
        };
        if applied && self.is_sent() {
            Outcome::Unknown
        } else {
            Outcome::NotApplied
        }
    }

    /// Whether the connection ended with `error` before the server took anything of the batch.
    fn never_began(&self, error: &ConnectionError) -> bool {
        !self.exchange.answered && (!self.is_sent() || matches!(error, ConnectionError::Ended(_)))
    }

    /// Whether a batch whose connection ended with `error` can be sent again: it surely did not
    /// begin, or it does no harm, nobody has seen any of its rows, and nothing says that it ended
    /// the connection itself.
    pub(super) fn is_repeatable(&self, error: &ConnectionError, is_harmless: bool) -> bool {
        self.never_began(error) || (is_harmless && error.is_from_outside())
    }

    /// Whether the batch failed only because a statement prepared earlier can no longer run; then
    /// all are forgotten, so that it can be tried anew.
    pub(super) fn drop_stale_statements(&mut self) -> bool {
        let error = self.exchange.error.as_ref();
        let stale = error.is_some_and(|error| error.is_stale_statement())
            && self.exchange.steps.iter().any(|step| !step.is_new);
        if stale {
            self.cache.clear();
        }
        stale
    }

    /// Whether another request may use it.
    pub(super) fn is_reusable(&self) -> bool {
        !self.is_busy && !self.is_spent && !self.has_drifted()
    }
}
