//! What is written.

use super::field::Condition;
use super::read::ReadPlan;
use crate::error::{ApiError, CacheError, Error};
use crate::request::filter::{Operation, QuantifiedOperator};
use crate::request::payload::{JsonShape, Payload};
use crate::request::preferences::{Missing, Representation as Returned, Resolution};
use crate::request::{Action, ApiRequest};
use crate::schema_cache::QualifiedName;
use crate::schema_cache::representation::{Representation, Representations};
use crate::schema_cache::table::{Column, DefaultExpression, Table, TypeName};

/// A write on one table or view.
#[derive(Debug)]
pub(crate) enum Mutation {
    Insert(Insert),
    Update(Update),
    Delete(Delete),
}

/// New rows.
#[derive(Debug)]
pub(crate) struct Insert {
    pub table: QualifiedName,
    pub body: Body,
    pub conflict: Option<Conflict>,
    /// What the body has to say of the key that the URL names; of an upsert by PUT only.
    pub key_conditions: Vec<Condition>,
    pub returning: Returning,
    /// For `Location`.
    pub primary_key: Vec<String>,
}

/// Changed rows.
#[derive(Debug)]
pub(crate) struct Update {
    pub table: QualifiedName,
    pub body: Body,
    pub conditions: Vec<Condition>,
    pub returning: Returning,
}

/// Removed rows.
#[derive(Debug)]
pub(crate) struct Delete {
    pub table: QualifiedName,
    pub conditions: Vec<Condition>,
    pub returning: Returning,
}

/// JSON whose keys are columns.
#[derive(Debug)]
pub(crate) struct Body {
    pub json: String,
    pub shape: JsonShape,
    pub columns: Vec<BodyColumn>,
    /// What a key that is missing becomes.
    pub missing: Missing,
}

/// A column that the body gives values for.
#[derive(Debug)]
pub(crate) struct BodyColumn {
    pub name: String,
    pub type_name: TypeName,
    pub default: Option<DefaultExpression>,
    /// How the body writes it, where not as it is stored.
    pub representation: Option<Representation>,
}

/// The table that is written, and how its domains are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'c> {
    pub table: &'c Table,
    pub representations: &'c Representations,
}

/// What happens to rows that exist.
#[derive(Debug)]
pub(crate) struct Conflict {
    pub resolution: Resolution,
    pub columns: Vec<String>,
}

/// What the write hands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Returning {
    Nothing,
    All,
    Columns(Vec<String>),
}

impl Mutation {
    /// Plans the write of `request` on `table`, whose result `read` reads.
    pub(crate) fn plan(
        request: &ApiRequest,
        known: Known<'_>,
        read: &ReadPlan,
        representation: Returned,
    ) -> Result<Self, Error> {
        let table = known.table;
        let returning = match representation {
            Returned::Full => Returning::of(read.needed_columns(), &table.primary_key),
            Returned::Minimal | Returned::HeadersOnly => Returning::Nothing,
        };
        match request.action {
            Action::Create => {
                let returning = match representation {
                    Returned::HeadersOnly if !table.primary_key.is_empty() => {
                        Returning::Columns(table.primary_key.clone())
                    }
                    Returned::HeadersOnly | Returned::Minimal | Returned::Full => returning,
                };
                insert(request, known, returning).map(Self::Insert)
            }
            Action::Upsert => upsert(request, known, returning).map(Self::Insert),
            Action::Update => Ok(Self::Update(Update {
                table: table.name.clone(),
                body: Body::of(request, known)?,
                conditions: root_conditions(request, known),
                returning,
            })),
            Action::Delete => Ok(Self::Delete(Delete {
                table: table.name.clone(),
                conditions: root_conditions(request, known),
                returning,
            })),
            Action::Read(_) | Action::Call(_) | Action::Inspect(_) | Action::Info => {
                Err(ApiError::Path.into())
            }
        }
    }
}

impl Returning {
    pub(crate) fn of(needed: Option<Vec<String>>, primary_key: &[String]) -> Self {
        match needed {
            None => Self::All,
            Some(columns) if !columns.is_empty() => Self::Columns(columns),
            Some(_) if !primary_key.is_empty() => Self::Columns(primary_key.to_vec()),
            Some(_) => Self::Nothing,
        }
    }
}

