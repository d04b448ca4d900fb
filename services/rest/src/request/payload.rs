//! The body of a write or a call. JSON is checked and its keys are read, and then it goes to
//! Postgres as it came: no value of it is built here.

mod csv;

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::media_type::MediaType;
use crate::error::ApiError;

/// The deepest nesting a JSON body may have; Postgres would only run out of stack beyond it.
const MAX_JSON_DEPTH: usize = 500;

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    None,
    /// JSON rows or arguments.
    Json(JsonPayload),
    /// Arguments of a function from an HTML form.
    Form(Vec<(String, String)>),
    /// One text, XML or binary value for a function's only parameter.
    Raw(Bytes),
}

/// JSON whose columns are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPayload {
    pub text: String,
    pub shape: JsonShape,
    /// The keys that every object has, or those that `columns` names.
    pub keys: BTreeSet<String>,
}

/// Whether there is one row or a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonShape {
    Object,
    Array,
}

/// What the body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Rows,
    Arguments,
}

/// Reads a body of the given media type.
pub(crate) fn parse(
    body: &Bytes,
    media: &MediaType,
    purpose: Purpose,
    columns: Option<&[String]>,
) -> Result<Payload, ApiError> {
    match (media, purpose) {
        (MediaType::Json | MediaType::Any, _) => json(body, purpose, columns).map(Payload::Json),
        (MediaType::UrlEncoded, Purpose::Arguments) => form(body).map(Payload::Form),
        (MediaType::UrlEncoded, Purpose::Rows) => form_row(body).map(Payload::Json),
        (MediaType::Csv, _) => csv_rows(body, columns).map(Payload::Json),
        (MediaType::OctetStream, Purpose::Arguments) => Ok(Payload::Raw(body.clone())),
        (MediaType::Text | MediaType::Xml, Purpose::Arguments) => {
            text(body)?;
            Ok(Payload::Raw(body.clone()))
        }
        (
            MediaType::Text
            | MediaType::Xml
            | MediaType::OctetStream
            | MediaType::Object(_)
            | MediaType::ArrayStripped
            | MediaType::OpenApi
            | MediaType::GeoJson
            | MediaType::Explain(_)
            | MediaType::Other(_),
            _,
        ) => Err(invalid(format!("Content-Type not acceptable: {media}"))),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::Body(message.into())
}

fn json(
    body: &Bytes,
    purpose: Purpose,
    columns: Option<&[String]>,
) -> Result<JsonPayload, ApiError> {
    let text = match std::str::from_utf8(body) {
        Ok("") if purpose == Purpose::Arguments => "{}",
        Ok(text) => text,
        Err(_) => return Err(invalid("Empty or invalid json")),
    };
    if nesting(text) > MAX_JSON_DEPTH {
        return Err(invalid("The json is nested too deeply"));
    }
    let rows = if columns.is_some() {
        unread_rows(text)
    } else {
        serde_json::from_str(text)
    };
    let rows = rows.map_err(|_| invalid("Empty or invalid json"))?;
    let (shape, keys) = match rows {
        Rows::Object(keys) => (JsonShape::Object, keys),
        Rows::Uniform(keys) => (JsonShape::Array, keys),
        // A function may take any JSON as its only parameter.
        Rows::Mixed | Rows::Scalar if purpose == Purpose::Arguments => {
            (JsonShape::Array, BTreeSet::new())
        }
        Rows::Mixed => return Err(invalid("All object keys must match")),
        Rows::Scalar => {
            return Ok(JsonPayload {
                text: "[]".to_owned(),
                shape: JsonShape::Array,
                keys: BTreeSet::new(),
            });
        }
    };
    let keys = match columns {
        Some(columns) => columns.iter().cloned().collect(),
        None => keys,
    };
    let text = text.to_owned();
    Ok(JsonPayload { text, shape, keys })
}

/// Rows whose keys do not matter: `columns` says which are used.
fn unread_rows(text: &str) -> Result<Rows, serde_json::Error> {
    let raw: &RawValue = serde_json::from_str(text)?;
    Ok(if raw.get().starts_with('{') {
        Rows::Object(BTreeSet::new())
    } else {
        Rows::Uniform(BTreeSet::new())
    })
}

/// How deep brackets go, outside of strings.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match (quoted, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A body that Postgres takes as text.
fn text(body: &Bytes) -> Result<&str, ApiError> {
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') => Ok(text),
        Ok(_) | Err(_) => Err(invalid("The body must be UTF-8 without NUL")),
    }
}

fn csv_rows(body: &Bytes, columns: Option<&[String]>) -> Result<JsonPayload, ApiError> {
    let rows = csv::parse(text(body)?)?;
    Ok(JsonPayload {
        text: rows.json,
        shape: JsonShape::Array,
        keys: match columns {
            Some(columns) => columns.iter().cloned().collect(),
            None => rows.columns,
        },
    })
}

fn form(body: &Bytes) -> Result<Vec<(String, String)>, ApiError> {
    // Bytes that are no text would be replaced otherwise.
    if percent_decode(body).decode_utf8().is_err() {
        return Err(invalid("The form is not UTF-8"));
    }
    serde_urlencoded::from_bytes(body).map_err(|_| invalid("Empty or invalid form"))
}

fn form_row(body: &Bytes) -> Result<JsonPayload, ApiError> {
    let fields = form(body)?;
    let keys = fields.iter().map(|(name, _)| name.clone()).collect();
    let row: serde_json::Map<_, _> = fields
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    Ok(JsonPayload {
        text: serde_json::Value::from(row).to_string(),
        shape: JsonShape::Object,
        keys,
    })
}

/// The outline of a JSON body: what rows there are and which keys they share.
enum Rows {
    Object(BTreeSet<String>),
    Uniform(BTreeSet<String>),
    Mixed,
    Scalar,
}

impl<'de> de::Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowsVisitor)
    }
}

struct RowsVisitor;

impl<'de> Visitor<'de> for RowsVisitor {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
            keys.insert(key);
        }
        Ok(Rows::Object(keys))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Rows, A::Error> {
        let mut shared: Option<BTreeSet<String>> = None;
        let mut uniform = true;
        while let Some(row) = rows.next_element::<Rows>()? {
            match (row, &shared) {
                (Rows::Object(keys), None) => shared = Some(keys),
                (Rows::Object(keys), Some(first)) => uniform &= keys == *first,
                (Rows::Uniform(_) | Rows::Mixed | Rows::Scalar, _) => uniform = false,
            }
        }
        Ok(if uniform {
            Rows::Uniform(shared.unwrap_or_default())
        } else {
            Rows::Mixed
        })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Rows, E> {
        Ok(Rows::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Rows, E> {
        Ok(Rows::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Rows, E> {
        Ok(Rows::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Rows, E> {
        Ok(Rows::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Rows, E> {
        Ok(Rows::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Rows, E> {
        Ok(Rows::Scalar)
    }
}
