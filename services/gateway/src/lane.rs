//! One service's share of the gateway: its upstream, how much of it may be used at one time, and
//! what is counted. A service that hangs fills its own lane only.

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use common::error::report;
use futures_util::FutureExt as _;
use http::StatusCode;
use metrics::{Counter, Histogram};
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::layers::patience::{self, Elapsed};
use crate::layers::upload::{self, Upload};
use crate::refusal::Refusal;
use crate::routes::ServiceName;
use crate::upstream::{Upstream, UpstreamError};

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) service: ServiceName,
    pub(crate) upstream: Upstream,
    /// Bytes of a body; `None` where the service has limits of its own.
    pub(crate) body_bytes: Option<u64>,
    body_pause: Duration,
    answer: Duration,
    places: Semaphore,
}

impl Lane {
    pub(crate) fn new(service: ServiceName, upstream: Upstream, limits: &Limits) -> Self {
        let is_storage = service == ServiceName::Storage;
        let answer = match service {
            ServiceName::Storage => limits.storage_answer,
            ServiceName::Functions => limits.function_answer,
            ServiceName::Auth | ServiceName::Rest | ServiceName::Realtime => limits.answer,
        };
        Self {
            service,
            upstream,
            body_bytes: (!is_storage).then_some(limits.body_bytes),
            body_pause: limits.body_pause,
            answer,
            places: Semaphore::new(limits.in_flight),
        }
    }

    /// Hands `request` to the service. The place it takes is free again when the answer's head is
    /// there, so that sockets and long downloads hold none.
    pub(crate) async fn forward(&self, mut request: Request) -> Result<Response, Refusal> {
        let Ok(place) = self.places.try_acquire() else {
            upload::discard(request).await;
            return Err(Refusal::Busy);
        };
        let upload = Upload::guard(&mut request, self.body_bytes, self.body_pause);
        let call = AssertUnwindSafe(self.upstream.call(request)).catch_unwind();
        let answered = patience::wait(self.answer, upload.as_deref(), call).await;
        drop(place);
        let answer = match answered {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(error))) => Err(self.explain(&error)),
            Ok(Err(_panic)) => {
                tracing::error!(service = self.service.as_str(), "a handler panicked");
                Err(Refusal::Internal)
            }
            Err(Elapsed) => Err(Refusal::TimedOut),
        };
        let Some(upload) = upload else {
            return answer;
        };
        upload.drain().await;
        upload.refusal().map_or(answer, Err)
    }

    fn explain(&self, error: &UpstreamError) -> Refusal {
        report(self.service.as_str(), error);
        match error {
            UpstreamError::Unreachable(_) => Refusal::Unavailable,
            UpstreamError::BrokeOff(_) => Refusal::BadGateway,
            UpstreamError::Address(_) => Refusal::BadRequest("The path is not valid"),
        }
    }
}

/// Counts answers by service and status, and how long they took.
#[derive(Debug)]
pub(crate) struct Meter {
    service: &'static str,
    /// By status, from 100 on; a handle is made when a status first occurs, since looking one up
    /// costs more than counting.
    answers: Box<[OnceLock<Counter>]>,
    seconds: Histogram,
}

const FIRST_STATUS: u16 = 100;
const STATUSES: usize = 500;

impl Meter {
    pub(crate) fn new(service: &'static str) -> Self {
        Self {
            service,
            answers: (0..STATUSES).map(|_| OnceLock::new()).collect(),
            seconds: metrics::histogram!(
                "selfdb_gateway_request_duration_seconds",
                "service" => service
            ),
        }
    }

    pub(crate) fn count(&self, status: StatusCode, took: Duration) {
        self.seconds.record(took);
        let index = usize::from(status.as_u16().saturating_sub(FIRST_STATUS));
        let Some(counter) = self.answers.get(index) else {
            return;
        };
        let made = || {
            metrics::counter!(
                "selfdb_gateway_requests_total",
                "service" => self.service,
                "status" => status.as_str().to_owned()
            )
        };
        counter.get_or_init(made).increment(1);
    }
}
