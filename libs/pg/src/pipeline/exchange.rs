//! What is known of the batch under way: the steps that were sent, and the answers so far.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{Message, RowDescriptionBody};

use super::cache::{Key, ServerStatement, StatementCache};
use super::error::{ConnectionError, DatabaseError};
use super::frame::Frame;
use super::reported::Reported;
use super::results::{Column, ResultSet, Rows};

/// What one step of a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Begin, context, commit or rollback: ours, its result is of no interest.
    Frame,
    /// A statement of the caller's.
    Statement,
}

/// One statement that was sent, in the order sent.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) server: Arc<ServerStatement>,
    /// What it gives; `None` until the server has described it.
    pub(super) columns: Option<Arc<[Column]>>,
    /// Its place in the cache, where the answer to this step confirms it.
    pub(super) unconfirmed: Option<Key>,
    /// Whether the batch itself prepares it.
    pub(super) is_new: bool,
}

/// When the server commits what a batch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Commits {
    /// Not by this batch.
    #[default]
    Never,
    /// After it has answered every step.
    AtEnd,
    /// In a step.
    InStep,
}

/// Where the session's transaction stands after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    None,
    Open,
    Failed,
}

/// What becomes of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Keep {
    #[default]
    Rows,
    /// Nobody reads them any more.
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) steps: Vec<Step>,
    pub(super) results: Vec<ResultSet>,
    pub(super) rows: Rows,
    pub(super) error: Option<Box<DatabaseError>>,
    pub(super) keep: Keep,
    pub(super) commits: Commits,
    /// Whether the server has answered any part of the batch.
    pub(super) answered: bool,
    /// Set once the server has finished with the batch.
    pub(super) ended: Option<Transaction>,
    answering: usize,
}

impl Exchange {
    /// A batch that is about to be sent.
    pub(super) fn new(commits: Commits) -> Self {
        Self {
            commits,
            ..Self::default()
        }
    }

    /// Notes with the caller's statements how long the whole batch took.
    pub(super) fn took(&self, time: Duration) {
        for step in &self.steps {
            if step.kind == Kind::Statement {
                step.server.took(time);
            }
        }
    }

    /// Whether the last step is being answered: its rows are the ones to stream.
    pub(super) fn is_last_step(&self) -> bool {
        self.answering + 1 == self.steps.len()
    }

    /// Whether rows to stream are there.
    pub(super) fn is_streaming(&self) -> bool {
        self.is_last_step() && !self.rows.is_empty()
    }

    /// Whether every step has been answered, so that the server may have committed.
    pub(super) fn is_answered_whole(&self) -> bool {
        self.answering >= self.steps.len()
    }

    /// Takes in one frame.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
    pub(super) fn accept(
        &mut self,
        frame: Frame,
        cache: &mut StatementCache,
        reported: &mut Reported,
    ) -> Result<(), ConnectionError> {
        let message = match frame {
            Frame::Rows(frames, count) => {
                if self.keep == Keep::Rows {
                    self.rows.push(frames, count);
                }
                return Ok(());
            }
            Frame::Message(message) => message,
        };
        match message {
            Message::NoticeResponse(_) | Message::NotificationResponse(_) => return Ok(()),
            Message::ParameterStatus(body) => return Ok(reported.note(&body)?),
            Message::ErrorResponse(body) => return self.fail(DatabaseError::decode(&body)?),
            Message::ReadyForQuery(body) => self.finish(body.status(), cache)?,
            Message::ParseComplete
            | Message::BindComplete
            | Message::CloseComplete
            | Message::ParameterDescription(_) => {}
            Message::RowDescription(body) => self.describe(columns(&body)?, cache)?,
            Message::NoData => self.describe(Arc::default(), cache)?,
            Message::CommandComplete(body) => self.complete(body.tag()?)?,
            Message::EmptyQueryResponse => self.complete("")?,
            // Anything else (a COPY, above all) would leave both sides waiting for each other.
            _ => return Err(ConnectionError::Protocol("not an answer to a statement")),
        }
        self.answered = true;
        Ok(())
    }

    fn describe(
        &mut self,
        columns: Arc<[Column]>,
        cache: &mut StatementCache,
    ) -> Result<(), ConnectionError> {
        let step = self.steps.get_mut(self.answering).ok_or(TOO_MUCH)?;
        if let Some(key) = step.unconfirmed.take() {
            cache.confirm(&key, &step.server, &columns);
        }
        step.columns = Some(columns);
        Ok(())
    }

    fn complete(&mut self, tag: &str) -> Result<(), ConnectionError> {
        let step = self.steps.get_mut(self.answering).ok_or(TOO_MUCH)?;
        let rows = std::mem::take(&mut self.rows);
        if step.kind == Kind::Statement {
            let columns = step.columns.take().unwrap_or_default();
            let tag = tag.into();
            self.results.push(ResultSet { columns, rows, tag });
        }
        self.answering += 1;
        Ok(())
    }

    fn fail(&mut self, mut error: Box<DatabaseError>) -> Result<(), ConnectionError> {
        if error.is_fatal() {
            return Err(ConnectionError::Ended(error));
        }
        self.answered = true;
        let step = self.steps.get(self.answering);
        error.statement = step
            .filter(|step| step.kind == Kind::Statement)
            .map(|_| self.results.len());
        self.error.get_or_insert(error);
        Ok(())
    }

    fn finish(&mut self, status: u8, cache: &mut StatementCache) -> Result<(), ConnectionError> {
        self.ended = Some(match status {
            b'I' => Transaction::None,
            b'T' => Transaction::Open,
            b'E' => Transaction::Failed,
            _ => return Err(ConnectionError::Protocol("an unknown transaction state")),
        });
        self.forget_unconfirmed(cache);
        Ok(())
    }

    /// Drops from the cache what this batch meant to prepare and did not.
    pub(super) fn forget_unconfirmed(&mut self, cache: &mut StatementCache) {
        for step in &mut self.steps {
            if let Some(key) = step.unconfirmed.take() {
                cache.forget(&key, &step.server);
            }
        }
    }
}

const TOO_MUCH: ConnectionError = ConnectionError::Protocol("more answers than statements");

fn columns(body: &RowDescriptionBody) -> io::Result<Arc<[Column]>> {
    body.fields()
        .map(|field| {
            Ok(Column {
                name: field.name().to_owned(),
                type_oid: field.type_oid(),
                table_oid: field.table_oid(),
            })
        })
        .collect::<Vec<_>>()
        .map(Arc::from)
}
