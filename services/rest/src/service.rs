//! The configured service: its router, its cache, its check.

use std::sync::Arc;

use common::{BoxError, Check, Service, ServiceConfig, Settings, SystemClock, Task};
use pg::pipeline::{Pipeline, PipelineOptions};
use pg::{PoolOptions, pool};

use crate::app::App;
use crate::config::Config;
use crate::error::outage;
use crate::forgetting::forget_answers;
use crate::routes;
use crate::schema_cache::{CacheHandle, keep_fresh};

/// One connection listens for changes, the other reads the catalogue.
const CATALOGUE_CONNECTIONS: u32 = 2;

impl ServiceConfig for Config {
    const NAME: &'static str = "rest";
    const PORT: u16 = 3001;

    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        Self::read(settings)
    }

    async fn build(self) -> Result<Service, BoxError> {
        let options = PipelineOptions::new("selfdb-rest", self.pool);
        let catalogue = PoolOptions::new("selfdb-rest-catalogue", CATALOGUE_CONNECTIONS);
        let app = Arc::new(App {
            user: Pipeline::new(self.user.clone(), options.clone())?,
            service: Pipeline::new(self.service.clone(), options)?,
            catalogue: pool(&self.user, &catalogue),
            verifier: self.jwt.verifier(Arc::new(SystemClock)),
            cache: CacheHandle::empty(),
            config: self,
        });
        Ok(Service {
            name: Self::NAME,
            router: routes::router(Arc::clone(&app)),
            tasks: vec![
                refresh(&app),
                forget(&app),
                Task::new("outage", outage::tell),
            ],
            checks: vec![check(&app)],
        })
    }
}

fn refresh(app: &App) -> Task {
    let (pool, handle) = (app.catalogue.clone(), app.cache.clone());
    let schemas = app.config.schemas.clone();
    Task::new("schema_cache", move |shutdown| {
        keep_fresh(pool.clone(), schemas.clone(), handle.clone(), shutdown)
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
