//! The one stage that touches the connections: runs the statements of a plan in one transaction,
//! as the caller.

mod gathered;
pub(crate) mod once;
pub(crate) mod operations;
mod rows;
mod settings;
pub(crate) mod snapshot;
pub(crate) mod stream;
pub(crate) mod work;

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use pg::pipeline::{Batch, Decision, Parameter, Pipeline, ResultSet, Statement};
use pg::{RequestContext, roles};
use serde::Serializer as _;

use crate::access::Caller;
use crate::app::App;
use crate::config::{FunctionName, QueryLog};
use crate::error::{DatabaseError, Error};
use crate::plan::guard::Guard;
use crate::plan::plain::RowForm;
use crate::plan::{Access, Plan, Work};
use crate::request::ApiRequest;
use crate::request::preferences::TransactionEnd;
use crate::schema_cache::SchemaCache;
use crate::sql::{self, Sql, columns};
use crate::standalone::access_log;

/// Before a rollback that was asked for: what would only fail at the commit shall fail all the
/// same.
const IMMEDIATE: &str = "set constraints all immediate";

/// What Postgres gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The rows there are, where they were counted.
    pub total: Option<i64>,
    /// The rows of this answer.
    pub rows: i64,
    pub body: Bytes,
    /// `response.headers`.
    pub headers: Option<String>,
    /// `response.status`.
    pub status: Option<String>,
    pub inserted: Option<i64>,
    /// The key of the one inserted row, as a JSON object.
    pub location: Option<String>,
    /// The key of a page's last row, as a JSON list of texts.
    pub last_key: Option<String>,
    /// The rows that Postgres' planner expects.
    pub planned: Option<i64>,
}

/// A plan as what is sent to Postgres.
pub(crate) struct Prepared<'a> {
    pub context: RequestContext,
    pub batch: Batch<'a>,
    /// Which statement of the batch answers [`columns`].
    main: usize,
    /// Which one explains how many rows are expected.
    planned: Option<usize>,
}

/// Who asks, and with what.
pub(crate) type Asked<'a> = (&'a Caller, &'a Parts);

impl<'a> Prepared<'a> {
    /// Writes the statements of `plan`, to be run as `caller`; rows come as one value.
    pub(crate) fn new(
        app: &'a App,
        cache: &'a SchemaCache,
        asked: Asked<'_>,
        request: &ApiRequest,
        plan: &'a Plan,
    ) -> Self {
        Self::with_rows(app, cache, asked, request, (plan, RowForm::Gathered))
    }

