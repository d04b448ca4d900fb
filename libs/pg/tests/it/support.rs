//! What the scenarios share: asking as a role, and reading an error's SQLSTATE.

use common::Settings;
use pg::sqlx::{AssertSqlSafe, Error, Postgres, Transaction, raw_sql};
use pg::{AccessPools, RequestContext, sqlstate};
use testkit::TestDatabase;
use uuid::Uuid;

pub(crate) const ANON: &str = r#"{"role":"anon"}"#;
pub(crate) const SERVICE: &str = r#"{"role":"service_role"}"#;

/// A database and the pools requests run on.
pub(crate) struct Ground {
    pub(crate) db: TestDatabase,
    pub(crate) pools: AccessPools,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let db = TestDatabase::new(&[]).await;
        let environment = db.settings();
        let pools = AccessPools::from_settings(&Settings::new(&environment), "test", 4);
        Self {
            db,
            pools: pools.expect("pools"),
        }
    }

    pub(crate) async fn begin(&self, context: RequestContext) -> Transaction<'static, Postgres> {
        self.pools.begin(&context).await.expect("a transaction")
    }

    /// Runs `sql` in a request of its own and keeps what it did; answers the rows affected, or the
    /// SQLSTATE.
    pub(crate) async fn run(&self, context: RequestContext, sql: &str) -> Result<u64, String> {
        let mut transaction = self.begin(context).await;
        let done = raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await;
        let rows = done.map_err(|error| code(&error))?.rows_affected();
        transaction.commit().await.map_err(|error| code(&error))?;
        Ok(rows)
    }
}

pub(crate) fn anon() -> RequestContext {
    RequestContext::new("anon", ANON)
}

pub(crate) fn service() -> RequestContext {
    RequestContext::new("service_role", SERVICE)
}

pub(crate) fn user(id: Uuid) -> RequestContext {
    let claims = format!(r#"{{"role":"authenticated","sub":"{id}","email":"a@example.com"}}"#);
    RequestContext::new("authenticated", claims)
}

pub(crate) fn code(error: &Error) -> String {
    sqlstate::of(error)
        .expect("Postgres refused it")
        .into_owned()
}
