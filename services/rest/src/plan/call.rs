//! Which function is called, and with what.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::read::ReadPlan;
use crate::error::{CacheError, MissingFunction};
use crate::request::media_type::MediaType;
use crate::request::payload::{JsonShape, Payload};
use crate::request::{ApiRequest, Invocation};
use crate::schema_cache::routine::{Parameter, Routine};
use crate::schema_cache::table::{Table, TypeName};
use crate::schema_cache::{QualifiedName, SchemaCache, fuzzy};

/// A call of a function.
#[derive(Debug)]
pub(crate) struct Call {
    pub function: QualifiedName,
    pub arguments: Arguments,
    /// Whether values come back that are no rows.
    pub scalar: bool,
    /// What is asked of the rows that is no column of them: functions of the row.
    pub computed: Vec<String>,
}

/// What a function is given.
#[derive(Debug)]
pub(crate) enum Arguments {
    None,
    /// From the keys of a JSON object, or of the first object of a list.
    Json {
        json: String,
        shape: JsonShape,
        parameters: Vec<Parameter>,
    },
    /// From the query or a form.
    Named(Vec<(Parameter, Value)>),
    /// The body as it is, for the only parameter.
    Body {
        body: Bytes,
        type_name: TypeName,
    },
}

/// The text of one argument, or of all that a variadic parameter is given.
#[derive(Debug)]
pub(crate) enum Value {
    One(String),
    Many(Vec<String>),
}

/// The function that takes the arguments of the request.
pub(crate) fn find<'c>(
    cache: &'c SchemaCache,
    request: &ApiRequest,
    name: &QualifiedName,
    invocation: Invocation,
) -> Result<&'c Routine, CacheError> {
    let arguments = argument_names(request, invocation);
    let posted = match invocation {
        Invocation::Post => Some(&request.content_type),
        Invocation::Read(_) => None,
    };
    let overloads = cache.routines_named(name);
    let named: Vec<&Routine> = overloads
        .iter()
        .filter(|routine| takes(routine, &arguments, posted))
        .collect();
    let found = if named.is_empty() {
        let takes_body = |routine: &&Routine| takes_body(routine, posted);
        overloads.iter().filter(takes_body).collect()
    } else {
        named
    };
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(missing(cache, name, arguments, posted)),
        more => Err(CacheError::AmbiguousFunction(
            more.iter().map(|routine| (*routine).clone()).collect(),
        )),
    }
}

fn argument_names(request: &ApiRequest, invocation: Invocation) -> BTreeSet<String> {
    match (invocation, &request.payload) {
        (Invocation::Read(_), _) => {
            let arguments = request.query.arguments.iter();
            arguments.map(|(name, _)| name.clone()).collect()
        }
        (Invocation::Post, Payload::Json(json)) => json.keys.clone(),
        (Invocation::Post, Payload::Form(fields)) => {
            fields.iter().map(|(name, _)| name.clone()).collect()
        }
        (Invocation::Post, Payload::None | Payload::Raw(_)) => BTreeSet::new(),
    }
}

/// Whether every argument has its parameter and every required parameter its argument.
fn takes(routine: &Routine, arguments: &BTreeSet<String>, posted: Option<&MediaType>) -> bool {
    let raw = matches!(
        posted,
        Some(MediaType::Text | MediaType::Xml | MediaType::OctetStream)
    );
    if routine.parameters.is_empty() {
        return arguments.is_empty() && !raw;
    }
    let parameters = &routine.parameters;
    let known = |name: &String| parameters.iter().any(|parameter| parameter.name == *name);
    parameters
        .iter()
        .filter(|parameter| parameter.required && !parameter.variadic)
        .all(|parameter| arguments.contains(&parameter.name))
        && arguments.iter().all(known)
        && parameters
            .iter()
            .all(|parameter| !parameter.name.is_empty())
}

/// Whether the body as it is fits the only parameter, which has no name.
fn takes_body(routine: &Routine, posted: Option<&MediaType>) -> bool {
    let ([parameter], Some(posted)) = (routine.parameters.as_slice(), posted) else {
        return false;
    };
    parameter.name.is_empty()
        && matches!(
            (posted, parameter.type_name.as_str()),
            (MediaType::Json, "json" | "jsonb")
                | (MediaType::Text, "text")
                | (MediaType::Xml, "xml")
                | (MediaType::OctetStream, "bytea")
        )
}

