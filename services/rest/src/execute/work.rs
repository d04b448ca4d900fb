//! What is done inside one transaction.

use axum::response::Response;
use pg::pipeline::{Decision, Isolation, OpenTransaction};

use super::Prepared;
use super::once::Failure;
use super::operations::Operations;
use crate::access::Caller;
use crate::app::App;
use crate::plan::Plan;
use crate::request::ApiRequest;
use crate::request::preferences::TransactionEnd;
use crate::response::respond;

/// One write, or several operations.
pub(crate) enum Work<'a> {
    One {
        prepared: Box<Prepared<'a>>,
        request: &'a ApiRequest,
        plan: &'a Plan,
    },
    Many(Operations<'a>),
}

impl Work<'_> {
    /// What becomes of it once it is done.
    pub(super) fn end(&self) -> Decision {
        let end = match self {
            Self::One { plan, .. } => plan.end,
            Self::Many(operations) => operations.end,
        };
        match end {
            TransactionEnd::Commit => Decision::Commit,
            TransactionEnd::Rollback => Decision::Rollback,
        }
    }

    /// The isolation it asks for.
    pub(super) fn isolation(&self) -> Isolation {
        match self {
            Self::One { prepared, .. } => prepared.batch.isolation,
            Self::Many(_) => Isolation::ReadCommitted,
        }
    }

    /// Does it; the caller commits.
    pub(super) async fn run(
        &self,
        app: &App,
        caller: &Caller,
        transaction: &mut OpenTransaction,
    ) -> Result<Response, Failure> {
        match self {
            Self::One {
                prepared,
                request,
                plan,
            } => {
                let results = transaction.run(&prepared.context, &prepared.batch).await?;
                let outcome = prepared.outcome(plan, &results)?;
                Ok(respond(request, plan, outcome, app.config.max_rows)?)
            }
            Self::Many(operations) => operations.run(app, caller, transaction).await,
        }
    }
}
