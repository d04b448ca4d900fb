//! Versioned migrations of one schema, run by the role that owns it.
//!
//! Each file and the record that it was applied are one transaction, so a run that is interrupted
//! at any statement leaves the schema as before that file, and the next run goes on from there.

use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Error, PgConnection, Row as _};

use crate::Ident;

/// One file of SQL, applied once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The four digits its name begins with.
    pub version: u32,
    /// The file's name without `.sql`: `0001_users`.
    pub name: &'static str,
    /// Any number of statements, none of which begins or ends a transaction.
    pub sql: &'static str,
}

impl Migration {
    /// The migration in file `name`.sql, whose version is the four digits it begins with.
    ///
    /// Evaluated at compile time by [`crate::migrations!`], which stops there when the name does
    /// not begin with four digits.
    pub const fn from_file(name: &'static str, sql: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut version = 0;
        let mut at = 0;
        while at < 4 {
            assert!(
                bytes[at].is_ascii_digit(),
                "a migration is named 0001_what_it_does"
            );
            version = version * 10 + (bytes[at] - b'0') as u32;
            at += 1;
        }
        Self { version, name, sql }
    }

    fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.sql.as_bytes()).to_vec()
    }
}

/// The migrations of one schema, in order of their versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrations {
    /// The schema; its owner runs them and `<schema>.schema_migrations` records them.
    pub schema: &'static str,
    /// Oldest first.
    pub list: &'static [Migration],
}

/// The [`Migrations`] of a schema from the files `migrations/<name>.sql` of the calling crate:
/// `pg::migrations!("auth": "0001_users", "0002_sessions")`.
#[macro_export]
macro_rules! migrations {
    ($schema:literal: $($name:literal),+ $(,)?) => {
        $crate::Migrations {
            schema: $schema,
            list: &[$($crate::Migration::from_file(
                $name,
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
            )),+],
        }
    };
}

/// Why a schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A file that was applied reads differently now.
    #[error(
        "migration {schema}/{name} was changed after it was applied to this database: \
         restore the file and put the change into a new migration"
    )]
    Changed {
        /// The schema.
        schema: &'static str,
        /// The file.
        name: &'static str,
    },
    /// Two files of one version, or files out of order.
    #[error("migration {schema}/{name} does not follow the one before it")]
    Order {
        /// The schema.
        schema: &'static str,
        /// The file.
        name: &'static str,
    },
    /// A statement failed; nothing of its file was kept.
    #[error("migration {schema}/{name} failed")]
    Failed {
        /// The schema.
        schema: &'static str,
        /// The file.
        name: &'static str,
        /// What Postgres said.
        source: Error,
    },
    /// Connecting or bookkeeping failed.
    #[error("the migrations of schema {schema} could not be looked up")]
    Bookkeeping {
        /// The schema.
        schema: &'static str,
        /// What the driver said.
        source: Error,
    },
}

impl Migrations {
    /// Applies what is missing, in order; answers how many. Runs beside each other wait, by a lock
    /// in the database. Versions this program does not know are left alone: an older program may
    /// run on a newer schema.
    pub async fn run(&self, pool: &PgPool) -> Result<usize, MigrationError> {
        self.check_order()?;
        let mut connection = pool.acquire().await.map_err(|e| self.bookkeeping(e))?;
        self.prepare(&mut connection)
            .await
            .map_err(|e| self.bookkeeping(e))?;
        let mut applied = 0;
        for migration in self.list {
            if self.apply(&mut connection, migration).await? {
                tracing::info!(schema = self.schema, migration = migration.name, "migrated");
                applied += 1;
            }
        }
        Ok(applied)
    }

    fn check_order(&self) -> Result<(), MigrationError> {
        let follows = |pair: &&[Migration]| pair[0].version >= pair[1].version;
        match self.list.windows(2).find(follows) {
            Some(pair) => Err(MigrationError::Order {
                schema: self.schema,
                name: pair[1].name,
            }),
            None => Ok(()),
        }
    }

    fn bookkeeping(&self, source: Error) -> MigrationError {
        MigrationError::Bookkeeping {
            schema: self.schema,
            source,
        }
    }

    fn table(&self) -> Result<String, Error> {
        let schema = Ident::new(self.schema).map_err(Error::config)?;
        Ok(format!("{schema}.schema_migrations"))
    }

    async fn prepare(&self, connection: &mut PgConnection) -> Result<(), Error> {
        use sqlx::Connection as _;
        let mut transaction = connection.begin().await?;
        self.lock(&mut transaction).await?;
        let exists: bool = sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(self.table()?)
            .fetch_one(&mut *transaction)
            .await?;
        if !exists {
            let create = format!(
                "create table {} (version integer primary key, name text not null, \
                 checksum bytea not null, applied_at timestamptz not null default now())",
                self.table()?
            );
            sqlx::query(AssertSqlSafe(create))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Waits until nobody else migrates this schema; held until the transaction ends. A migration
    /// may take longer than a request's statements.
    async fn lock(&self, connection: &mut PgConnection) -> Result<(), Error> {
        sqlx::query(
            "select set_config('statement_timeout', '0', true), \
             pg_advisory_xact_lock(hashtextextended('selfdb.migrations.' || $1, 0))",
        )
        .bind(self.schema)
        .execute(connection)
        .await
        .map(drop)
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        migration: &Migration,
    ) -> Result<bool, MigrationError> {
        let fail = |source| MigrationError::Failed {
            schema: self.schema,
            name: migration.name,
            source,
        };
        let recorded = self
            .recorded(connection, migration)
            .await
            .map_err(|e| self.bookkeeping(e))?;
        match recorded {
            Some(checksum) if checksum == migration.checksum() => Ok(false),
            Some(_) => Err(MigrationError::Changed {
                schema: self.schema,
                name: migration.name,
            }),
            None => self
                .apply_missing(connection, migration)
                .await
                .map_err(fail),
        }
    }

    async fn recorded(
        &self,
        connection: &mut PgConnection,
        migration: &Migration,
    ) -> Result<Option<Vec<u8>>, Error> {
        let find = format!("select checksum from {} where version = $1", self.table()?);
        let row = sqlx::query(AssertSqlSafe(find))
            .bind(i64::from(migration.version))
            .fetch_optional(connection)
            .await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    async fn apply_missing(
        &self,
        connection: &mut PgConnection,
        migration: &Migration,
    ) -> Result<bool, Error> {
        use sqlx::Connection as _;
        let mut transaction = connection.begin().await?;
        self.lock(&mut transaction).await?;
        // Somebody else may have applied it while this run waited for the lock.
        if self.recorded(&mut transaction, migration).await?.is_some() {
            return Ok(false);
        }
        sqlx::query("select set_config('search_path', quote_ident($1), true)")
            .bind(self.schema)
            .execute(&mut *transaction)
            .await?;
        sqlx::raw_sql(migration.sql)
            .execute(&mut *transaction)
            .await?;
        let record = format!(
            "insert into {} (version, name, checksum) values ($1, $2, $3)",
            self.table()?
        );
        sqlx::query(AssertSqlSafe(record))
            .bind(i64::from(migration.version))
            .bind(migration.name)
            .bind(migration.checksum())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}
