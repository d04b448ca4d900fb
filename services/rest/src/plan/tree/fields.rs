//! Fields of one relation of the tree, among which may be names of embeds.

use crate::error::ApiError;
use crate::plan::field::{Column, Condition};
use crate::plan::read::{Embed, Order, Selected};
use crate::request::filter::{IsValue, Operation};
use crate::request::names::{Field, JsonOperand};
use crate::request::order::OrderTerm;
use crate::request::select::SelectField;
use crate::schema_cache::representation::Representations;
use crate::schema_cache::table::Table;

/// A column of the answer; with `representations` as they show it.
pub(super) fn selected(
    field: &SelectField,
    table: Option<&Table>,
    representations: Option<&Representations>,
) -> Selected {
    let mut column = Column::resolve(&field.field, table);
    // What many rows come to is reckoned with the values as they are stored.
    if let (Some(table), Some(known), None) = (table, representations, &field.aggregate)
        && column.path.is_empty()
    {
        column.shown = known
            .of(table, &column.name)
            .and_then(|known| known.shown.clone());
    }
    let function = field.aggregate.as_ref().map(|known| known.function.name());
    let alias = field.alias.clone().or_else(|| match function {
        Some(function) => Some(function.to_owned()),
        None => json_alias(&field.field),
    });
    Selected::Column {
        column,
        cast: field.cast.clone(),
        aggregate: field.aggregate.clone(),
        alias,
    }
}

/// A JSON path is called by its last key, or by the column where it has none.
fn json_alias(field: &Field) -> Option<String> {
    if field.path.is_empty() {
        return None;
    }
    let keys = field.path.iter().rev();
    let last = keys.into_iter().find_map(|step| match &step.operand {
        JsonOperand::Key(key) => Some(key),
        JsonOperand::Index(_) => None,
    });
    Some(last.unwrap_or(&field.name).clone())
}

pub(super) fn ordered(
    term: &OrderTerm,
    table: Option<&Table>,
    origin: &str,
    embeds: &[Embed],
) -> Result<Order, ApiError> {
    let mut order = Order {
        embed: None,
        column: Column::comparable(&term.field, table),
        direction: term.direction,
        nulls: term.nulls,
    };
    if let Some(name) = &term.relation {
        let embed = embeds.iter().find(|embed| embed.name == *name);
        let embed = embed.ok_or_else(|| ApiError::NotEmbedded(name.clone()))?;
        if !embed.to_one {
            return Err(ApiError::RelatedOrder {
                origin: origin.to_owned(),
                target: name.clone(),
            });
        }
        order.embed = Some(embed.alias.clone());
        order.column = Column::resolve(&term.field, None);
    }
    Ok(order)
}

/// A filter on the name of an embed asks whether it has rows.
pub(super) fn on_embeds(condition: Condition, embeds: &[Embed]) -> Result<Condition, ApiError> {
    match condition {
        Condition::Group {
            negated,
            operator,
            members,
        } => {
            let members = members.into_iter().map(|member| on_embeds(member, embeds));
            Ok(Condition::Group {
                negated,
                operator,
                members: members.collect::<Result<_, _>>()?,
            })
        }
        Condition::Filter {
            column,
            parse,
            to_tsvector,
            negated,
            operation,
        } => {
            let named = |embed: &&Embed| embed.name == column.name && column.path.is_empty();
            match (embeds.iter().find(named), &operation) {
                (Some(embed), Operation::Is(IsValue::Null | IsValue::NotNull)) => {
                    let asks_for_rows = operation == Operation::Is(IsValue::NotNull);
                    Ok(Condition::Embedded {
                        alias: embed.alias.clone(),
                        gathered: !embed.to_one,
                        present: asks_for_rows != negated,
                    })
                }
                (Some(_), _) => Err(ApiError::EmbedFilter(column.name)),
                (None, _) => Ok(Condition::Filter {
                    column,
                    parse,
                    to_tsvector,
                    negated,
                    operation,
                }),
            }
        }
        Condition::Embedded { .. } => Ok(condition),
    }
}
