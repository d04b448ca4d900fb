//! The first stage: an HTTP request as what it asks for, before anything is known of the
//! database. Pure.

pub(crate) mod bookmark;
pub(crate) mod cursor;
pub(crate) mod filter;
pub(crate) mod media_type;
pub(crate) mod names;
pub(crate) mod operation;
pub(crate) mod order;
pub(crate) mod payload;
pub(crate) mod preferences;
pub(crate) mod query;
pub(crate) mod range;
pub(crate) mod select;
pub(crate) mod target;

#[cfg(test)]
mod grammar_tests;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::error::ApiError;
use media_type::MediaType;
use payload::{Payload, Purpose};
use preferences::{Preferences, TransactionChoice};
use query::{QueryParams, Unreserved};
use range::RowRange;
use target::Target;

/// What a request wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Read(Answer),
    Create,
    Update,
    Upsert,
    Delete,
    Call(Invocation),
    /// What the API offers.
    Inspect(Answer),
    /// The methods a resource allows.
    Info,
}

/// Whether the answer has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Body,
    HeadersOnly,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// By GET or HEAD: arguments in the query, nothing written.
    Read(Answer),
    /// By POST: arguments in the body.
    Post,
}

/// A request taken apart.
#[derive(Debug, Clone)]
pub(crate) struct ApiRequest {
    pub target: Target,
    pub action: Action,
    pub schema: String,
    /// Whether a header chose the schema.
    pub by_profile: bool,
    pub query: QueryParams,
    pub range: RowRange,
    pub preferences: Preferences,
    pub accepts: Vec<MediaType>,
    pub content_type: MediaType,
    pub payload: Payload,
}

/// What the configuration and the database say about requests.
pub(crate) struct Rules<'a> {
    /// The exposed schemas; the first is the default.
    pub schemas: &'a [String],
    pub transaction: TransactionChoice,
    pub is_timezone: &'a dyn Fn(&str) -> bool,
}

impl ApiRequest {
    /// Reads a request whose body has arrived.
    pub(crate) fn parse(parts: &Parts, body: &Bytes, rules: &Rules<'_>) -> Result<Self, ApiError> {
        let target = Target::parse(parts.uri.path())?;
        let action = action(&parts.method, &target)?;
        let headers = &parts.headers;
        let (schema, by_profile) = schema(&parts.method, headers, rules.schemas)?;
        let query = if matches!(action, Action::Info | Action::Inspect(_)) {
            QueryParams::default()
        } else {
            query::parse(parts.uri.query().unwrap_or_default(), action.unreserved())?
        };
        let content_type = text(headers, "content-type").map_or(MediaType::Json, MediaType::parse);
        let columns = query.columns.as_deref();
        let payload = match action.purpose() {
            Some(purpose) => payload::parse(body, &content_type, purpose, columns)?,
            None => Payload::None,
        };
        let preferences = Preferences::from_headers(headers, rules.transaction, rules.is_timezone);
        Ok(Self {
            range: root_range(action, headers, &query)?,
            accepts: MediaType::accepted(text(headers, "accept")),
            target,
            action,
            schema,
            by_profile,
            query,
            preferences,
            content_type,
            payload,
        })
    }
}

impl Action {
    /// What the body is for; `None` where there is none.
    fn purpose(self) -> Option<Purpose> {
        match self {
            Self::Create | Self::Update | Self::Upsert => Some(Purpose::Rows),
            Self::Call(Invocation::Post) => Some(Purpose::Arguments),
            Self::Read(_)
            | Self::Delete
            | Self::Call(Invocation::Read(_))
            | Self::Inspect(_)
            | Self::Info => None,
        }
    }

    fn unreserved(self) -> Unreserved {
        if matches!(self, Self::Call(Invocation::Read(_))) {
            Unreserved::FilterOrArgument
        } else {
            Unreserved::Filter
        }
    }
}

fn action(method: &Method, target: &Target) -> Result<Action, ApiError> {
    use Answer::{Body, HeadersOnly};
    let action = match (target, method.as_str()) {
        (_, "OPTIONS") => Action::Info,
        (Target::Root, "GET") => Action::Inspect(Body),
        (Target::Root, "HEAD") => Action::Inspect(HeadersOnly),
        (Target::Relation(_), "GET") => Action::Read(Body),
        (Target::Relation(_), "HEAD") => Action::Read(HeadersOnly),
        (Target::Relation(_), "POST") => Action::Create,
        (Target::Relation(_), "PATCH") => Action::Update,
        (Target::Relation(_), "PUT") => Action::Upsert,
        (Target::Relation(_), "DELETE") => Action::Delete,
        (Target::Function(_), "GET") => Action::Call(Invocation::Read(Body)),
        (Target::Function(_), "HEAD") => Action::Call(Invocation::Read(HeadersOnly)),
        (Target::Function(_), "POST") => Action::Call(Invocation::Post),
        (Target::Function(_), method) => return Err(ApiError::CallMethod(method.to_owned())),
        (_, method) => return Err(ApiError::Method(method.to_owned())),
    };
    Ok(action)
}

/// The schema a request works in, and whether a header chose it.
fn schema(
    method: &Method,
    headers: &HeaderMap,
    exposed: &[String],
) -> Result<(String, bool), ApiError> {
    let header = match method.as_str() {
        "POST" | "PATCH" | "PUT" | "DELETE" => "content-profile",
        _ => "accept-profile",
    };
    let default = exposed.first().cloned().unwrap_or_default();
    match text(headers, header) {
        Some(name) if exposed.iter().any(|schema| schema == name) => Ok((name.to_owned(), true)),
        Some(name) => Err(ApiError::Schema {
            name: name.to_owned(),
            exposed: exposed.join(", "),
        }),
        None => Ok((default, exposed.len() > 1)),
    }
}

fn root_range(
    action: Action,
    headers: &HeaderMap,
    query: &QueryParams,
) -> Result<RowRange, ApiError> {
    let ranged = matches!(
        action,
        Action::Read(Answer::Body) | Action::Call(Invocation::Read(Answer::Body))
    );
    let header = if ranged {
        range::of_header(text(headers, "range"))?
    } else {
        RowRange::ALL
    };
    let root = query.ranges.iter().find(|(path, _)| path.is_empty());
    range::top_level(header, root.map_or(RowRange::ALL, |(_, range)| *range))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
