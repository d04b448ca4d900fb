//! `select=column,alias:column::cast,data->>key,amount.sum(),embedded!hint!inner(…),...spread(…)`.

mod aggregate;

pub(crate) use aggregate::{Aggregate, AggregateFunction};

use super::cursor::{Cursor, Mismatch};
use super::names::{self, Field};

/// One entry of `select`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SelectItem {
    /// `*`.
    All,
    Field(SelectField),
    /// `count()`: the number of rows.
    Rows {
        aggregate: Aggregate,
        alias: Option<String>,
    },
    Relation(SelectRelation),
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SelectField {
    pub field: Field,
    /// The type the value is cast to, before it is aggregated.
    pub cast: Option<String>,
    pub aggregate: Option<Aggregate>,
    pub alias: Option<String>,
}

/// A related resource inside each row of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SelectRelation {
    pub name: String,
    pub alias: Option<String>,
    pub hint: Option<String>,
    pub join: Option<JoinType>,
    pub shape: EmbedShape,
    pub items: Vec<SelectItem>,
}

/// Whether rows without related ones stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinType {
    Inner,
    Left,
}

/// Whether the related columns come as an object of their own or among their parent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmbedShape {
    Nested,
    Spread,
}

/// The whole parameter; an empty one selects everything.
pub(crate) fn select(cursor: &mut Cursor<'_>) -> Result<Vec<SelectItem>, Mismatch> {
    if cursor.at_end() {
        return Ok(vec![SelectItem::All]);
    }
    let items = items(cursor, 0)?;
    cursor.expect_end()?;
    Ok(items)
}

fn items(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<SelectItem>, Mismatch> {
    cursor.check_depth(depth)?;
    let mut items = vec![item(cursor, depth)?];
    while cursor.eat_lexeme(",") {
        items.push(item(cursor, depth)?);
    }
    Ok(items)
}

fn item(cursor: &mut Cursor<'_>, depth: usize) -> Result<SelectItem, Mismatch> {
    cursor.skip_blanks();
    let shape = if cursor.eat("...") {
        EmbedShape::Spread
    } else {
        EmbedShape::Nested
    };
    if shape == EmbedShape::Nested && cursor.eat("*") {
        cursor.skip_blanks();
        return ends_item(cursor).map(|()| SelectItem::All);
    }
    let mut alias = None;
    let mut name = names::name(cursor)?;
    if shape == EmbedShape::Nested && cursor.starts_with(":") && !cursor.starts_with("::") {
        cursor.bump();
        alias = Some(name);
        name = names::name(cursor)?;
    }
    if shape == EmbedShape::Nested
        && let Some(aggregate) = aggregate::of_rows(cursor, &name)?
    {
        cursor.skip_blanks();
        return ends_item(cursor).map(|()| SelectItem::Rows { aggregate, alias });
    }
    let (hint, join) = embed_parameters(cursor)?;
    if cursor.starts_with("(") {
        let items = embedded_items(cursor, depth + 1)?;
        return Ok(SelectItem::Relation(SelectRelation {
            name,
            alias,
            hint,
            join,
            shape,
            items,
        }));
    }
    if shape == EmbedShape::Spread || hint.is_some() || join.is_some() {
        return Err(cursor.unexpected("\"(\""));
    }
    plain_field(cursor, name, alias).map(SelectItem::Field)
}

/// What follows the name of a column.
fn plain_field(
    cursor: &mut Cursor<'_>,
    name: String,
    alias: Option<String>,
) -> Result<SelectField, Mismatch> {
    let path = names::json_path(cursor)?;
    let cast = optional_cast(cursor)?;
    let aggregate = aggregate::after_field(cursor)?;
    cursor.skip_blanks();
    ends_item(cursor)?;
    Ok(SelectField {
        field: Field { name, path },
        cast,
        aggregate,
        alias,
    })
}

fn embedded_items(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<SelectItem>, Mismatch> {
    cursor.check_depth(depth)?;
    cursor.expect("(")?;
    let items = if cursor.starts_with(")") {
        Vec::new()
    } else {
        items(cursor, depth)?
    };
    cursor.expect(")")?;
    cursor.skip_blanks();
    Ok(items)
}

fn ends_item(cursor: &Cursor<'_>) -> Result<(), Mismatch> {
    if cursor.at_end() || cursor.starts_with(",") || cursor.starts_with(")") {
        Ok(())
    } else {
        Err(cursor.unexpected("\"->>\", \"->\", \"::\", \")\", \",\" or end of input"))
    }
}

type EmbedParameters = (Option<String>, Option<JoinType>);

/// `!inner`, `!left`, `!hint`, at most two of them.
fn embed_parameters(cursor: &mut Cursor<'_>) -> Result<EmbedParameters, Mismatch> {
    let (mut hint, mut join) = (None, None);
    for _ in 0..2 {
        if !cursor.eat("!") {
            break;
        }
        match names::name(cursor)?.as_str() {
            "inner" => join = join.or(Some(JoinType::Inner)),
            "left" => join = join.or(Some(JoinType::Left)),
            name => hint = hint.or_else(|| Some(name.to_owned())),
        }
    }
    Ok((hint, join))
}

fn optional_cast(cursor: &mut Cursor<'_>) -> Result<Option<String>, Mismatch> {
    if cursor.eat("::") {
        cast(cursor).map(Some)
    } else {
        Ok(None)
    }
}

/// The name of a type: letters, digits, `_`, `$` and blanks.
fn cast(cursor: &mut Cursor<'_>) -> Result<String, Mismatch> {
    let before = cursor.clone();
    let fits =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '$' | ' ');
    let name = cursor.take_while(fits).trim();
    if name.is_empty() {
        return Err(before.unexpected("letter or digit"));
    }
    Ok(name.to_owned())
}
