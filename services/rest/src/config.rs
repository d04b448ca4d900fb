//! Configuration: the platform's names, and `PostgREST`'s where the service stands alone.

mod connections;
mod description;
mod idempotency;
mod operations;
mod server;
mod tokens;
mod transactions;

use common::Settings;
use pg::{Endpoint, Ident, RoleRules, roles};

use crate::plan::Aggregates;
use crate::plan::negotiate::Explained;
pub(crate) use connections::{ConnectionSettings, Recovery};
pub(crate) use description::{DescriptionMode, DescriptionSettings, Security};
pub(crate) use idempotency::IdempotencySettings;
pub(crate) use operations::OperationSettings;
pub(crate) use server::{QueryLog, ServerSettings, Timing};
pub(crate) use tokens::TokenSettings;
pub(crate) use transactions::TransactionSettings;

const MAX_BODY_BYTES: usize = 50 * 1024 * 1024;

/// What the service needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where requests of users and of nobody in particular run.
    pub(crate) user: Endpoint,
    /// Where requests of the service role run.
    pub(crate) service: Endpoint,
    pub(crate) connections: ConnectionSettings,
    pub(crate) tokens: TokenSettings,
    /// Whose the roles of requests are.
    pub(crate) rules: RoleRules,
    /// The role of a request without a bearer; `None` refuses it.
    pub(crate) anon_role: Option<String>,
    /// The exposed schemas; the first is the default.
    pub(crate) schemas: Vec<String>,
    /// Schemas that are searched after the exposed one.
    pub(crate) extra_search_path: Vec<String>,
    pub(crate) max_rows: Option<i64>,
    pub(crate) aggregates: Aggregates,
    pub(crate) explained: Explained,
    pub(crate) pre_request: Option<FunctionName>,
    pub(crate) transaction: TransactionSettings,
    pub(crate) max_body_bytes: usize,
    pub(crate) idempotency: IdempotencySettings,
    pub(crate) operations: OperationSettings,
    pub(crate) description: DescriptionSettings,
    pub(crate) server: ServerSettings,
}

/// A function that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName {
    /// Without one the search path of the request decides.
    pub schema: Option<String>,
    pub name: String,
}

impl Config {
    pub(crate) fn read(settings: &Settings<'_>) -> Option<Self> {
        let rules = rules(settings);
        let (user, service) = endpoints(settings);
        let anon_role = match settings.text("PGRST_DB_ANON_ROLE") {
            None if settings.text("PGRST_DB_URI").is_none() => Some(roles::ANON.to_owned()),
            chosen => chosen,
        };
        let tokens = TokenSettings::read(settings, rules, anon_role.as_deref());
        let searched: &[&str] = match rules {
            RoleRules::Platform => &["public", "extensions"],
            RoleRules::Operator => &["public"],
        };
        let connections = ConnectionSettings::read(settings, rules);
        let transaction = TransactionSettings::read(settings, rules);
        Some(Self {
            user: user?,
            service: service?,
            connections,
            tokens: tokens?,
            rules,
            anon_role,
            schemas: names(settings, "PGRST_DB_SCHEMAS", &["public"]),
            extra_search_path: names(settings, "PGRST_DB_EXTRA_SEARCH_PATH", searched),
            max_rows: settings.parsed("PGRST_DB_MAX_ROWS"),
            aggregates: aggregates(settings),
            explained: explained(settings),
            pre_request: function(settings, "PGRST_DB_PRE_REQUEST"),
            transaction,
            max_body_bytes: settings.parsed_or("REST_MAX_BODY_BYTES", MAX_BODY_BYTES),
            idempotency: IdempotencySettings::read(settings),
            operations: OperationSettings::read(settings),
            description: DescriptionSettings::read(settings, rules),
            server: ServerSettings::read(settings),
        })
    }
}

/// A database that is reached by `PGRST_DB_URI` is the operator's own, unless the platform's tokens
/// (`JWT_SECRET`) are asked for.
fn rules(settings: &Settings<'_>) -> RoleRules {
    let is_platforms = settings.text("JWT_SECRET").is_some();
    match settings.text("PGRST_DB_URI") {
        Some(_) if !is_platforms => RoleRules::Operator,
        Some(_) | None => RoleRules::Platform,
    }
}

/// The logins of users and of the service role; of `PGRST_DB_URI` one for every role, as
/// `PostgREST` has it.
fn endpoints(settings: &Settings<'_>) -> (Option<Endpoint>, Option<Endpoint>) {
    if let Some(url) = settings.text("PGRST_DB_URI") {
        let endpoint = Endpoint::from_libpq(&url, settings)
            .map_err(|error| settings.reject("PGRST_DB_URI", error.to_string()))
            .ok();
        return (endpoint.clone(), endpoint);
    }
    let service = roles::SERVICE_AUTHENTICATOR;
    (
        Endpoint::from_settings(settings, "AUTHENTICATOR", roles::AUTHENTICATOR),
        Endpoint::from_settings(settings, "SERVICE_AUTHENTICATOR", service),
    )
}

fn names(settings: &Settings<'_>, name: &str, default: &[&str]) -> Vec<String> {
    let names = settings.list(name);
    if names
        .iter()
        .any(|schema| Ident::new(schema.as_str()).is_err())
    {
        settings.reject(name, "has a name that no schema can have");
    }
    if names.is_empty() {
        default.iter().map(|&schema| schema.to_owned()).collect()
    } else {
        names
    }
}

/// `PGRST_DB_AGGREGATES_ENABLED`, which `PostgREST` has off unless told.
fn aggregates(settings: &Settings<'_>) -> Aggregates {
    if settings.parsed_or("PGRST_DB_AGGREGATES_ENABLED", false) {
        Aggregates::Allowed
    } else {
        Aggregates::Refused
    }
}

/// `PGRST_DB_PLAN_ENABLED`: plans tell of the database's insides, so they are off unless told.
fn explained(settings: &Settings<'_>) -> Explained {
    if settings.parsed_or("PGRST_DB_PLAN_ENABLED", false) {
        Explained::Allowed
    } else {
        Explained::Refused
    }
}

/// A function that a setting names: `schema.function`, or a function of the search path.
pub(crate) fn function(settings: &Settings<'_>, name: &str) -> Option<FunctionName> {
    let text = settings.text(name)?;
    let parts: Vec<&str> = text.splitn(2, '.').collect();
    let (schema, function) = match *parts.as_slice() {
        [schema, function] => (Some(schema), function),
        _ => (None, text.as_str()),
    };
    let is_name = |name: &str| Ident::new(name).is_ok();
    if !is_name(function) || !schema.is_none_or(is_name) {
        settings.reject(name, "is no function: use schema.function");
        return None;
    }
    Some(FunctionName {
        schema: schema.map(str::to_owned),
        name: function.to_owned(),
    })
}