/// There is no function of this name, whatever it would be given.
pub(crate) fn unknown(cache: &SchemaCache, name: &QualifiedName) -> CacheError {
    missing(cache, name, BTreeSet::new(), None)
}

fn missing(
    cache: &SchemaCache,
    name: &QualifiedName,
    arguments: BTreeSet<String>,
    posted: Option<&MediaType>,
) -> CacheError {
    let arguments: Vec<String> = arguments.into_iter().collect();
    let overloads = cache.routines_named(name);
    let QualifiedName { schema, name } = name;
    let meant = if overloads.is_empty() {
        cache.similar_routine(schema, name).map(str::to_owned)
    } else {
        let signatures: Vec<String> = overloads.iter().map(parameter_list).collect();
        let sought = format!("({})", arguments.join(", "));
        let candidates = signatures.iter().map(String::as_str);
        fuzzy::closest(&sought, candidates, fuzzy::LOOSE).map(|list| format!("{name}{list}"))
    };
    let suggestion =
        meant.map(|meant| format!("Perhaps you meant to call the function {schema}.{meant}"));
    CacheError::NoFunction(Box::new(MissingFunction {
        schema: schema.clone(),
        name: name.clone(),
        arguments,
        posted: posted.cloned(),
        suggestion,
    }))
}

fn parameter_list(routine: &Routine) -> String {
    let mut names: Vec<&str> = routine
        .parameters
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect();
    names.sort_unstable();
    format!("({})", names.join(", "))
}

impl Call {
    /// Plans the call of `routine`, whose result `read` reads.
    pub(crate) fn plan(
        request: &ApiRequest,
        routine: &Routine,
        (read, table): (&ReadPlan, Option<&Table>),
    ) -> Self {
        let used = read.used_columns();
        let used = used.into_iter().filter(|name| {
            // The rows of a type that is not known have their own columns and no others.
            table.is_some_and(|table| table.column(name).is_none())
        });
        Self {
            function: routine.name.clone(),
            arguments: arguments(request, routine),
            scalar: routine.returns_scalar() || routine.returns_scalars(),
            computed: used.collect(),
        }
    }
}

fn arguments(request: &ApiRequest, routine: &Routine) -> Arguments {
    if let [parameter] = routine.parameters.as_slice()
        && parameter.name.is_empty()
    {
        let body = match &request.payload {
            Payload::Json(json) => Bytes::from(json.text.clone()),
            Payload::Raw(body) => body.clone(),
            Payload::None | Payload::Form(_) => Bytes::new(),
        };
        let type_name = parameter.type_name.clone();
        return Arguments::Body { body, type_name };
    }
    match &request.payload {
        Payload::Json(json) => {
            let given = |parameter: &&Parameter| json.keys.contains(&parameter.name);
            let parameters: Vec<_> = routine.parameters.iter().filter(given).cloned().collect();
            if parameters.is_empty() {
                return Arguments::None;
            }
            Arguments::Json {
                json: json.text.clone(),
                shape: json.shape,
                parameters,
            }
        }
        Payload::Form(fields) => named(routine, fields),
        Payload::None | Payload::Raw(_) => named(routine, &request.query.arguments),
    }
}

fn named(routine: &Routine, given: &[(String, String)]) -> Arguments {
    let mut named = Vec::new();
    for parameter in &routine.parameters {
        let values = given.iter().filter(|(name, _)| *name == parameter.name);
        let mut values: Vec<String> = values.map(|(_, value)| value.clone()).collect();
        let value = match values.len() {
            0 => continue,
            // One value of a variadic parameter may be an array as a whole.
            1 if values
                .first()
                .is_some_and(|one| !parameter.variadic || one.starts_with('{')) =>
            {
                Value::One(values.remove(0))
            }
            _ if parameter.variadic => Value::Many(values),
            // Of an argument that is repeated the last one counts.
            last => Value::One(values.swap_remove(last - 1)),
        };
        named.push((parameter.clone(), value));
    }
    if named.is_empty() {
        Arguments::None
    } else {
        Arguments::Named(named)
    }
}
