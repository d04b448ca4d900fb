//! What happens to a request, in order.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use common::{RequestId, SystemRandomness, request_id};
use http::header::{ORIGIN, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method};

use crate::config::{AccessLog, TrustedProxies};
use crate::lane::{Lane, Meter};
use crate::layers::access_log::Line;
use crate::layers::cors::{self, Origins, is_preflight};
use crate::layers::hop_by_hop::{self, Upgrade};
use crate::layers::keys::Keys;
use crate::layers::{forwarded, rewrite, sanity, upload};
use crate::pages::{self, Health};
use crate::refusal::Refusal;
use crate::routes::{self, Forward, Page, ServiceName, Target};

/// Everything the gateway decides with.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) keys: Keys,
    pub(crate) origins: Origins,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) access_log: AccessLog,
    /// By service, in the order of [`ServiceName::ALL`].
    pub(crate) lanes: Vec<Lane>,
    /// By service, and last of the gateway itself.
    pub(crate) meters: Vec<Meter>,
    pub(crate) health: Health,
}

/// What a request that was let in is let in to.
enum Admitted {
    Preflight,
    Page(Page),
    Service(Forward),
}

impl Gateway {
    /// Answers `request`.
    pub(crate) async fn handle(self: Arc<Self>, mut request: Request) -> Response {
        let started = Instant::now();
        // First what ends here ends: a client could name a header of ours as its connection's.
        let upgrade = hop_by_hop::strip(request.headers_mut());
        // Then whom it comes from, and its id: every refusal and every line below may name them.
        forwarded::overwrite(&mut request, &self.trusted_proxies);
        let id = RequestId::from_headers(request.headers(), &SystemRandomness);
        request
            .headers_mut()
            .insert(request_id::HEADER, id.header_value());
        let origin = request.headers().get(ORIGIN).cloned();
        let line = Line::begin(self.access_log, &request);

        let admitted = self.admit(&mut request, upgrade);
        let service = match &admitted {
            Ok(Admitted::Service(forward)) => Some(forward.service),
            Ok(Admitted::Preflight | Admitted::Page(_)) | Err(_) => None,
        };
        let answer = match admitted {
            Ok(Admitted::Service(forward)) => self.forward(forward, request).await,
            Ok(Admitted::Page(page)) => self.page(page, request).await,
            Ok(Admitted::Preflight) => Ok(cors::preflight(request.headers())),
            Err(refusal) => {
                upload::discard(request).await;
                Err(refusal)
            }
        };

        let mut response = answer.unwrap_or_else(Refusal::into_response);
        // Refusals are dressed like answers: a page that cannot read an error cannot show it.
        self.origins.dress(origin.as_ref(), &mut response);
        let headers = response.headers_mut();
        headers.insert(request_id::HEADER, id.header_value());
        let nosniff = HeaderValue::from_static("nosniff");
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(nosniff);
        // Counted and logged last, when there is nothing left that could change the answer.
        let took = started.elapsed();
        if let Some(meter) = self
            .meters
            .get(service.map_or(ServiceName::ALL.len(), ServiceName::index))
        {
            meter.count(response.status(), took);
        }
        let service = service.map_or("gateway", ServiceName::as_str);
        line.end(&id, response.status(), service, took);
        response
    }

    /// Lets a request in, or refuses it. What is cheap and refuses most stands first; nothing is
    /// read of a body.
    fn admit(&self, request: &mut Request, upgrade: Upgrade) -> Result<Admitted, Refusal> {
        // What is no request to us at all is not looked at further.
        sanity::check(request)?;
        let target = routes::find(request.uri().path()).map(|route| route.target);
        let is_preflight = is_preflight(request.method(), request.headers());
        let forward = match target {
            // Before keys: a browser sends none with a preflight. A function may answer its own.
            Some(Target::Forward(forward)) if is_preflight => {
                if forward.service != ServiceName::Functions {
                    return Ok(Admitted::Preflight);
                }
                forward
            }
            Some(Target::Page(_)) | None if is_preflight => return Ok(Admitted::Preflight),
            Some(Target::Forward(forward)) => forward,
            Some(Target::Page(page)) => return Ok(Admitted::Page(page)),
            None => return Err(Refusal::NotFound),
        };
        // Browsers ask no preflight for a websocket.
        if upgrade == Upgrade::WebSocket {
            self.origins.check_socket(request.headers())?;
        }
        // The key before the length: who has none learns nothing of limits.
        self.keys.settle(request, forward.access)?;
        upload::check_length(request, self.lane(forward).and_then(|lane| lane.body_bytes))?;
        // Last, since keys may stand in the query that is rewritten here.
        rewrite::apply(request, forward)?;
        Ok(Admitted::Service(forward))
    }

    async fn forward(&self, forward: Forward, request: Request) -> Result<Response, Refusal> {
        let Some(lane) = self.lane(forward) else {
            return Err(Refusal::NotFound);
        };
        let headers = request.headers();
        let preflight = is_preflight(request.method(), headers).then(|| headers.clone());
        let response = lane.forward(request).await?;
        // A function that says nothing of origins leaves the answer to us.
        match preflight {
            Some(headers) if !cors::is_answered(&response) => Ok(cors::preflight(&headers)),
            Some(_) | None => Ok(response),
        }
    }

    async fn page(&self, page: Page, request: Request) -> Result<Response, Refusal> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Refusal::Method);
        }
        match page {
            Page::Index => Ok(pages::index()),
            Page::Live => Ok(pages::live()),
            Page::Ready | Page::Health => Ok(self.health.page().await),
            Page::Metrics => {
                self.keys.require_service(request.headers())?;
                Ok(pages::metrics())
            }
        }
    }

    fn lane(&self, forward: Forward) -> Option<&Lane> {
        self.lanes.get(forward.service.index())
    }
}
