//! The query string, taken apart into what each parameter asks for.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::bookmark::is_bookmark;
use super::cursor::{Cursor, Mismatch};
use super::filter::{self, Filter, LogicOperator, LogicTree};
use super::names;
use super::order::{self, OrderTerm};
use super::range::RowRange;
use super::select::{self, SelectItem};
use crate::error::ApiError;

/// The names of embedded resources from the root down; empty for the root.
pub(crate) type EmbedPath = Vec<String>;

/// What the query string asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct QueryParams {
    /// Every parameter in order of its name, encoded again.
    pub canonical: String,
    /// The arguments of a function called by GET.
    pub arguments: Vec<(String, String)>,
    pub select: Vec<SelectItem>,
    pub filters: Vec<(EmbedPath, Filter)>,
    pub logic: Vec<(EmbedPath, LogicTree)>,
    pub order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    pub ranges: Vec<(EmbedPath, RowRange)>,
    pub columns: Option<Vec<String>>,
    pub on_conflict: Option<Vec<String>>,
    /// The cursor that the page begins after; empty for the first page.
    pub after: Option<String>,
}

/// What a parameter is that is neither reserved nor a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreserved {
    /// A filter, or a mistake.
    Filter,
    /// A filter where it reads as one, else an argument of the function.
    FilterOrArgument,
}

/// Reads the query string (percent-encoded, without `?`).
pub(crate) fn parse(query: &str, unreserved: Unreserved) -> Result<QueryParams, ApiError> {
    let pairs = decode(query)?;
    let mut params = QueryParams {
        canonical: canonical(&pairs),
        select: vec![SelectItem::All],
        ..QueryParams::default()
    };
    let mut reader = Reader {
        params: &mut params,
        unreserved,
    };
    for (name, value) in &pairs {
        if let Some(value) = value {
            reader.read(name, value)?;
        }
    }
    Ok(params)
}

struct Reader<'p> {
    params: &'p mut QueryParams,
    unreserved: Unreserved,
}

impl Reader<'_> {
    fn read(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "select" => {
                let parsed = select::select(&mut Cursor::new(value));
                self.params.select = of("select parameter", value, parsed)?;
                return Ok(());
            }
            "columns" => {
                let parsed = names::columns(&mut Cursor::new(value));
                self.params.columns = Some(of("columns parameter", value, parsed)?);
                return Ok(());
            }
            "on_conflict" => {
                let parsed = names::columns(&mut Cursor::new(value));
                self.params.on_conflict = Some(of("on_conflict parameter", value, parsed)?);
                return Ok(());
            }
            "after" if self.unreserved == Unreserved::Filter && is_bookmark(value) => {
                self.params.after = Some(value.to_owned());
                return Ok(());
            }
            _ => {}
        }
        match name.rsplit('.').next() {
            Some("order") => self.order(name, value),
            Some("limit") => self.range(name, RowRange::of_limit(value)),
            Some("offset") => self.range(name, RowRange::of_offset(value)),
            Some("and") => self.logic(name, value, LogicOperator::And),
            Some("or") => self.logic(name, value, LogicOperator::Or),
            Some(_) | None => self.filter_or_argument(name, value),
        }
    }

    fn order(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let (path, _) = tree_path(name)?;
        let terms = of("order", value, order::order(&mut Cursor::new(value)))?;
        self.params.order.push((path, terms));
        Ok(())
    }

    fn range(&mut self, name: &str, range: RowRange) -> Result<(), ApiError> {
        let (path, _) = tree_path(name)?;
        let known = self.params.ranges.iter_mut().find(|(at, _)| *at == path);
        match known {
            Some((_, earlier)) => *earlier = earlier.joined(range),
            None => self.params.ranges.push((path, range)),
        }
        Ok(())
    }

    fn logic(&mut self, name: &str, value: &str, operator: LogicOperator) -> Result<(), ApiError> {
        let (mut path, _) = tree_path(name)?;
        let before = path.len();
        path.retain(|part| part != "not");
        let negated = path.len() < before;
        let parsed = filter::group(&mut Cursor::new(value), negated, operator);
        let tree = of("logic tree", value, parsed)?;
        self.params.logic.push((path, tree));
        Ok(())
    }

    fn filter_or_argument(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let parsed = filter::condition(&mut Cursor::new(value));
        if parsed.is_err() && self.unreserved == Unreserved::FilterOrArgument {
            let argument = (name.to_owned(), value.to_owned());
            self.params.arguments.push(argument);
            return Ok(());
        }
        let (path, field) = tree_path(name)?;
        let (negated, operation) = of("filter", value, parsed)?;
        let filter = Filter {
            field,
            negated,
            operation,
        };
        self.params.filters.push((path, filter));
        Ok(())
    }
}

fn tree_path(name: &str) -> Result<(EmbedPath, names::Field), ApiError> {
    of("tree path", name, names::path(&mut Cursor::new(name)))
}

fn of<T>(what: &str, text: &str, parsed: Result<T, Mismatch>) -> Result<T, ApiError> {
    parsed.map_err(|mismatch| {
        let Mismatch { column, details } = mismatch;
        let message = format!(
            "\"failed to parse {what} ({})\" (line 1, column {column})",
            excerpt(text)
        );
        ApiError::Query { message, details }
    })
}

/// The text itself, or its beginning: an answer does not repeat a megabyte.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

type Pair = (String, Option<String>);

fn decode(query: &str) -> Result<Vec<Pair>, ApiError> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => Ok((decode_part(name)?, Some(decode_part(value)?))),
            None => Ok((decode_part(part)?, None)),
        })
        .collect()
}

fn decode_part(part: &str) -> Result<String, ApiError> {
    let spaced = part.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    match decoded {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        Ok(_) | Err(_) => Err(ApiError::Query {
            message: "\"failed to parse the query string\" (line 1, column 1)".to_owned(),
            details: "names and values must be UTF-8 without NUL".to_owned(),
        }),
    }
}

/// What a canonical parameter keeps as it is: unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'!')
    .add(b'"')
    .add(b'#')
    .add(b'$')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// `text` as it stands in a query string.
pub(crate) fn encode(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, ENCODED)
}

fn canonical(pairs: &[Pair]) -> String {
    let mut sorted: Vec<&Pair> = pairs.iter().collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    let parts: Vec<String> = sorted
        .iter()
        .map(|(name, value)| {
            let value = value.as_deref().unwrap_or_default();
            format!("{}={}", encode(name), encode(value))
        })
        .collect();
    parts.join("&")
}
