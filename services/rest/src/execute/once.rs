//! Work in one transaction, so that there is either all of it or nothing: of a write with an
//! `Idempotency-Key` the key is taken, the write done and its answer kept; of several operations
//! one is done after the other.

use std::time::Duration;

use axum::response::Response;
use http::request::Parts;
use pg::RequestContext;
use pg::pipeline::{Batch, Decision, OpenTransaction, PipelineError, ResultSet};

use super::work::Work;
use super::{context, statement};
use crate::access::Caller;
use crate::app::App;
use crate::error::{DatabaseError, Error, IdempotencyError};
use crate::idempotency::{Claim, KeptAnswer};
use crate::sql::{Sql, idempotency};

/// How long a request waits, again and again, for another with its key: 2 s in all. No connection
/// is held meanwhile.
const PAUSES_MS: [u64; 7] = [20, 40, 80, 160, 320, 640, 740];
/// Which statement of the batch takes the key.
const TAKING: usize = 1;

/// What came of one try.
enum Attempt {
    Answered(Response),
    /// Another request has the key.
    Busy,
}

/// Does `work` in one transaction, unless `claim` was answered before, and answers.
pub(crate) async fn execute_once(
    app: &App,
    (caller, parts): (&Caller, &Parts),
    work: &Work<'_>,
    claim: Option<&Claim>,
) -> Result<Response, Error> {
    let once = Once {
        app,
        caller,
        context: context(caller, parts),
        claim,
    };
    let mut renewed = false;
    let mut pauses = PAUSES_MS.into_iter();
    loop {
        match once.attempt(work).await {
            Ok(Attempt::Answered(response)) => return Ok(response),
            Ok(Attempt::Busy) => {
                let pause = pauses.next().ok_or(IdempotencyError::Busy)?;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            // All was undone with the statement that had to be prepared anew.
            Err(Failure::Database(error)) if is_stale(&error) && !renewed => renewed = true,
            Err(Failure::Database(error)) => {
                return Err(DatabaseError::of_pipeline(error, caller.authenticated));
            }
            Err(Failure::Ours(error)) => return Err(error),
        }
    }
}

/// Whether everything can be tried anew, since only a prepared statement was out of date.
pub(crate) fn is_stale(error: &PipelineError) -> bool {
    matches!(error, PipelineError::Database(error) if error.is_stale_statement())
}

/// Why a try came to nothing.
pub(crate) enum Failure {
    Database(PipelineError),
    Ours(Error),
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        Self::Database(error)
    }
}

impl<T: Into<Error>> From<T> for Failure {
    fn from(error: T) -> Self {
        Self::Ours(error.into())
    }
}

struct Once<'a> {
    app: &'a App,
    caller: &'a Caller,
    context: RequestContext,
    claim: Option<&'a Claim>,
}

impl Once<'_> {
    async fn attempt(&self, work: &Work<'_>) -> Result<Attempt, Failure> {
        let take = self.claim.map(|claim| as_login(idempotency::take(claim)));
        let first = take.unwrap_or_default().with_isolation(work.isolation());
        let pipeline = self.app.pipeline(self.caller);
        let begun = pipeline.begin(&self.context, &first).await;
        let (mut transaction, results) = begun.map_err(unavailable)?;
        let state = match self.claim {
            Some(_) => state(&results)?,
            None => State::New,
        };
        let decided = match state {
            State::New => {
                let written = self.write(&mut transaction, work).await;
                written.map(|response| (work.end(), Attempt::Answered(response)))
            }
            State::Kept(answer) => {
                Ok((Decision::Rollback, Attempt::Answered(answer.into_replay())))
            }
            State::Busy => Ok((Decision::Rollback, Attempt::Busy)),
            State::Other => Err(IdempotencyError::OtherRequest.into()),
        };
        match decided {
            Ok((decision, attempt)) => {
                transaction.end(decision).await?;
                Ok(attempt)
            }
            // Postgres has undone it already.
            Err(Failure::Database(error)) => Err(Failure::Database(error)),
            Err(Failure::Ours(error)) => {
                // Where this fails the transaction is undone with its connection.
                let _ = transaction.end(Decision::Rollback).await;
                Err(Failure::Ours(error))
            }
        }
    }

    async fn write(
        &self,
        transaction: &mut OpenTransaction,
        work: &Work<'_>,
    ) -> Result<Response, Failure> {
        let response = work.run(self.app, self.caller, transaction).await?;
        let Some(claim) = self.claim else {
            return Ok(response);
        };
        let settings = &self.app.config.idempotency;
        let answer = KeptAnswer::of(response).await?;
        let limit = settings.max_answer_bytes;
        if answer.body.len() > limit {
            return Err(IdempotencyError::AnswerTooLarge(limit).into());
        }
        let keep = as_login(idempotency::keep(claim, &answer, settings.expiry.as_secs()));
        transaction.run(&self.context, &keep).await?;
        Ok(answer.into_response())
    }
}

fn as_login(sql: Sql) -> Batch<'static> {
    Batch::read_write()
        .then(statement(idempotency::as_login()))
        .then(statement(sql))
}

/// The keeper is the platform's: a database without it, or a login it does not listen to, has none.
fn unavailable(error: PipelineError) -> Failure {
    let missing = |code: &str| matches!(code, "3F000" | "42883" | "42501");
    if let PipelineError::Database(refused) = &error
        && refused.statement == Some(TAKING)
        && missing(&refused.code)
    {
        return IdempotencyError::Unavailable.into();
    }
    error.into()
}

enum State {
    New,
    Kept(KeptAnswer),
    Busy,
    Other,
}

fn state(results: &[ResultSet]) -> Result<State, Error> {
    const SHAPE: Error = Error::Shape("no state of an idempotency key");
    let row = results.get(TAKING).and_then(|result| result.rows.first());
    let row = row.ok_or(SHAPE)?;
    let text = |column| {
        row.get(column)
            .and_then(|value| std::str::from_utf8(value).ok())
    };
    match text(0) {
        Some("new") => Ok(State::New),
        Some("busy") => Ok(State::Busy),
        Some("other") => Ok(State::Other),
        Some("kept") => {
            let kept = text(1).zip(text(2)).zip(text(3));
            let kept =
                kept.and_then(|((status, headers), body)| KeptAnswer::read(status, headers, body));
            kept.map(State::Kept).ok_or(SHAPE)
        }
        Some(_) | None => Err(SHAPE),
    }
}
