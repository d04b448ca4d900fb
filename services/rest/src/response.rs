//! The last stage: what Postgres gave, as HTTP. Pure.

mod headers;
pub(crate) mod json;
pub(crate) mod openapi;
mod page;
pub(crate) mod typescript;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, LOCATION, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::{ApiError, Error, RangeError};
use crate::execute::Outcome;
use crate::plan::mutate::{Insert, Mutation};
use crate::plan::{Plan, Work};
use crate::request::preferences::{Count, Preferences, Representation, Resolution};
use crate::request::query::encode;
use crate::request::range::RowRange;
use crate::request::target::Target;
use crate::request::{Action, Answer, ApiRequest};
use crate::schema_cache::routine::ReturnKind;
use headers::{content_range, location, overridden};

/// The answer to `request`. An estimated count is exact up to `max_rows`.
pub(crate) fn respond(
    request: &ApiRequest,
    plan: &Plan,
    outcome: Outcome,
    max_rows: Option<i64>,
) -> Result<Response, Error> {
    if plan.negotiated.explain.is_some() {
        let mut draft = Draft::new(StatusCode::OK);
        draft.set_content(request, plan);
        draft.body = true;
        return draft.finish(outcome);
    }
    let draft = match &plan.work {
        Work::Read { answer, read, .. } => {
            let mut draft = ranged(request, plan, &outcome, max_rows)?;
            if let Some(keyset) = &read.keyset {
                let limit = read.range.limit;
                page::add_next(&mut draft, request, (keyset, limit), &outcome)?;
            }
            let query = &request.query.canonical;
            draft.set(CONTENT_LOCATION, &address(&request.target, query));
            draft.apply(&shown(&request.preferences, &[Part::Count]));
            draft.body = *answer == Answer::Body;
            draft
        }
        Work::Call {
            routine, answer, ..
        } => {
            let mut draft = ranged(request, plan, &outcome, max_rows)?;
            draft.apply(&shown(
                &request.preferences,
                &[Part::Count, Part::MaxAffected],
            ));
            if routine.returns.kind == ReturnKind::Void {
                draft.status = StatusCode::NO_CONTENT;
                draft.body = false;
                draft.headers.remove(CONTENT_TYPE);
            } else {
                draft.body = *answer == Answer::Body;
            }
            draft
        }
        Work::Mutate {
            mutation,
            representation,
            ..
        } => written(request, plan, (mutation, *representation), &outcome),
    };
    draft.finish(outcome)
}

/// A response without its body.
struct Draft {
    status: StatusCode,
    headers: HeaderMap,
    body: bool,
}

impl Draft {
    fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: false,
        }
    }

    fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(name, value);
        }
    }

    /// The response, with what SQL chose for it.
    fn finish(mut self, outcome: Outcome) -> Result<Response, Error> {
        self.set(VARY, "Accept, Prefer, Range");
        let status = overridden(&mut self.headers, self.status, &outcome)?;
        let body = if self.body {
            outcome.body
        } else {
            Bytes::new()
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = self.headers;
        Ok(response)
    }

    fn set_content(&mut self, request: &ApiRequest, plan: &Plan) {
        self.set(CONTENT_TYPE, &plan.negotiated.media.content_type());
        if request.by_profile {
            self.set(HeaderName::from_static("content-profile"), &request.schema);
        }
    }

    fn apply(&mut self, preferences: &Preferences) {
        if let Some(applied) = preferences.applied() {
            self.set(HeaderName::from_static("preference-applied"), &applied);
        }
    }
}

/// What a read and a call have in common: the range of rows, of how many.
fn ranged(
    request: &ApiRequest,
    plan: &Plan,
    outcome: &Outcome,
    max_rows: Option<i64>,
) -> Result<Draft, Error> {
    let total = total(plan.count, outcome, max_rows);
    let RowRange { offset, .. } = request.range;
    let last = offset + outcome.rows - 1;
    let status = match total {
        Some(total) if offset > total => {
            return Err(ApiError::Range(RangeError::OutOfBounds { offset, total }).into());
        }
        Some(total) if outcome.rows < total => StatusCode::PARTIAL_CONTENT,
        Some(_) | None => StatusCode::OK,
    };
    let mut draft = Draft::new(status);
    draft.set(CONTENT_RANGE, &content_range(offset, last, total));
    draft.set_content(request, plan);
    Ok(draft)
}

