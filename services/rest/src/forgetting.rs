//! Forgets the answers kept for an `Idempotency-Key`, once they are over.

use std::time::Duration;

use common::BoxError;
use pg::sqlx;
use pg::sqlx::postgres::PgPool;
use tokio_util::sync::CancellationToken;

/// How often.
const PERIOD: Duration = Duration::from_mins(10);
/// How many in one transaction.
const MOST: i32 = 5_000;

const FORGET: &str = "select selfdb.forget_idempotent_answers($1)";

/// Forgets at once and then every ten minutes, until `shutdown`. Any number of services may do so.
pub(crate) async fn forget_answers(
    pool: PgPool,
    shutdown: CancellationToken,
) -> Result<(), BoxError> {
    loop {
        if let Err(error) = forget(&pool).await {
            // A database without the platform has nothing to forget.
            tracing::debug!(error = %common::error::chain(&error), "no answers were forgotten");
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn forget(pool: &PgPool) -> Result<(), sqlx::Error> {
    loop {
        let query = sqlx::query_scalar(FORGET).bind(MOST);
        let gone: i64 = query.fetch_one(pool).await?;
        if gone < i64::from(MOST) {
            return Ok(());
        }
    }
}
