//! A database of its own for each test: a clone of a template, dropped when the test ends.

mod clean_up;
mod template;

use common::EnvironmentMap;
use pg::sqlx::{AssertSqlSafe, PgPool};
use pg::{Endpoint, Ident, Migrations, PoolOptions, roles};
use tempfile::TempDir;
use uuid::Uuid;

use crate::SharedCluster;
use crate::identity::Identities;

/// A bootstrapped and migrated database, and everything a service needs to be configured for it.
#[derive(Debug)]
pub struct TestDatabase {
    name: Ident,
    cluster: SharedCluster,
    admin: PgPool,
    identities: Identities,
    data: TempDir,
}

impl TestDatabase {
    /// A fresh database with the platform's objects and the given services' schemas.
    pub async fn new(migrations: &[Migrations]) -> Self {
        let cluster = SharedCluster::get().await;
        let template = template::ensure(&cluster, migrations).await;
        Self::create(cluster, Some(template)).await
    }

    /// A database with nothing in it, for tests of the bootstrap itself.
    pub async fn empty() -> Self {
        Self::create(SharedCluster::get().await, None).await
    }

    async fn create(cluster: SharedCluster, template: Option<Ident>) -> Self {
        let name = format!("test_{}_{}", std::process::id(), Uuid::new_v4().simple());
        let name = Ident::new(name).expect("a database's name");
        let template = template.map_or_else(|| "template0".to_owned(), |name| name.to_string());
        let mut connection = cluster.connect().await;
        clean_up::remove_abandoned(&mut connection).await;
        let create = format!("create database {name} template {template}");
        pg::sqlx::query(AssertSqlSafe(create))
            .execute(&mut connection)
            .await
            .expect("a database for this test");
        let endpoint = cluster.endpoint(name.as_str(), roles::SUPERUSER);
        let admin = pg::pool(&endpoint, &PoolOptions::new("test", 5));
        let data = tempfile::tempdir().expect("a directory for this test");
        Self {
            name,
            cluster,
            admin,
            identities: Identities::new(),
            data,
        }
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Where `user` (a role, needing no password) finds this database.
    pub fn endpoint(&self, user: &str) -> Endpoint {
        self.cluster.endpoint(self.name.as_str(), user)
    }

    /// A superuser's pool: for laying ground and looking behind the service under test.
    pub fn admin_pool(&self) -> PgPool {
        self.admin.clone()
    }

    /// Runs any number of statements as superuser.
    pub async fn execute(&self, sql: &str) {
        pg::sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&self.admin)
            .await
            .expect("the test's own SQL");
    }

    /// The env file of an instance on this database: everything a service's configuration needs.
    pub fn settings(&self) -> EnvironmentMap {
        let mut settings = self.identities.settings();
        settings.set("POSTGRES_HOST", "127.0.0.1");
        settings.set("POSTGRES_PORT", self.cluster.port.to_string());
        settings.set("POSTGRES_DB", self.name.as_str());
        settings.set("POSTGRES_PASSWORD", template::PASSWORD);
        for login in roles::LOGINS {
            settings.set(&format!("{}_DB_PASSWORD", login.prefix), template::PASSWORD);
        }
        settings.set("DATA_DIR", self.data.path().to_string_lossy());
        settings
    }

    /// An access token of the user `id`, as auth issues it.
    pub fn user_token(&self, id: Uuid, email: &str) -> String {
        self.identities.user_token(id, email)
    }

    /// An access token of a user who is an administrator.
    pub fn superuser_token(&self, id: Uuid, email: &str) -> String {
        self.identities.superuser_token(id, email)
    }

    /// A token with exactly these claims, rightly signed.
    pub fn token(&self, claims: &serde_json::Value) -> String {
        self.identities.sign(claims)
    }

    /// The legacy anon key, which is a token.
    pub fn anon_token(&self) -> &str {
        &self.identities.anon_key
    }

    /// The legacy service-role key, which is a token.
    pub fn service_token(&self) -> &str {
        &self.identities.service_role_key
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        clean_up::drop_now(self.cluster.clone(), self.name.clone());
    }
}
