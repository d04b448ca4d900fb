//! The text of a filter, split into its conditions and values.

use super::FilterError;

/// One condition, not looked into yet.
pub(super) struct Part<'a> {
    pub(super) column: &'a str,
    pub(super) negated: bool,
    pub(super) operator: &'a str,
    pub(super) value: &'a str,
}

impl<'a> Part<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, FilterError> {
        let form = |text: &str| FilterError::Form(text.to_owned());
        let (column, rest) = text.split_once('=').ok_or_else(|| form(text))?;
        let (negated, rest) = match rest.strip_prefix("not.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (operator, value) = rest.split_once('.').ok_or_else(|| form(rest))?;
        let column = column.trim();
        if column.is_empty() {
            return Err(form(text));
        }
        Ok(Self {
            column,
            negated,
            operator,
            value,
        })
    }
}

/// A condition in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPart {
    /// The column's name.
    pub column: String,
    /// Whether the opposite must hold.
    pub negated: bool,
    /// The operator.
    pub operator: String,
    /// The value, without its quotes.
    pub value: String,
}

/// The conditions of a filter's text, as far as they can be told apart.
pub fn parts(text: &str) -> Vec<ShownPart> {
    let parts = split_outside(text.trim()).unwrap_or_default();
    let parts = parts.into_iter().filter_map(|part| Part::read(part).ok());
    let shown = parts.map(|part| ShownPart {
        column: part.column.to_owned(),
        negated: part.negated,
        operator: part.operator.to_owned(),
        value: unquoted(part.value),
    });
    shown.collect()
}

/// Splits at commas that stand outside of quotes and parentheses; `None` where one is not closed.
pub(super) fn split_outside(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0usize, 0usize);
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.checked_sub(1)?,
            ',' if !quoted && depth == 0 => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (!quoted && depth == 0).then_some(parts)
}

/// A value without its quotes and escapes.
pub(super) fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}
