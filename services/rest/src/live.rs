//! The service as it is configured now. A request keeps what it began with; a new configuration
//! takes the place of the old one between two requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::FromRef;
use common::{Clock, SystemClock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::standalone::{NOTICES, Source, SourceError, Values};

/// The service as it is configured now. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    app: RwLock<Arc<App>>,
    /// Where the configuration is read again; `None` where it never changes.
    source: Option<Source>,
    values: Mutex<Option<Values>>,
    loads: Mutex<Loads>,
    asked: Notify,
    given_up: CancellationToken,
}

/// Loads of the schema cache.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Loads {
    pub done: u64,
    pub failed: u64,
    pub last_seconds: f64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FromRef<Live> for Arc<App> {
    fn from_ref(live: &Live) -> Self {
        live.app()
    }
}

impl Live {
    pub(crate) fn new(app: App, source: Option<Source>) -> Self {
        Self(Arc::new(Shared {
            app: RwLock::new(Arc::new(app)),
            source,
            values: Mutex::default(),
            loads: Mutex::default(),
            asked: Notify::new(),
            given_up: CancellationToken::new(),
        }))
    }

    /// As it is now.
    pub(crate) fn app(&self) -> Arc<App> {
        let app = self.0.app.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&app)
    }

    /// Reads the configuration again. One that cannot be used changes nothing.
    pub(crate) async fn reload_config(&self) {
        let Some(source) = &self.0.source else {
            return;
        };
        let app = self.app();
        let reloaded = match source.values_with(&app.catalogue).await {
            Ok(values) => self.configure(values),
            Err(error) => Err(error),
        };
        match reloaded {
            Ok(()) => tracing::info!(target: NOTICES, "Config reloaded"),
            Err(error) => tracing::error!(target: NOTICES, "Failed reloading config: {error}"),
        }
    }

    /// Puts the configuration of `values` to work.
    pub(crate) fn configure(&self, values: Values) -> Result<(), SourceError> {
        let config = values.config()?;
        self.replace(&self.app(), config);
        *locked(&self.0.values) = Some(values);
        Ok(())
    }

    /// What the configuration was made of.
    pub(crate) fn values(&self) -> Option<Values> {
        locked(&self.0.values).clone()
    }

    /// Notes a load of the schema cache that took `duration`, or failed.
    pub(crate) fn note_load(&self, duration: Option<Duration>) {
        let mut loads = locked(&self.0.loads);
        match duration {
            Some(duration) => {
                loads.done += 1;
                loads.last_seconds = duration.as_secs_f64();
            }
            None => loads.failed += 1,
        }
    }

    /// The loads of the schema cache so far.
    pub(crate) fn loads(&self) -> Loads {
        *locked(&self.0.loads)
    }

    /// Puts `config` to work; where connections lead and how many there are stays as it was.
    fn replace(&self, app: &App, config: Config) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let next = App {
            authority: config.tokens.authority(clock),
            cache: app.cache.clone(),
            user: app.user.clone(),
            service: app.service.clone(),
            catalogue: app.catalogue.clone(),
            config,
        };
        let mut now = self.0.app.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(next);
    }

    /// Asks for a reload of configuration and schema.
    pub(crate) fn ask(&self) {
        self.0.asked.notify_one();
    }

    /// Waits until a reload is asked for.
    pub(crate) async fn asked(&self) {
        self.0.asked.notified().await;
    }

    /// Ends the process: Postgres is away for good.
    pub(crate) fn give_up(&self) {
        self.0.given_up.cancel();
    }

    /// Cancelled once there is no point in going on.
    pub(crate) fn given_up(&self) -> CancellationToken {
        self.0.given_up.clone()
    }
}
