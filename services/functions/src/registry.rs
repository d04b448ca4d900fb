//! Functions and versions as Postgres knows them: what one node deploys, all of them serve.

use std::collections::BTreeMap;

use common::Secret;
use pg::sqlx;
use pg::sqlx::postgres::PgPool;
use serde_json::json;
use uuid::Uuid;

use crate::domain::code::Code;
use crate::domain::packages::Parts;
use crate::domain::trigger::Trigger;
use crate::domain::{FunctionName, VersionId};
use crate::runtime::Described;
use crate::store::environment::{self, SealedVariable};
use crate::store::functions::{self, FunctionChange, FunctionRow};
use crate::store::packages;
use crate::store::queue::{self, NewEvent};
use crate::store::triggers;
use crate::store::versions::{self, NewVersion};
use crate::vault::Vault;

/// The registry of one database.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    pool: PgPool,
    vault: Option<Vault>,
}

/// Every function by name, at one revision.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) revision: i64,
    pub(crate) functions: BTreeMap<FunctionName, FunctionRow>,
    /// Variables by whose they are: a function's by its id, or all functions'.
    pub(crate) environment: BTreeMap<Option<Uuid>, BTreeMap<String, Secret>>,
}

/// A version to be, with what it imports from registries.
#[derive(Debug)]
pub(crate) struct Deployed<'a> {
    pub(crate) name: &'a FunctionName,
    pub(crate) code: &'a Code,
    pub(crate) packages: &'a Parts,
    pub(crate) created_by: &'a str,
}

impl Registry {
    /// The registry in `pool`; `vault` opens what is sealed in it.
    pub(crate) fn new(pool: PgPool, vault: Option<Vault>) -> Self {
        Self { pool, vault }
    }

    /// What there is, where it differs from what there was at `known`.
    pub(crate) async fn changes(
        &self,
        known: Option<i64>,
    ) -> Result<Option<Registered>, sqlx::Error> {
        let revision = self.revision().await?;
        if known == Some(revision) {
            return Ok(None);
        }
        let rows = functions::list(&self.pool).await?.into_iter();
        let functions = rows
            .filter_map(|row| Some((FunctionName::parse(&row.name)?, row)))
            .collect();
        Ok(Some(Registered {
            revision,
            functions,
            environment: self.environment().await?,
        }))
    }

    /// Grows with every change.
    pub(crate) async fn revision(&self) -> Result<i64, sqlx::Error> {
        functions::revision(&self.pool).await
    }

    async fn environment(
        &self,
    ) -> Result<BTreeMap<Option<Uuid>, BTreeMap<String, Secret>>, sqlx::Error> {
        let mut opened: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for variable in environment::list(&self.pool).await? {
            let place = SealedVariable::place(variable.function, &variable.name);
            let value = self
                .vault
                .as_ref()
                .and_then(|vault| vault.open(&variable.sealed, &place).ok());
            if let Some(value) = value {
                let owner = opened.entry(variable.function).or_default();
                owner.insert(variable.name, value);
            } else {
                tracing::error!(
                    name = variable.name,
                    "a variable of functions cannot be opened: FUNCTIONS_SECRETS_KEY is not the one it was sealed with"
                );
            }
        }
        Ok(opened)
    }

    /// Notes what `version` says of itself, if it is the version that serves; says whether it is.
    /// One that asks to run once does so the first time this is noted.
    pub(crate) async fn note(
        &self,
        name: &FunctionName,
        version: &VersionId,
        described: &Described,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        functions::lock(&mut transaction, name.as_str()).await?;
        let Some((id, number, hash)) = functions::current(&mut transaction, name.as_str()).await?
        else {
            return Ok(false);
        };
        if hash != version.as_str() {
            return Ok(false);
        }
        if let Some(description) = &described.description {
            functions::describe(&mut transaction, id, description).await?;
        }
        let wanted = &described.triggers;
        triggers::replace(&mut transaction, id, wanted).await?;
        let once = wanted.contains(&Trigger::Once);
        if once && triggers::mark_ran_once(&mut transaction, id, number).await? {
            let event = NewEvent {
                function: id,
                kind: "once",
                source: "deploy",
                payload: json!({ "version": number }),
            };
            queue::insert(&mut transaction, &event).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// The code of a version.
    pub(crate) async fn code(
        &self,
        function: Uuid,
        version: i32,
    ) -> Result<Option<Code>, sqlx::Error> {
        versions::code(&self.pool, function, version).await
    }

    /// Notes what the functions folder holds of `name`. It becomes the version that serves, unless
    /// the folder held the same when it was last noted: then whatever was deployed since stays.
    pub(crate) async fn note_folder(
        &self,
        name: &FunctionName,
        code: &Code,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let hash = code.hash();
        let known = functions::lock(&mut transaction, name.as_str()).await?;
        let id = match known {
            Some((_, Some(same))) if same == hash.as_str() => return Ok(()),
            Some((id, _)) => id,
            None => functions::insert(&mut transaction, name.as_str()).await?,
        };
        let version = NewVersion {
            function: id,
            code,
            origin: "folder",
            created_by: None,
        };
        let number = versions::insert(&mut transaction, &version).await?;
        functions::set_version(&mut transaction, id, number).await?;
        functions::set_folder_hash(&mut transaction, id, Some(hash.as_str())).await?;
        transaction.commit().await
    }

    /// Notes that the functions folder does not hold `name` any more. Unless something else was
    /// deployed since, nothing calls it any more.
    pub(crate) async fn forget_folder(&self, name: &FunctionName) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        if let Some((id, _)) = functions::lock(&mut transaction, name.as_str()).await? {
            functions::set_folder_hash(&mut transaction, id, None).await?;
            triggers::delete_of_folder(&mut transaction, id).await?;
        }
        transaction.commit().await
    }

    /// Makes what is deployed the version that serves; answers the function's id.
    pub(crate) async fn deploy(
        &self,
        deployed: &Deployed<'_>,
        change: &FunctionChange,
    ) -> Result<Uuid, sqlx::Error> {
        let name = deployed.name.as_str();
        let mut transaction = self.pool.begin().await?;
        let id = match functions::lock(&mut transaction, name).await? {
            Some((id, _)) => id,
            None => functions::insert(&mut transaction, name).await?,
        };
        let version = NewVersion {
            function: id,
            code: deployed.code,
            origin: "api",
            created_by: Some(deployed.created_by),
        };
        let number = versions::insert(&mut transaction, &version).await?;
        if !deployed.packages.0.is_empty() {
            packages::insert(&mut transaction, (id, number), deployed.packages).await?;
        }
        functions::set_version(&mut transaction, id, number).await?;
        functions::update(&mut transaction, id, change).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Deletes a function, its versions, and what only they imported.
    pub(crate) async fn delete(&self, id: Uuid) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        functions::delete(&mut transaction, id).await?;
        packages::sweep(&mut transaction).await?;
        transaction.commit().await
    }

    /// Changes what is said of a function, and which of its versions serves.
    pub(crate) async fn change(
        &self,
        id: Uuid,
        version: Option<i32>,
        change: &FunctionChange,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        if let Some(version) = version {
            functions::set_version(&mut transaction, id, version).await?;
        }
        functions::update(&mut transaction, id, change).await?;
        transaction.commit().await
    }
}
