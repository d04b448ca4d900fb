//! Configuration: the platform's names, and `PostgREST`'s where the service stands alone.

mod idempotency;

use std::num::NonZeroUsize;

use common::Settings;
use http::Uri;
use jwt::JwtConfig;
use pg::{Endpoint, Ident, roles};

use crate::plan::Aggregates;
use crate::plan::negotiate::Explained;
use crate::request::preferences::TransactionChoice;
use crate::schema_cache::QualifiedName;
pub(crate) use idempotency::IdempotencySettings;

/// Connections of each of the two login roles.
const POOL: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
const MAX_BODY_BYTES: usize = 50 * 1024 * 1024;

/// What the service needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where requests of users and of nobody in particular run.
    pub(crate) user: Endpoint,
    /// Where requests of the service role run.
    pub(crate) service: Endpoint,
    pub(crate) pool: NonZeroUsize,
    pub(crate) jwt: JwtConfig,
    /// The role of a request without a bearer; `None` refuses it.
    pub(crate) anon_role: Option<String>,
    /// The exposed schemas; the first is the default.
    pub(crate) schemas: Vec<String>,
    /// Schemas that are searched after the exposed one.
    pub(crate) extra_search_path: Vec<String>,
    pub(crate) max_rows: Option<i64>,
    pub(crate) aggregates: Aggregates,
    pub(crate) explained: Explained,
    pub(crate) pre_request: Option<QualifiedName>,
    pub(crate) transaction: TransactionChoice,
    pub(crate) max_body_bytes: usize,
    pub(crate) idempotency: IdempotencySettings,
    /// Where clients reach this API, for its description.
    pub(crate) public_url: Uri,
}

impl Config {
    pub(crate) fn read(settings: &Settings<'_>) -> Option<Self> {
        let (user, service) = endpoints(settings);
        let jwt = JwtConfig::from_settings(settings);
        let anon_role = settings.text("PGRST_DB_ANON_ROLE");
        let is_alone = settings.text("PGRST_DB_URI").is_some();
        let anon_role = match anon_role {
            None if !is_alone => Some(roles::ANON.to_owned()),
            chosen => chosen,
        };
        Some(Self {
            user: user?,
            service: service?,
            pool: settings.parsed_or("PGRST_DB_POOL", POOL),
            jwt: jwt?,
            anon_role,
            schemas: names(settings, "PGRST_DB_SCHEMAS", &["public"]),
            extra_search_path: names(
                settings,
                "PGRST_DB_EXTRA_SEARCH_PATH",
                &["public", "extensions"],
            ),
            max_rows: settings.parsed("PGRST_DB_MAX_ROWS"),
            aggregates: aggregates(settings),
            explained: explained(settings),
            pre_request: pre_request(settings),
            transaction: transaction(settings),
            max_body_bytes: settings.parsed_or("REST_MAX_BODY_BYTES", MAX_BODY_BYTES),
            idempotency: IdempotencySettings::read(settings),
            public_url: public_url(settings),
        })
    }
}

/// The logins of users and of the service role; of `PGRST_DB_URI` one for every role, as
/// `PostgREST` has it.
fn endpoints(settings: &Settings<'_>) -> (Option<Endpoint>, Option<Endpoint>) {
    if let Some(url) = settings.text("PGRST_DB_URI") {
        let endpoint = Endpoint::from_url(&url)
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

/// `PGRST_OPENAPI_SERVER_PROXY_URI`, else `/rest/v1` at `API_EXTERNAL_URL`.
fn public_url(settings: &Settings<'_>) -> Uri {
    const PROXY: &str = "PGRST_OPENAPI_SERVER_PROXY_URI";
    let url = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
    let derived = format!("{}/rest/v1", url.trim_end_matches('/'));
    let url = settings.text(PROXY).unwrap_or(derived);
    url.parse().unwrap_or_else(|_| {
        settings.reject(PROXY, "is no URL: use http://host:port/path");
        Uri::default()
    })
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

fn pre_request(settings: &Settings<'_>) -> Option<QualifiedName> {
    let name = settings.text("PGRST_DB_PRE_REQUEST")?;
    let (schema, function) = name.split_once('.').unwrap_or(("public", &name));
    if Ident::new(schema).is_err() || Ident::new(function).is_err() {
        settings.reject(
            "PGRST_DB_PRE_REQUEST",
            "is no function: use schema.function",
        );
    }
    Some(QualifiedName::new(schema, function))
}

/// `PGRST_DB_TX_END`: whether `Prefer: tx=…` is heard.
fn transaction(settings: &Settings<'_>) -> TransactionChoice {
    match settings.text("PGRST_DB_TX_END").as_deref() {
        None | Some("commit-allow-override") => TransactionChoice::Client,
        Some("commit") => TransactionChoice::Server,
        Some(_) => {
            settings.reject(
                "PGRST_DB_TX_END",
                "is not known: use commit or commit-allow-override",
            );
            TransactionChoice::Server
        }
    }
}