fn insert(request: &ApiRequest, known: Known<'_>, returning: Returning) -> Result<Insert, Error> {
    let table = known.table;
    let chosen = request.query.on_conflict.as_ref();
    let columns = chosen.unwrap_or(&table.primary_key).clone();
    let resolution = request.preferences.resolution;
    let conflict = resolution
        .filter(|_| !columns.is_empty())
        .map(|resolution| Conflict {
            resolution,
            columns,
        });
    Ok(Insert {
        table: table.name.clone(),
        body: Body::of(request, known)?,
        conflict,
        key_conditions: Vec::new(),
        returning,
        primary_key: table.primary_key.clone(),
    })
}

/// PUT: exactly the row that the filters on the primary key name.
fn upsert(request: &ApiRequest, known: Known<'_>, returning: Returning) -> Result<Insert, Error> {
    let table = known.table;
    if !request.range.is_all() {
        return Err(ApiError::UpsertRange.into());
    }
    let filters = &request.query.filters;
    let is_key = |name: &String| {
        let mut on_name = filters
            .iter()
            .filter(|(_, filter)| filter.field.name == *name);
        on_name.next().is_some() && on_name.next().is_none()
    };
    let plain = filters.iter().all(|(path, filter)| {
        path.is_empty()
            && filter.field.path.is_empty()
            && !filter.negated
            && matches!(
                filter.operation,
                Operation::Quantified(QuantifiedOperator::Equal, None, _)
            )
    });
    let key = &table.primary_key;
    let exact = !key.is_empty() && filters.len() == key.len() && key.iter().all(is_key);
    if !plain || !exact || !request.query.logic.is_empty() {
        return Err(ApiError::UpsertFilters.into());
    }
    let body = Body::of(request, known)?;
    let given = |name: &String| body.columns.iter().any(|column| column.name == *name);
    if !key.iter().all(given) {
        return Err(ApiError::UpsertKey.into());
    }
    Ok(Insert {
        table: table.name.clone(),
        body,
        conflict: Some(Conflict {
            resolution: Resolution::Merge,
            columns: key.clone(),
        }),
        key_conditions: root_conditions(request, known),
        returning,
        primary_key: key.clone(),
    })
}

fn root_conditions(request: &ApiRequest, known: Known<'_>) -> Vec<Condition> {
    let (table, shown) = (Some(known.table), known.representations);
    let filters = request.query.filters.iter();
    let filters = filters.filter(|(path, _)| path.is_empty());
    let trees = request
        .query
        .logic
        .iter()
        .filter(|(path, _)| path.is_empty());
    filters
        .map(|(_, filter)| Condition::of_filter(filter, table, shown))
        .chain(trees.map(|(_, tree)| Condition::of_tree(tree, table, shown)))
        .collect()
}

impl Body {
    fn of(request: &ApiRequest, known: Known<'_>) -> Result<Self, Error> {
        let Payload::Json(payload) = &request.payload else {
            return Err(ApiError::Body("Empty or invalid json".to_owned()).into());
        };
        let columns: Result<Vec<_>, _> = payload
            .keys
            .iter()
            .map(|name| body_column(known, name))
            .collect();
        Ok(Self {
            json: payload.text.clone(),
            shape: payload.shape,
            columns: columns?,
            missing: request.preferences.missing.unwrap_or(Missing::Null),
        })
    }
}

fn body_column(known: Known<'_>, name: &str) -> Result<BodyColumn, CacheError> {
    let Known {
        table,
        representations,
    } = known;
    let Column {
        name,
        type_name,
        default,
        ..
    } = table.column(name).ok_or_else(|| CacheError::NoColumn {
        table: table.name.name.clone(),
        column: name.to_owned(),
    })?;
    Ok(BodyColumn {
        name: name.clone(),
        type_name: type_name.clone(),
        default: default.clone(),
        representation: representations.of(table, name).cloned(),
    })
}
