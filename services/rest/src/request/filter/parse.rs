//! How filters and their trees are written.

use super::operators::{quantified_operator, simple_operator, text_search_operator};
use super::{Filter, IsValue, LogicOperator, LogicTree, Operation, Quantifier};
use crate::request::cursor::{Cursor, Mismatch};
use crate::request::names;

const OPERATOR: &str = "operator (eq, gt, ...)";

/// How far an operand reaches: to the end of the parameter, or to the next `,` or `)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operand {
    Whole,
    Listed,
}

/// `[not.]operator.value` as the value of a parameter.
pub(crate) fn condition(cursor: &mut Cursor<'_>) -> Result<(bool, Operation), Mismatch> {
    let condition = negatable(cursor, Operand::Whole)?;
    cursor.expect_end()?;
    Ok(condition)
}

/// `(a.eq.1,or(b.gt.2,…))` after the `and` or `or` that the parameter's name ends with.
pub(crate) fn group(
    cursor: &mut Cursor<'_>,
    negated: bool,
    operator: LogicOperator,
) -> Result<LogicTree, Mismatch> {
    let members = members(cursor, 1)?;
    cursor.expect_end()?;
    Ok(LogicTree::Group {
        negated,
        operator,
        members,
    })
}

fn members(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<LogicTree>, Mismatch> {
    cursor.check_depth(depth)?;
    cursor.expect_lexeme("(")?;
    let mut members = vec![tree(cursor, depth)?];
    while cursor.eat_lexeme(",") {
        members.push(tree(cursor, depth)?);
    }
    cursor.expect_lexeme(")")?;
    Ok(members)
}

fn tree(cursor: &mut Cursor<'_>, depth: usize) -> Result<LogicTree, Mismatch> {
    if let Some((negated, operator)) = group_start(cursor) {
        let members = members(cursor, depth + 1)?;
        return Ok(LogicTree::Group {
            negated,
            operator,
            members,
        });
    }
    let field = names::field(cursor)?;
    cursor.expect(".")?;
    let (negated, operation) = negatable(cursor, Operand::Listed)?;
    Ok(LogicTree::Filter(Filter {
        field,
        negated,
        operation,
    }))
}

/// `[not.]and(` or `[not.]or(`, up to and without the parenthesis.
fn group_start(cursor: &mut Cursor<'_>) -> Option<(bool, LogicOperator)> {
    let mut ahead = cursor.clone();
    let negated = ahead.eat("not.");
    let operator = if ahead.eat("and") {
        LogicOperator::And
    } else if ahead.eat("or") {
        LogicOperator::Or
    } else {
        return None;
    };
    let mut next = ahead.clone();
    next.skip_blanks();
    if !next.starts_with("(") {
        return None;
    }
    *cursor = ahead;
    Some((negated, operator))
}

fn negatable(cursor: &mut Cursor<'_>, operand: Operand) -> Result<(bool, Operation), Mismatch> {
    let negated = cursor.eat("not.");
    let start = cursor.clone();
    match operation(cursor, operand)? {
        Some(operation) => Ok((negated, operation)),
        None if negated => Err(start.unexpected(OPERATOR)),
        None => Err(start.unexpected_in("not", &format!("\"not\" or {OPERATOR}"))),
    }
}

/// `None` where no operator comes next.
fn operation(cursor: &mut Cursor<'_>, operand: Operand) -> Result<Option<Operation>, Mismatch> {
    let word = cursor.take_while(|character| character != '.' && character != '(');
    match word {
        "in" => {
            cursor.expect(".")?;
            return list(cursor).map(|values| Some(Operation::In(values)));
        }
        "is" => {
            cursor.expect(".")?;
            return is_value(cursor).map(|value| Some(Operation::Is(value)));
        }
        "isdistinct" => {
            cursor.expect(".")?;
            return Ok(Some(Operation::IsDistinct(value(cursor, operand))));
        }
        _ => {}
    }
    if let Some(operator) = text_search_operator(word) {
        let config = text_search_config(cursor)?;
        cursor.expect(".")?;
        let query = value(cursor, operand);
        return Ok(Some(Operation::TextSearch {
            operator,
            config,
            query,
        }));
    }
    if let Some(operator) = simple_operator(word) {
        cursor.expect(".")?;
        return Ok(Some(Operation::Simple(operator, value(cursor, operand))));
    }
    if let Some(operator) = quantified_operator(word) {
        let quantifier = quantifier(cursor)?;
        cursor.expect(".")?;
        let value = value(cursor, operand);
        return Ok(Some(Operation::Quantified(operator, quantifier, value)));
    }
    Ok(None)
}

fn quantifier(cursor: &mut Cursor<'_>) -> Result<Option<Quantifier>, Mismatch> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let quantifier = if cursor.eat("any") {
        Quantifier::Any
    } else if cursor.eat("all") {
        Quantifier::All
    } else {
        return Err(cursor.unexpected("\"any\" or \"all\""));
    };
    cursor.expect(")")?;
    Ok(Some(quantifier))
}

fn text_search_config(cursor: &mut Cursor<'_>) -> Result<Option<String>, Mismatch> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let config = names::name(cursor)?;
    cursor.expect(")")?;
    Ok(Some(config))
}

fn is_value(cursor: &mut Cursor<'_>) -> Result<IsValue, Mismatch> {
    let before = cursor.clone();
    let word = cursor.take_while(|character| character.is_ascii_alphabetic() || character == '_');
    match word.to_ascii_lowercase().as_str() {
        "null" => Ok(IsValue::Null),
        "not_null" => Ok(IsValue::NotNull),
        "true" => Ok(IsValue::True),
        "false" => Ok(IsValue::False),
        "unknown" => Ok(IsValue::Unknown),
        _ => Err(before.unexpected("isVal: (null, not_null, true, false, unknown)")),
    }
}

fn value(cursor: &mut Cursor<'_>, operand: Operand) -> String {
    match operand {
        Operand::Whole => cursor.take_rest().to_owned(),
        Operand::Listed => array(cursor).unwrap_or_else(|| element(cursor)),
    }
}

/// `("a","b",c)`.
fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Mismatch> {
    cursor.expect_lexeme("(")?;
    let mut values = vec![element(cursor)];
    while cursor.eat(",") {
        values.push(element(cursor));
    }
    cursor.expect_lexeme(")")?;
    Ok(values)
}

/// One value of a list: quoted, or everything up to the next `,` or `)`.
fn element(cursor: &mut Cursor<'_>) -> String {
    let mut ahead = cursor.clone();
    if let Ok(text) = names::quoted(&mut ahead)
        && matches!(ahead.peek(), None | Some(',' | ')'))
    {
        *cursor = ahead;
        return text;
    }
    let raw = cursor.take_while(|character| character != ',' && character != ')');
    raw.to_owned()
}

/// `{1,2,3}`, whose commas do not end the operand.
fn array(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut ahead = cursor.clone();
    if !ahead.eat("{") {
        return None;
    }
    let inside = ahead.take_while(|character| character != '{' && character != '}');
    if !ahead.eat("}") {
        return None;
    }
    *cursor = ahead;
    Some(format!("{{{inside}}}"))
}
