//! What handlers share.

use std::sync::Arc;

use pg::pipeline::Pipeline;
use pg::sqlx::postgres::PgPool;

use crate::access::Authority;
use crate::config::Config;
use crate::error::Error;
use crate::plan::Limits;
use crate::schema_cache::{CacheHandle, SchemaCache};

/// The service at work.
#[derive(Debug)]
pub(crate) struct App {
    pub config: Config,
    pub cache: CacheHandle,
    pub authority: Authority,
    /// For every role but `service_role`.
    pub user: Pipeline,
    /// For `service_role` alone.
    pub service: Pipeline,
    /// Reads the catalogue.
    pub catalogue: PgPool,
}

impl App {
    /// What the configuration says about plans.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_rows: self.config.max_rows,
            aggregates: self.config.aggregates,
            explained: self.config.explained,
            end: self.config.transaction.end,
        }
    }

    /// The newest schema cache.
    pub(crate) fn schema(&self) -> Result<Arc<SchemaCache>, Error> {
        self.cache.current().ok_or(Error::NoSchemaCache)
    }
}
