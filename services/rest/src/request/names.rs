//! Names of columns and relations as query parameters write them, and paths into JSON columns.

use super::cursor::{Cursor, Mismatch};

/// A column, or a place inside a JSON column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub name: String,
    pub path: Vec<JsonStep>,
}

/// One `->` or `->>` of a JSON path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonStep {
    pub arrow: JsonArrow,
    pub operand: JsonOperand,
}

/// Whether a step yields JSON or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonArrow {
    Json,
    Text,
}

/// What a step descends into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonOperand {
    Key(String),
    /// An element of an array, as its decimal digits with an optional minus.
    Index(String),
}

/// Letters, digits, `_`, `$` and blanks inside: what a name may hold without quotes.
fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | ' ' | '$')
}

/// `identifier`, `with-dashes`, or `"anything, quoted"`.
pub(crate) fn name(cursor: &mut Cursor<'_>) -> Result<String, Mismatch> {
    if cursor.peek() == Some('"') {
        return quoted(cursor);
    }
    let mut name = part(cursor)?.to_owned();
    while cursor.starts_with("-") && !cursor.starts_with("->") {
        cursor.bump();
        name.push('-');
        name.push_str(part(cursor)?);
    }
    Ok(name)
}

fn part<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Mismatch> {
    let before = cursor.clone();
    let part = cursor.take_while(is_name_character).trim();
    if part.is_empty() {
        return Err(before.unexpected("field name (* or [a..z0..9_$])"));
    }
    Ok(part)
}

/// A text in double quotes in which a backslash takes the next character as it is.
pub(crate) fn quoted(cursor: &mut Cursor<'_>) -> Result<String, Mismatch> {
    cursor.expect("\"")?;
    let mut text = String::new();
    loop {
        match cursor.bump() {
            Some('"') => return Ok(text),
            Some('\\') => match cursor.bump() {
                Some(character) => text.push(character),
                None => return Err(cursor.unexpected("a character after \"\\\\\"")),
            },
            Some(character) => text.push(character),
            None => return Err(cursor.unexpected("\"\\\"\"")),
        }
    }
}

/// A name and the JSON path behind it.
pub(crate) fn field(cursor: &mut Cursor<'_>) -> Result<Field, Mismatch> {
    cursor.skip_blanks();
    let name = name(cursor)?;
    let path = json_path(cursor)?;
    cursor.skip_blanks();
    Ok(Field { name, path })
}

/// `->key`, `->>key`, `->0`, any number of them.
pub(crate) fn json_path(cursor: &mut Cursor<'_>) -> Result<Vec<JsonStep>, Mismatch> {
    let mut steps = Vec::new();
    loop {
        let arrow = if cursor.eat("->>") {
            JsonArrow::Text
        } else if cursor.eat("->") {
            JsonArrow::Json
        } else {
            return Ok(steps);
        };
        cursor.check_steps(steps.len())?;
        let operand = json_operand(cursor)?;
        steps.push(JsonStep { arrow, operand });
    }
}

fn json_operand(cursor: &mut Cursor<'_>) -> Result<JsonOperand, Mismatch> {
    let before = cursor.clone();
    let sign = if cursor.eat("-") { "-" } else { "" };
    let digits = cursor.take_while(|character| character.is_ascii_digit());
    let ends = cursor.at_end()
        || ["->", "::", ".", ",", ")"]
            .iter()
            .any(|token| cursor.starts_with(token));
    // More digits than an array has elements would only overflow in Postgres.
    if (1..10).contains(&digits.len()) && ends {
        return Ok(JsonOperand::Index(format!("{sign}{digits}")));
    }
    if !sign.is_empty() {
        return Err(cursor.unexpected("digit"));
    }
    *cursor = before;
    name(cursor).map(JsonOperand::Key)
}

/// `a.b.c`: the names of embedded resources down to a field, or to a keyword.
pub(crate) fn path(cursor: &mut Cursor<'_>) -> Result<(Vec<String>, Field), Mismatch> {
    let mut names = vec![name(cursor)?];
    while cursor.eat(".") {
        names.push(name(cursor)?);
    }
    let last = names.pop().unwrap_or_default();
    let path = json_path(cursor)?;
    cursor.expect_end()?;
    Ok((names, Field { name: last, path }))
}

/// `a,b,"c"`: the columns of `columns` and `on_conflict`.
pub(crate) fn columns(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Mismatch> {
    let mut names = vec![name(cursor)?];
    while cursor.eat_lexeme(",") {
        names.push(name(cursor)?);
    }
    cursor.expect_end()?;
    Ok(names)
}
