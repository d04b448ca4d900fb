//! A session and the batch that runs in it.

use postgres_protocol::message::backend::Message;
use tokio::time::Instant;

use super::PipelineOptions;
use super::batch::{Batch, Isolation};
use super::cache::StatementCache;
use super::error::{ConnectionError, Outcome};
use super::exchange::{Commits, Exchange, Transaction};
use super::frame::Frame;
use super::session::{CancelKey, Session};

mod compose;

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
    /// Whether the server may still be working on something, or holds a transaction open.
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
    pub(super) fn never_began(&self, error: &ConnectionError) -> bool {
        !self.exchange.answered && (!self.is_sent() || matches!(error, ConnectionError::Ended(_)))
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
        !self.is_busy && !self.is_spent && !self.session.reported.has_drifted()
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
