//! How the database is connected to.

use std::num::NonZeroUsize;
use std::time::Duration;

use common::Settings;
use pg::pipeline::{PipelineOptions, Preparation};
use pg::{Ident, RoleRules};

/// Connections of each of the two login roles of the platform.
const POOL: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
/// Connections to an operator's own database.
const OPERATORS_POOL: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9);
/// The longest that nothing else ends: an operator sets limits in the database, or wants none.
const OPERATORS_DEADLINE: Duration = Duration::from_hours(24);
const CHANNEL: &str = "pgrst";

/// How the database is connected to.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionSettings {
    pub options: PipelineOptions,
    /// Where changes of the schema and of the configuration are notified; `None` where nobody
    /// listens.
    pub channel: Option<Ident>,
    pub recovery: Recovery,
}

/// What is done when Postgres is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// It is tried again until it is there.
    Automatic,
    /// The process ends.
    None,
}

impl ConnectionSettings {
    pub(super) fn read(settings: &Settings<'_>, rules: RoleRules) -> Self {
        let pool = match rules {
            RoleRules::Platform => POOL,
            RoleRules::Operator => OPERATORS_POOL,
        };
        let pool = settings.parsed_or("PGRST_DB_POOL", pool);
        let mut options = PipelineOptions::new("selfdb-rest", pool);
        if rules == RoleRules::Operator {
            options.acquire_timeout = Duration::from_secs(10);
            options.idle_timeout = Duration::from_secs(30);
            options.deadline = OPERATORS_DEADLINE;
        }
        let wait = options.acquire_timeout;
        options.acquire_timeout = settings.seconds("PGRST_DB_POOL_ACQUISITION_TIMEOUT", wait);
        let rest = options.idle_timeout;
        options.idle_timeout = settings.seconds("PGRST_DB_POOL_MAX_IDLETIME", rest);
        let lifetime = options.lifetime;
        options.lifetime = settings.seconds("PGRST_DB_POOL_MAX_LIFETIME", lifetime);
        if !settings.flag("PGRST_DB_PREPARED_STATEMENTS", true) {
            options.preparation = Preparation::Dropped;
        }
        let recovers = settings.flag("PGRST_DB_POOL_AUTOMATIC_RECOVERY", true);
        Self {
            options,
            channel: channel(settings),
            recovery: if recovers {
                Recovery::Automatic
            } else {
                Recovery::None
            },
        }
    }
}

fn channel(settings: &Settings<'_>) -> Option<Ident> {
    const NAME: &str = "PGRST_DB_CHANNEL";
    if !settings.flag("PGRST_DB_CHANNEL_ENABLED", true) {
        return None;
    }
    let name = settings.text_or(NAME, CHANNEL);
    Ident::new(name)
        .map_err(|error| settings.reject(NAME, error.to_string()))
        .ok()
}
