//! Several statements that see the same moment.

use bytes::Bytes;
use http::request::Parts;
use pg::pipeline::{Batch, Isolation, ResultSet, Statement};

use super::context;
use crate::access::Caller;
use crate::app::App;
use crate::error::{DatabaseError, Error};

/// Runs `statements` as `caller`, in one transaction that sees nothing of what happens meanwhile,
/// and answers the first value of each.
pub(crate) async fn execute_in_snapshot<const N: usize>(
    app: &App,
    (caller, parts): (&Caller, &Parts),
    statements: [Statement<'_>; N],
) -> Result<[Option<Bytes>; N], Error> {
    let batch = Batch::read_only().with_isolation(Isolation::RepeatableRead);
    let batch = statements.into_iter().fold(batch, Batch::then);
    let results = app
        .pipeline(caller)
        .run(&context(caller, parts), &batch)
        .await
        .map_err(|error| DatabaseError::of_pipeline(error, caller.authenticated))?;
    let mut results = results.iter();
    Ok(std::array::from_fn(|_| {
        results.next().and_then(ResultSet::value)
    }))
}
