//! The transaction a request runs in: as its role, with its claims, under row-level security.

use common::{Check, Settings};
use sqlx::postgres::PgPool;
use sqlx::{Error, Postgres, Transaction};

use crate::pipeline::{Pipeline, PipelineError, PipelineOptions};
use crate::{Endpoint, PoolOptions, RequestContext, pool, roles};

/// Everything local to the transaction. The role comes last, so that nothing before it depends on
/// what the role may do. `SET ROLE` does not apply the role's own settings, hence the look-up.
const ENTER: &str = include_str!("../sql/enter_request.sql");

/// Two pools: one whose login can only become anon or authenticated, one that can only become
/// `service_role`. No statement on the first can reach what only the second may.
#[derive(Debug, Clone)]
pub struct AccessPools {
    user: PgPool,
    service: PgPool,
}

impl AccessPools {
    /// Pools for the service called `name`, of at most `max_connections` each, by the settings of
    /// `AUTHENTICATOR` and `SERVICE_AUTHENTICATOR` (see [`Endpoint::from_settings`]).
    pub fn from_settings(
        settings: &Settings<'_>,
        name: &str,
        max_connections: u32,
    ) -> Option<Self> {
        let user = Endpoint::from_settings(settings, "AUTHENTICATOR", roles::AUTHENTICATOR);
        let service = Endpoint::from_settings(
            settings,
            "SERVICE_AUTHENTICATOR",
            roles::SERVICE_AUTHENTICATOR,
        );
        let options = PoolOptions::new(format!("selfdb-{name}"), max_connections);
        Some(Self::new(&user?, &service?, &options))
    }

    /// Pools at two endpoints.
    pub fn new(user: &Endpoint, service: &Endpoint, options: &PoolOptions) -> Self {
        Self {
            user: pool(user, options),
            service: pool(service, options),
        }
    }

    /// Begins a transaction that is the request's: its role, its settings, its time-out. They end
    /// with it. SQLSTATE 42501 or 22023 where the role is not one a request may have.
    pub async fn begin(
        &self,
        context: &RequestContext,
    ) -> Result<Transaction<'static, Postgres>, Error> {
        let mut transaction = self.pool(&context.role).begin().await?;
        let default = roles::statement_timeout(&context.role)
            .as_millis()
            .to_string();
        let chosen = context
            .statement_timeout
            .map(|limit| limit.as_millis().to_string());
        sqlx::query(ENTER)
            .bind(&*context.claims)
            .bind(&context.method)
            .bind(&context.path)
            .bind(&context.headers)
            .bind(&context.cookies)
            .bind(chosen)
            .bind(default)
            .bind(&context.role)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }

    /// Whether Postgres answers to requests' logins.
    pub fn check(&self) -> Check {
        pool::check(&self.user)
    }

    fn pool(&self, role: &str) -> &PgPool {
        if role == roles::SERVICE_ROLE {
            &self.service
        } else {
            &self.user
        }
    }
}

/// As [`AccessPools`], for requests whose statements are known before they are sent: all go out as
/// one batch.
#[derive(Debug, Clone)]
pub struct AccessPipelines {
    user: Pipeline,
    service: Pipeline,
}

impl AccessPipelines {
    /// Pipelines to two endpoints. The error is a TLS configuration that cannot be used.
    pub fn new(
        user: &Endpoint,
        service: &Endpoint,
        options: &PipelineOptions,
    ) -> Result<Self, PipelineError> {
        Ok(Self {
            user: Pipeline::new(user.clone(), options.clone())?,
            service: Pipeline::new(service.clone(), options.clone())?,
        })
    }

    /// The one whose login can become the role of `context`.
    pub fn of(&self, context: &RequestContext) -> &Pipeline {
        if context.role == roles::SERVICE_ROLE {
            &self.service
        } else {
            &self.user
        }
    }
}
