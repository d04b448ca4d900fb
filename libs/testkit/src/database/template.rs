//! The database that tests' databases are cloned from: bootstrapped and migrated once for each
//! combination of migrations, under a name that is their digest.

use std::fmt::Write as _;

use common::{EnvironmentMap, Settings};
use pg::bootstrap::{self, RolePasswords};
use pg::sqlx::{AssertSqlSafe, PgConnection};
use pg::{Ident, Migrations, PoolOptions, roles};
use sha2::{Digest as _, Sha256};

use crate::SharedCluster;

/// Every role's, where it is asked for.
pub(super) const PASSWORD: &str = "correct-horse-battery-staple";

/// How many templates are kept.
const KEPT: i64 = 32;

/// The template for `migrations`, made now where it does not exist.
pub(super) async fn ensure(cluster: &SharedCluster, migrations: &[Migrations]) -> Ident {
    let name = Ident::new(name(migrations)).expect("a template's name");
    let mut connection = cluster.connect().await;
    if exists(&mut connection, &name).await {
        return name;
    }
    let _lock = SharedCluster::lock();
    if !exists(&mut connection, &name).await {
        make(cluster, &mut connection, &name, migrations).await;
    }
    name
}

fn name(migrations: &[Migrations]) -> String {
    let mut digest = Sha256::new();
    digest.update(bootstrap::fingerprint());
    for migration in migrations.iter().flat_map(|schema| schema.list) {
        digest.update(migration.name);
        digest.update(migration.sql);
    }
    let mut name = "template_".to_owned();
    for byte in digest.finalize().iter().take(12) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

async fn exists(connection: &mut PgConnection, name: &Ident) -> bool {
    pg::sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name.as_str())
        .fetch_one(connection)
        .await
        .expect("the list of databases")
}

/// Built under another name, so that a template that exists is whole.
async fn make(
    cluster: &SharedCluster,
    connection: &mut PgConnection,
    name: &Ident,
    migrations: &[Migrations],
) {
    let building = Ident::new(format!("{}_building", name.as_str())).expect("a name");
    execute(
        connection,
        format!("drop database if exists {building} with (force)"),
    )
    .await;
    execute(
        connection,
        format!("create database {building} template template0"),
    )
    .await;
    let admin = cluster.endpoint(building.as_str(), roles::SUPERUSER);
    bootstrap::run(&admin, &passwords())
        .await
        .expect("the bootstrap of a template");
    for schema in migrations {
        let owner = roles::LOGINS
            .iter()
            .find(|login| login.schema == Some(schema.schema));
        let owner = owner.map_or(roles::SUPERUSER, |login| login.role);
        let endpoint = cluster.endpoint(building.as_str(), owner);
        let pool = pg::pool(&endpoint, &PoolOptions::new("template", 1));
        schema
            .run(&pool)
            .await
            .expect("the migrations of a template");
        pool.close().await;
    }
    execute(
        connection,
        format!("alter database {building} rename to {name}"),
    )
    .await;
    drop_outdated(connection).await;
}

/// Every change of a migration makes another template: those not made lately go.
async fn drop_outdated(connection: &mut PgConnection) {
    let outdated: Vec<String> = pg::sqlx::query_scalar(
        "select datname::text from pg_database where datname like 'template\\_%' \
         order by oid desc offset $1",
    )
    .bind(KEPT)
    .fetch_all(&mut *connection)
    .await
    .expect("the list of templates");
    for name in outdated
        .into_iter()
        .filter_map(|name| Ident::new(name).ok())
    {
        execute(connection, format!("drop database if exists {name}")).await;
    }
}

async fn execute(connection: &mut PgConnection, sql: String) {
    pg::sqlx::query(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .expect("making a template");
}

fn passwords() -> RolePasswords {
    let names = roles::LOGINS.map(|login| format!("{}_DB_PASSWORD", login.prefix));
    let environment: EnvironmentMap = names.into_iter().map(|name| (name, PASSWORD)).collect();
    RolePasswords::from_settings(&Settings::new(&environment)).expect("passwords are set")
}
