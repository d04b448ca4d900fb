//! The configured service: its router, its cache, its check.

use std::sync::Arc;

use common::{BoxError, Check, Clock, Service, ServiceConfig, Settings, SystemClock, Task};
use pg::pipeline::Pipeline;
use pg::{PoolOptions, RoleRules, pool};

use crate::app::App;
use crate::config::Config;
use crate::error::outage;
use crate::forgetting::forget_answers;
use crate::live::Live;
use crate::routes;
use crate::schema_cache::{CacheHandle, keep_fresh};
use crate::standalone::Source;

/// One connection listens for changes, the other reads the catalogue.
const CATALOGUE_CONNECTIONS: u32 = 2;

impl ServiceConfig for Config {
    const NAME: &'static str = "rest";
    const PORT: u16 = 3001;

    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        Self::read(settings)
    }

    async fn build(self) -> Result<Service, BoxError> {
        let (service, _) = build(self, None)?;
        Ok(service)
    }
}

/// The service of `config`, and the handle by which it is configured anew from `source`.
pub(crate) fn build(config: Config, source: Option<Source>) -> Result<(Service, Live), BoxError> {
    let options = config.connections.options.clone();
    let catalogue = PoolOptions::new("selfdb-rest-catalogue", CATALOGUE_CONNECTIONS);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let rules = config.rules;
    let live = Live::new(
        App {
            user: Pipeline::new(config.user.clone(), options.clone())?,
            service: Pipeline::new(config.service.clone(), options)?,
            catalogue: pool(&config.user, &catalogue),
            authority: config.tokens.authority(clock),
            cache: CacheHandle::empty(),
            config,
        },
        source,
    );
    let app = live.app();
    let mut tasks = vec![refresh(&live), Task::new("outage", outage::tell)];
    if rules == RoleRules::Platform {
        tasks.push(forget(&app));
    }
    let service = Service {
        name: Config::NAME,
        router: routes::router(live.clone(), rules),
        tasks,
        checks: vec![check(&app)],
    };
    Ok((service, live))
}

fn refresh(live: &Live) -> Task {
    let live = live.clone();
    Task::new("schema_cache", move |shutdown| {
        keep_fresh(live.clone(), shutdown)
    })
}

fn forget(app: &App) -> Task {
    let pool = app.catalogue.clone();
    Task::new("idempotency", move |shutdown| {
        forget_answers(pool.clone(), shutdown)
    })
}

fn check(app: &App) -> Check {
    let handle = app.cache.clone();
    Check::new("schema_cache", move || {
        let loaded = handle.current().is_some();
        async move {
            if loaded {
                Ok(())
            } else {
                Err("not loaded yet".to_owned())
            }
        }
    })
}
