//! Columns of an embed among those of its parent. An aggregate in a to-one spread is the parent's:
//! the embed hands on the values, and the parent makes one of many.

use super::fields;
use crate::error::ApiError;
use crate::plan::read::{Embed, ReadPlan, Selected, Shape, SpreadColumn, SpreadValue};
use crate::request::names::Field;
use crate::request::select::{Aggregate, SelectField};
use crate::schema_cache::representation::Representations;
use crate::schema_cache::table::Table;

/// Names the columns of `*`, which cannot be grouped, nor shown otherwise than stored, as one.
pub(super) fn expand_all(
    select: &mut Vec<Selected>,
    table: Option<&Table>,
    representations: Option<&Representations>,
) {
    let Some(table) = table else { return };
    let expanded = std::mem::take(select).into_iter();
    *select = expanded
        .flat_map(|selected| match selected {
            Selected::All => table
                .columns
                .iter()
                .map(|column| fields::selected(&plain(&column.name), Some(table), representations))
                .collect(),
            other @ (Selected::Column { .. } | Selected::Rows { .. }) => vec![other],
        })
        .collect();
}

fn plain(name: &str) -> SelectField {
    SelectField {
        field: Field {
            name: name.to_owned(),
            path: Vec::new(),
        },
        cast: None,
        aggregate: None,
        alias: None,
    }
}

/// The columns that the to-many embed of `read` shows, each a list.
pub(super) fn to_many(
    read: &mut ReadPlan,
    table: Option<&Table>,
    representations: Option<&Representations>,
) -> Result<Vec<SpreadColumn>, ApiError> {
    if read.is_aggregated() {
        return Err(ApiError::NotImplemented(
            "Aggregates are not implemented for one-to-many or many-to-many spreads.",
        ));
    }
    expand_all(&mut read.select, table, representations);
    Ok(handed_on(read))
}

/// The columns that the to-one embed of `read` shows, with the aggregates that were its own and
/// are its parent's now. `embed` is the embed's alias.
pub(super) fn to_one(
    read: &mut ReadPlan,
    table: Option<&Table>,
    representations: Option<&Representations>,
    embed: &str,
) -> Vec<SpreadColumn> {
    expand_all(&mut read.select, table, representations);
    let mut hoisted = Hoisted {
        embed,
        columns: Vec::new(),
    };
    let selects = std::mem::take(&mut read.select).into_iter();
    read.select = selects.filter_map(|one| hoisted.take(one)).collect();
    for embed in &mut read.embeds {
        if let Shape::Spread(columns) = &mut embed.shape {
            for column in columns {
                if let Some(aggregate) = column.aggregate.take() {
                    let name = hoisted.add(aggregate, column.name.clone());
                    column.name = name;
                }
            }
        }
    }
    let mut columns = handed_on(read);
    columns.retain(|column| !hoisted.has(&column.name));
    columns.extend(hoisted.columns);
    columns
}

/// Aggregates on their way from an embed to its parent.
struct Hoisted<'a> {
    embed: &'a str,
    columns: Vec<SpreadColumn>,
}

impl Hoisted<'_> {
    /// What stays in the embed's select of one entry.
    fn take(&mut self, selected: Selected) -> Option<Selected> {
        match selected {
            Selected::Column {
                column,
                cast,
                aggregate: Some(aggregate),
                alias,
            } => {
                let shown = alias.unwrap_or_else(|| column.name.clone());
                let name = self.add(aggregate, shown);
                Some(Selected::Column {
                    column,
                    cast,
                    aggregate: None,
                    alias: Some(name),
                })
            }
            Selected::Rows { aggregate, alias } => {
                let shown = alias.unwrap_or_else(|| aggregate.function.name().to_owned());
                self.columns.push(SpreadColumn {
                    value: SpreadValue::Row,
                    name: shown,
                    aggregate: Some(aggregate),
                });
                None
            }
            other @ (Selected::Column { .. } | Selected::All) => Some(other),
        }
    }

    /// Names the values of an aggregate such that nothing else has the name.
    fn add(&mut self, aggregate: Aggregate, shown: String) -> String {
        let name = format!("{}_{}", self.embed, self.columns.len());
        self.columns.push(SpreadColumn {
            value: SpreadValue::Column(name.clone()),
            name: shown,
            aggregate: Some(aggregate),
        });
        name
    }

    fn has(&self, name: &str) -> bool {
        let value = SpreadValue::Column(name.to_owned());
        self.columns.iter().any(|column| column.value == value)
    }
}

/// What `read` answers, by name.
fn handed_on(read: &ReadPlan) -> Vec<SpreadColumn> {
    let selected = read.select.iter().filter_map(|selected| match selected {
        Selected::Column { column, alias, .. } => Some(alias.as_ref().unwrap_or(&column.name)),
        Selected::All | Selected::Rows { .. } => None,
    });
    let shown = read.embeds.iter().filter(|embed| !embed.is_empty());
    let embedded = shown.flat_map(|embed: &Embed| match &embed.shape {
        Shape::Nested => vec![&embed.name],
        Shape::Spread(columns) => columns.iter().map(|column| &column.name).collect(),
    });
    selected
        .chain(embedded)
        .map(|name| SpreadColumn {
            value: SpreadValue::Column(name.clone()),
            name: name.clone(),
            aggregate: None,
        })
        .collect()
}