fn total(count: Option<Count>, outcome: &Outcome, max_rows: Option<i64>) -> Option<i64> {
    match count? {
        Count::Exact => outcome.total,
        Count::Planned => outcome.planned,
        Count::Estimated => match (outcome.total, max_rows) {
            (Some(total), Some(most)) if total > most => {
                Some(total.max(outcome.planned.unwrap_or(total)))
            }
            (total, _) => total,
        },
    }
}

/// The path of a resource with a query, as clients write it.
fn address(target: &Target, query: &str) -> String {
    let (prefix, name) = match target {
        Target::Relation(name) => ("", name.as_str()),
        Target::Function(name) => ("rpc/", name.as_str()),
        Target::Root => ("", ""),
    };
    let separator = if query.is_empty() { "" } else { "?" };
    format!("/{prefix}{}{separator}{query}", encode(name))
}

fn written(
    request: &ApiRequest,
    plan: &Plan,
    (mutation, representation): (&Mutation, Representation),
    outcome: &Outcome,
) -> Draft {
    let full = representation == Representation::Full;
    let counted = match plan.count {
        Some(Count::Exact | Count::Estimated) => Some(outcome.rows),
        Some(Count::Planned) | None => None,
    };
    let done = if full {
        StatusCode::OK
    } else {
        StatusCode::NO_CONTENT
    };
    let common = [Part::Representation, Part::Count];
    let (status, range, parts): (_, _, &[Part]) = match (mutation, request.action) {
        (Mutation::Insert(_), Action::Upsert) => {
            let created = outcome.inserted.unwrap_or(0) > 0;
            let status = match (full, created) {
                (true, true) => StatusCode::CREATED,
                (true, false) | (false, _) => done,
            };
            (status, None, &common)
        }
        (Mutation::Insert(insert), _) => {
            let range = content_range(1, 0, counted);
            let parts: &[Part] = match insert.conflict {
                Some(_) => &[
                    Part::Resolution,
                    Part::Missing,
                    Part::Representation,
                    Part::Count,
                ],
                None => &[Part::Missing, Part::Representation, Part::Count],
            };
            (inserted_status(insert, outcome), Some(range), parts)
        }
        (Mutation::Update(_), _) => {
            let range = content_range(0, outcome.rows - 1, counted);
            let parts: &[Part] = &[
                Part::Missing,
                Part::Representation,
                Part::Count,
                Part::MaxAffected,
            ];
            (done, Some(range), parts)
        }
        (Mutation::Delete(_), _) => {
            let parts: &[Part] = &[Part::Representation, Part::Count, Part::MaxAffected];
            (done, Some(content_range(1, 0, counted)), parts)
        }
    };
    let mut draft = Draft::new(status);
    if let Some(range) = range {
        draft.set(CONTENT_RANGE, &range);
    }
    if let Some(path) = outcome.location.as_deref().and_then(location) {
        draft.set(LOCATION, &address(&request.target, &path));
    }
    if full {
        draft.set_content(request, plan);
        draft.body = true;
    }
    draft.apply(&shown(&request.preferences, parts));
    draft
}

/// A merge that found every row was no creation.
fn inserted_status(insert: &Insert, outcome: &Outcome) -> StatusCode {
    let merges = insert
        .conflict
        .as_ref()
        .is_some_and(|conflict| conflict.resolution == Resolution::Merge);
    if merges && outcome.inserted.unwrap_or(0) <= 0 {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    }
}

/// A preference that only some answers speak of; the others all do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Resolution,
    Missing,
    Representation,
    Count,
    MaxAffected,
}

/// The preferences that an answer of this kind may have applied.
fn shown(preferences: &Preferences, parts: &[Part]) -> Preferences {
    let mut shown = preferences.clone();
    let has = |part| parts.contains(&part);
    shown.resolution = shown.resolution.filter(|_| has(Part::Resolution));
    shown.missing = shown.missing.filter(|_| has(Part::Missing));
    shown.representation = shown.representation.filter(|_| has(Part::Representation));
    shown.count = shown.count.filter(|_| has(Part::Count));
    shown.max_affected = shown.max_affected.filter(|_| has(Part::MaxAffected));
    shown
}
