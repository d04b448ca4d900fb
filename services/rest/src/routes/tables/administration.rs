//! What every request of administration goes through.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;

use super::view::TableResponse;
use super::{SCHEMA, visible};
use crate::access::Caller;
use crate::app::App;
use crate::error::Error;
use crate::execute::execute_one;
use crate::plan::Access;
use crate::schema_cache::QualifiedName;
use crate::sql::Sql;

/// A request of administration.
pub(in crate::routes) struct Administration {
    pub app: Arc<App>,
    pub caller: Caller,
    parts: Parts,
}

impl Administration {
    /// Takes `request` apart, where its caller is of administration.
    pub(in crate::routes) fn of(app: Arc<App>, request: Request) -> Result<(Self, Body), Error> {
        let (parts, body) = request.into_parts();
        let caller = Caller::of(&app, &parts.headers)?;
        caller.require_admin()?;
        Ok((Self { app, caller, parts }, body))
    }

    /// Who it is; empty for the service role's key.
    pub(in crate::routes) fn subject(&self) -> String {
        self.caller.subject().unwrap_or_default()
    }

    /// Runs a statement as the service role, and answers its first value.
    pub(in crate::routes) async fn ask(
        &self,
        access: Access,
        statement: Sql,
    ) -> Result<Option<Bytes>, Error> {
        let service = self.caller.as_service().ok_or(Error::AdminOnly {
            authenticated: self.caller.authenticated,
        })?;
        execute_one(&self.app, (&service, &self.parts), access, statement).await
    }

    /// Runs a statement that changes `table`, as the service role, and makes its effect known to
    /// every request that follows on this server.
    pub(super) async fn run(&self, table: &str, statement: Sql) -> Result<(), Error> {
        self.ask(Access::ReadWrite, statement).await?;
        let name = QualifiedName::new(SCHEMA, table);
        let App {
            cache,
            catalogue,
            config,
            ..
        } = &*self.app;
        let refreshed = cache.refresh_table(catalogue, &config.schemas, &name).await;
        // Where this fails, the notification of the change itself will bring it.
        if let Err(error) = refreshed {
            let chain = common::error::chain(&error);
            tracing::warn!(error = %chain, "the schema cache could not be refreshed at once");
        }
        Ok(())
    }

    /// `table` as it is now.
    pub(super) fn show(&self, table: &str) -> Result<Response, Error> {
        let schema = self.app.schema()?;
        let table = visible(&schema, &self.caller, table)?;
        Ok(Json(TableResponse::from(table)).into_response())
    }
}