    fn with_rows(
        app: &'a App,
        cache: &'a SchemaCache,
        (caller, parts): Asked<'_>,
        request: &ApiRequest,
        (plan, rows): (&'a Plan, RowForm),
    ) -> Self {
        let statements = sql::statements(plan, rows, app.config.max_rows);
        let mut batch = match plan.access {
            Access::ReadOnly => Batch::read_only(),
            Access::ReadWrite => Batch::read_write(),
        };
        batch = settings::with_settings(batch, app, cache, (caller, request), plan);
        let mut main = 0;
        if let Some(function) = &app.config.pre_request {
            batch = batch.then(statement(call_of(function)));
            main += 1;
        }
        if app.config.server.query_log == QueryLog::Main {
            access_log::note_query(statements.main.text());
        }
        batch = batch.then(statement(statements.main));
        let planned = statements.planned_count.map(|count| {
            batch.statements.push(statement(count));
            main + 1
        });
        if plan.end == TransactionEnd::Rollback {
            batch.statements.push(Statement::new(IMMEDIATE));
        }
        Self {
            context: context(caller, parts),
            batch,
            main,
            planned,
        }
    }

    /// What the results of the batch come to; an error where `plan` does not want them.
    pub(crate) fn outcome(&self, plan: &Plan, results: &[ResultSet]) -> Result<Outcome, Error> {
        if plan.negotiated.explain.is_some() {
            return Ok(gathered::explained(results.get(self.main)));
        }
        self.checked(plan, gathered::outcome(results.get(self.main))?, results)
    }

    fn checked(
        &self,
        plan: &Plan,
        mut outcome: Outcome,
        results: &[ResultSet],
    ) -> Result<Outcome, Error> {
        plan.guard.check(outcome.rows)?;
        if let Some(planned) = self.planned {
            outcome.planned = results.get(planned).and_then(gathered::expected_rows);
        }
        Ok(outcome)
    }
}

/// Runs `plan` as `caller`. What it wrote is committed when this answers.
pub(crate) async fn execute(
    app: &App,
    cache: &SchemaCache,
    asked: Asked<'_>,
    request: &ApiRequest,
    plan: &Plan,
) -> Result<Outcome, Error> {
    let caller = asked.0;
    let refused = |error| DatabaseError::of_pipeline(error, caller.authenticated);
    if let Work::Read {
        rows: RowForm::Plain,
        ..
    } = &plan.work
    {
        let prepared = Prepared::with_rows(app, cache, asked, request, (plan, RowForm::Plain));
        let results = run(app.pipeline(caller), &prepared, plan).await;
        let results = results.map_err(refused)?;
        if let Ok(outcome) = rows::outcome(results.get(prepared.main), &plan.negotiated.format) {
            return prepared.checked(plan, outcome, &results);
        }
        // By a type or a `DateStyle` that nobody here knows of: Postgres knows them.
    }
    let prepared = Prepared::new(app, cache, asked, request, plan);
    let results = run(app.pipeline(caller), &prepared, plan).await;
    prepared.outcome(plan, &results.map_err(refused)?)
}

/// Runs one statement as `caller`, and answers its first value.
pub(crate) async fn execute_one(
    app: &App,
    (caller, parts): (&Caller, &Parts),
    access: Access,
    statement: Sql,
) -> Result<Option<Bytes>, Error> {
    let batch = match access {
        Access::ReadOnly => Batch::read_only(),
        Access::ReadWrite => Batch::read_write(),
    };
    let batch = batch.then(self::statement(statement));
    let results = app
        .pipeline(caller)
        .run(&context(caller, parts), &batch)
        .await
        .map_err(|error| DatabaseError::of_pipeline(error, caller.authenticated))?;
    Ok(results.first().and_then(ResultSet::value))
}

impl App {
    /// The login that can become the caller's role, and no more than it has to.
    pub(crate) fn pipeline(&self, caller: &Caller) -> &Pipeline {
        if caller.role == roles::SERVICE_ROLE {
            &self.service
        } else {
            &self.user
        }
    }
}

type Ran = Result<Vec<ResultSet>, pg::pipeline::PipelineError>;

/// One round trip where nothing has to be decided; a look at the results before the commit where
/// a write is guarded or only tried.
async fn run(pipeline: &Pipeline, prepared: &Prepared<'_>, plan: &Plan) -> Ran {
    let (context, batch) = (&prepared.context, &prepared.batch);
    let main = prepared.main;
    let commits = plan.end == TransactionEnd::Commit;
    if plan.access == Access::ReadOnly || (plan.guard == Guard::Nothing && commits) {
        return pipeline.run(context, batch).await;
    }
    let guard = plan.guard;
    let decide = move |results: &[ResultSet]| {
        let rows = results
            .get(main)
            .and_then(|result| gathered::number(result, columns::ROWS));
        if commits && rows.is_some_and(|rows| guard.check(rows).is_ok()) {
            Decision::Commit
        } else {
            Decision::Rollback
        }
    };
    let checked = pipeline.run_checked(context, batch, decide).await?;
    Ok(checked.results)
}

pub(crate) fn statement(sql: Sql) -> Statement<'static> {
    let (text, values) = sql.into_parts();
    let mut statement = Statement::new(text);
    statement.parameters = values
        .into_iter()
        .map(|value| Parameter {
            type_oid: 0,
            value: value.map(Into::into),
        })
        .collect();
    statement
}

pub(crate) fn context(caller: &Caller, parts: &Parts) -> RequestContext {
    let cookies = parts.headers.get_all("cookie").iter();
    let cookies = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let headers = parts.headers.iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    RequestContext::new(caller.role.as_str(), Arc::clone(&caller.claims))
        .with_rules(caller.rules)
        .with_target(parts.method.as_str(), parts.uri.path())
        .with_headers(json_object(headers))
        .with_cookies(json_object(cookies))
}

/// A JSON object, written without being built. Of a name that comes twice Postgres takes the last.
fn json_object<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let mut text = Vec::with_capacity(512);
    let written = serde_json::Serializer::new(&mut text).collect_map(pairs);
    let text = written.ok().and_then(|()| String::from_utf8(text).ok());
    text.unwrap_or_else(|| "{}".to_owned())
}

/// The call of a function that the configuration names.
fn call_of(function: &FunctionName) -> Sql {
    let mut call = Sql::default();
    call.push("select ");
    if let Some(schema) = &function.schema {
        call.name(schema).push(".");
    }
    call.name(&function.name).push("()");
    call
}
