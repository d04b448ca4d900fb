//! Running reads that waited together, on one connection: all are sent, then each is answered in
//! its turn.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::connection::Until;
use super::error::{ConnectionError, PipelineError};
use super::exchange::Transaction;
use super::lease::{GRACE, Lease};
use super::pool::Pool;
use super::queue::{Job, Reply};

/// Has one more task wait for a connection.
pub(super) fn spawn(pool: &Arc<Pool>) {
    tokio::spawn(drive(Arc::clone(pool)));
}

/// Waits for a connection, and runs what may go out together of what waits by then.
async fn drive(pool: Arc<Pool>) {
    let mut leased = pool.lease_for_queue().await;
    let (jobs, more) = match &mut leased {
        Ok(lease) => pool.queue.take(lease.connection()),
        Err(error) => pool.refused(error),
    };
    if more {
        spawn(&pool);
    }
    match leased {
        Ok(lease) => run(lease, jobs).await,
        Err(PipelineError::Busy) => {
            for job in jobs {
                job.end(Reply::Done(Err(PipelineError::Busy)));
            }
        }
        // Each caller finds out why for itself.
        Err(_) => pass_over(jobs),
    }
}

async fn run(mut lease: Lease, jobs: Vec<Job>) {
    let mut sent = Vec::with_capacity(jobs.len());
    for job in jobs {
        match lease.connection().compose(&job.encoded) {
            Ok(exchange) => sent.push((job, exchange)),
            Err(error) => job.end(Reply::Done(Err(PipelineError::Invalid(error)))),
        }
    }
    let mut sent = sent.into_iter();
    for (mut job, exchange) in sent.by_ref() {
        lease.connection().expect(exchange);
        let reply = answer(&mut lease, &mut job).await;
        job.end(reply);
        let connection = lease.connection();
        if connection.is_busy || connection.has_drifted() {
            connection.is_spent = true;
        }
        if connection.is_spent {
            break;
        }
    }
    pass_over(sent.map(|(job, _)| job));
}

/// Waits for what the server answers to `job`, whose turn it is.
async fn answer(lease: &mut Lease, job: &mut Job) -> Reply {
    let begun = Instant::now();
    let completed = tokio::select! {
        biased;
        completed = lease.complete(Until::End, begun + job.patience) => completed,
        () = gone(&mut job.reply) => return Reply::PassedOver,
    };
    let ended = match completed {
        Ok(ended) => ended,
        Err(PipelineError::Unavailable { source, .. })
            if lease.connection().is_repeatable(&source, true) =>
        {
            return Reply::PassedOver;
        }
        Err(error) => return Reply::Done(Err(error)),
    };
    let connection = lease.connection();
    connection.exchange.took(begun.elapsed());
    if connection.drop_stale_statements() {
        return Reply::PassedOver;
    }
    Reply::Done(match connection.exchange.error.take() {
        Some(error) => Err(PipelineError::Database(error)),
        None if ended == Some(Transaction::None) => {
            Ok(std::mem::take(&mut connection.exchange.results))
        }
        None => Err(lease.lost(ConnectionError::Protocol("a statement began a transaction"))),
    })
}

/// Until the caller has been away for a while.
async fn gone(reply: &mut oneshot::Sender<Reply>) {
    reply.closed().await;
    sleep(GRACE).await;
}

fn pass_over(jobs: impl IntoIterator<Item = Job>) {
    for job in jobs {
        job.end(Reply::PassedOver);
    }
}
