//! Reading a path.

use std::num::ParseIntError;

use super::{Comparison, Step};

/// All steps of `text`; `None` where any of it is no step.
pub(super) fn path(mut text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !text.is_empty() {
        let (step, rest) = match text.strip_prefix('.') {
            Some(rest) => key(rest)?,
            None => bracket(text.strip_prefix('[')?)?,
        };
        steps.push(step);
        text = rest;
    }
    let is_slice = |step: &Step| matches!(step, Step::Slice(..));
    let sliced = steps.iter().position(is_slice).unwrap_or(steps.len());
    let only_at_the_end = steps.iter().skip(sliced).all(is_slice);
    (!steps.is_empty() && only_at_the_end).then_some(steps)
}

fn key(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('"') {
        let (name, rest) = rest.split_once('"')?;
        return Some((Step::Key(name.to_owned()), rest));
    }
    let is_plain = |character: char| character.is_alphanumeric() || "_$@-".contains(character);
    let end = text.find(|character| !is_plain(character));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    (!name.is_empty()).then(|| (Step::Key(name.to_owned()), rest))
}

fn bracket(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix("?(@") {
        return filter(rest);
    }
    let (inside, rest) = text.split_once(']')?;
    let step = match inside.split_once(':') {
        None => Step::Index(inside.parse().ok()?),
        Some((from, to)) => Step::Slice(position(from).ok()?, position(to).ok()?),
    };
    Some((step, rest))
}

/// No position where the text is empty.
fn position(text: &str) -> Result<Option<i64>, ParseIntError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some)
}

fn filter(text: &str) -> Option<(Step, &str)> {
    let text = text.trim_start();
    let (operator, text) = text.split_once('"')?;
    let operator = operator.trim_end();
    let mut known = Comparison::ALL.into_iter();
    let (comparison, _) = known.find(|(_, known)| *known == operator)?;
    let (operand, text) = text.split_once('"')?;
    let rest = text.trim_start().strip_prefix(")]")?;
    Some((Step::Filter(comparison, operand.to_owned()), rest))
}
