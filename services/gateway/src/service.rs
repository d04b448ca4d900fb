//! From a configuration to a service.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use common::{BoxError, Service, ServiceConfig, Settings, Task};
use futures_util::future::join_all;

use crate::config::Config;
use crate::exchange::Gateway;
use crate::lane::{Lane, Meter};
use crate::layers::keys::Keys;
use crate::pages::Health;
use crate::routes::ServiceName;
use crate::upstream::{Tunnels, Upstream, Upstreams};

impl ServiceConfig for Config {
    const NAME: &'static str = "gateway";
    const PORT: u16 = 8000;
    const ANSWERS_HEALTH: bool = true;

    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        Self::from_settings(settings)
    }

    /// `API_HOST` (loopback unless set) and `API_PORT`.
    fn listen_address(settings: &Settings<'_>) -> SocketAddr {
        let host = settings.parsed_or("API_HOST", IpAddr::from([127, 0, 0, 1]));
        SocketAddr::new(host, settings.port("API_PORT", Self::PORT))
    }

    /// The gateway in front of services elsewhere.
    async fn build(self) -> Result<Service, BoxError> {
        let [auth, rest, realtime, storage, functions] =
            self.upstreams.clone().map(Upstream::remote);
        self.build_with(Upstreams {
            auth,
            rest,
            realtime,
            storage,
            functions,
        })
    }
}

impl Config {
    /// The gateway in front of `upstreams`. Its checks are whether each of them can answer.
    pub fn build_with(self, upstreams: Upstreams) -> Result<Service, BoxError> {
        let Upstreams {
            auth,
            rest,
            realtime,
            storage,
            functions,
        } = upstreams;
        let upstreams = [auth, rest, realtime, storage, functions];
        let lanes: Vec<_> = ServiceName::ALL
            .into_iter()
            .zip(upstreams)
            .map(|(service, upstream)| Lane::new(service, upstream, &self.limits))
            .collect();
        let names = ServiceName::ALL.iter().map(|service| service.as_str());
        let meters = names.chain(["gateway"]).map(Meter::new).collect();
        let health = Health::new(&lanes);
        let tunnels: Vec<_> = lanes
            .iter()
            .filter_map(|lane| lane.upstream.tunnels())
            .collect();
        let checks = health.checks();
        let gateway = Arc::new(Gateway {
            keys: Keys::new(self.api_keys, &self.jwt, self.key_mode)?,
            origins: self.origins,
            trusted_proxies: self.trusted_proxies,
            access_log: self.access_log,
            lanes,
            meters,
            health,
        });
        Ok(Service {
            name: <Self as ServiceConfig>::NAME,
            router: Router::new()
                .fallback(move |request: Request| Arc::clone(&gateway).handle(request)),
            tasks: vec![closing(tunnels)],
            checks,
        })
    }
}

/// Ends the websockets to services elsewhere when the process stops.
fn closing(tunnels: Vec<Tunnels>) -> Task {
    Task::new("tunnels", move |shutdown| {
        let tunnels = tunnels.clone();
        async move {
            shutdown.cancelled().await;
            join_all(tunnels.iter().map(Tunnels::close)).await;
            Ok(())
        }
    })
}
