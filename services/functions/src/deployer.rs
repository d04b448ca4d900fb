//! Deploying by the API: look at the code, start it, write it down, have it serve. Whatever fails
//! on the way changes nothing: the version before it goes on serving.

use std::sync::Arc;

use common::BoxError;
use pg::sqlx;
use uuid::Uuid;

use crate::catalog::{Catalog, Tried, TryError};
use crate::checks::{self, Findings, Looks};
use crate::domain::FunctionName;
use crate::domain::code::{Code, CodeError};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::packages::Parts;
use crate::packages::Tree;
use crate::registry::{Deployed, Registry};
use crate::runtime::StartError;
use crate::runtime::deno::DenoRuntime;
use crate::store::functions::{FunctionChange, FunctionRow};

/// Deploys.
#[derive(Debug, Clone)]
pub(crate) struct Deployer {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) runtime: Arc<DenoRuntime>,
    pub(crate) registry: Registry,
}

/// Why nothing was deployed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeployError {
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The code's own fault.
    #[error("the code cannot be deployed")]
    Refused(Vec<Diagnostic>),
    /// The platform's.
    #[error("the code was not started")]
    Start(#[source] StartError),
    #[error("the version was not written down")]
    Store(#[from] sqlx::Error),
    #[error("the code was not looked at")]
    Internal(#[source] BoxError),
}

/// What is deployed, and by whom.
#[derive(Debug)]
pub(crate) struct Deployment<'a> {
    pub(crate) name: &'a FunctionName,
    pub(crate) code: &'a Code,
    pub(crate) created_by: &'a str,
    pub(crate) change: FunctionChange,
    pub(crate) looks: Looks,
}

impl Deployer {
    /// What is wrong with `code`, which is not deployed.
    pub(crate) async fn look(
        &self,
        code: &Code,
        looks: Looks,
    ) -> Result<Vec<Diagnostic>, DeployError> {
        Ok(self.examine(code, looks, None).await?.diagnostics)
    }

    async fn examine(
        &self,
        code: &Code,
        looks: Looks,
        known: Option<Arc<Tree>>,
    ) -> Result<Findings, DeployError> {
        code.check()?;
        let found = checks::check(&self.runtime, code, looks, known).await;
        found.map_err(DeployError::Internal)
    }

    /// Deploys; answers the function's id and what is not quite right with its code.
    pub(crate) async fn deploy(
        &self,
        deployment: Deployment<'_>,
    ) -> Result<(Uuid, Vec<Diagnostic>), DeployError> {
        let Deployment { name, code, .. } = deployment;
        // The same code has the same packages, whatever was published since.
        let packages = &self.runtime.packages;
        let known = packages.find(name, &code.hash(), &code.entry).await;
        let known = known.map_err(DeployError::Internal)?;
        let found = self.examine(code, deployment.looks, known).await?;
        if found.are_grave() {
            return Err(DeployError::Refused(found.diagnostics));
        }
        let tried = self.try_code(name, code, found.packages.clone()).await?;
        let parts = match &found.packages {
            Some(tree) => tree.parts().await.map_err(DeployError::Internal)?,
            None => Parts::default(),
        };
        let new = Deployed {
            name,
            code,
            packages: &parts,
            created_by: deployment.created_by,
        };
        let commit = self.registry.deploy(&new, &deployment.change);
        let id = Box::pin(self.catalog.publish(tried, commit)).await?;
        tracing::info!(function = %name, version = %code.hash(), "deployed");
        Ok((id, found.diagnostics))
    }

    /// Has an earlier version serve again; `None` where there is no such version.
    pub(crate) async fn roll_back(
        &self,
        function: &FunctionRow,
        version: i32,
    ) -> Result<Option<()>, DeployError> {
        let name = FunctionName::parse(&function.name);
        let code = self.registry.code(function.id, version).await?;
        let Some((name, code)) = name.zip(code) else {
            return Ok(None);
        };
        let tried = self.try_code(&name, &code, None).await?;
        let change = FunctionChange::default();
        let commit = self.registry.change(function.id, Some(version), &change);
        Box::pin(self.catalog.publish(tried, commit)).await?;
        tracing::info!(function = %name, version, "rolled back");
        Ok(Some(()))
    }

    async fn try_code(
        &self,
        name: &FunctionName,
        code: &Code,
        packages: Option<Arc<Tree>>,
    ) -> Result<Tried, DeployError> {
        self.catalog
            .try_code(name, code, packages)
            .await
            .map_err(|error| match error {
                TryError::Start(StartError::Broken(said)) => {
                    DeployError::Refused(vec![Diagnostic::of_start(&said)])
                }
                TryError::Start(error) => DeployError::Start(error),
                TryError::Source(error) => DeployError::Internal(error.into()),
            })
    }
}
