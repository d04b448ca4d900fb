//! Every service in this process, mounted behind the gateway.

use common::error::BoxError;
use common::server::{self, ServerLimits};
use common::{Lifecycle, Service, ServiceConfig as _};
use gateway::{Upstream, Upstreams};

use crate::config::Services;
use crate::listeners::Bound;

/// Builds the services and serves them.
pub async fn start(
    services: Services,
    api: Bound,
    functions_health: Bound,
    lifecycle: &Lifecycle,
) -> Result<(), BoxError> {
    let functions = Box::pin(services.functions.build()).await?;
    let health = functions.router.clone();
    let upstreams = Upstreams {
        auth: mount(Box::pin(services.auth.build()).await?, lifecycle),
        rest: mount(Box::pin(services.rest.build()).await?, lifecycle),
        realtime: mount(Box::pin(services.realtime.build()).await?, lifecycle),
        storage: mount(Box::pin(services.storage.build()).await?, lifecycle),
        functions: mount(functions, lifecycle),
    };
    let gateway = services.gateway.build_with(upstreams)?;
    supervise(&gateway, lifecycle);
    let limits = ServerLimits::default();
    let serving = server::serve(api.into_tokio()?, gateway.router, limits, lifecycle.clone());
    lifecycle.spawn(serving);
    let listener = functions_health.into_tokio()?;
    lifecycle.spawn(server::serve(listener, health, limits, lifecycle.clone()));
    Ok(())
}

fn mount(service: Service, lifecycle: &Lifecycle) -> Upstream {
    supervise(&service, lifecycle);
    Upstream::InProcess(service.router, service.checks)
}

fn supervise(service: &Service, lifecycle: &Lifecycle) {
    for task in &service.tasks {
        lifecycle.supervise(service.name, task.clone());
    }
}
