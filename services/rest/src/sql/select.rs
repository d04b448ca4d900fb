//! What a select shows: columns, aggregates, embeds, and by which of them rows are grouped.

use super::Sql;
use super::condition::add_column;
use crate::plan::field::Column;
use crate::plan::read::{Embed, ReadPlan, Selected, Shape, SpreadColumn, SpreadValue, TableRef};
use crate::request::select::{Aggregate, AggregateFunction};

/// The select list while it is written.
struct List<'s> {
    sql: &'s mut Sql,
    /// Whether rows are grouped by what is no aggregate.
    grouped: bool,
    entries: usize,
    keys: Vec<usize>,
}

/// Adds the select list of `plan`. Answers the positions that its rows are grouped by: a position
/// says the same as the entry, whose parameters would be others the second time.
pub(super) fn add_select_list(sql: &mut Sql, table: &TableRef, plan: &ReadPlan) -> Vec<usize> {
    let mut list = List {
        sql,
        grouped: plan.is_aggregated(),
        entries: 0,
        keys: Vec::new(),
    };
    for selected in &plan.select {
        list.selected(table, selected);
    }
    for embed in plan.embeds.iter().filter(|embed| !embed.is_empty()) {
        list.embedded(embed);
    }
    if list.entries == 0 {
        // Postgres has rows without columns, and aggregates of them are not the rows of the API.
        list.sql.push("1");
    }
    list.keys
}

/// The position of `column` in the select list, where rows are grouped by it.
pub(super) fn group_key(plan: &ReadPlan, column: &Column) -> Option<usize> {
    let is_key = |selected: &Selected| match selected {
        Selected::Column {
            column: key,
            cast: None,
            aggregate: None,
            ..
        } => key.is_at(column),
        Selected::Column { .. } | Selected::All | Selected::Rows { .. } => false,
    };
    let found = plan.select.iter().position(is_key);
    found
        .filter(|_| plan.is_aggregated())
        .map(|index| index + 1)
}

/// Adds ` group by …`, if there is anything to group by.
pub(super) fn add_group(sql: &mut Sql, keys: &[usize]) {
    if !keys.is_empty() {
        sql.push(" group by ");
        sql.list(keys, ", ", |sql, key| {
            sql.position(*key);
        });
    }
}

impl List<'_> {
    /// Begins an entry that is an aggregate or is not.
    fn entry(&mut self, aggregate: Option<&Aggregate>) -> &mut Sql {
        if self.entries > 0 {
            self.sql.push(", ");
        }
        self.entries += 1;
        if self.grouped && aggregate.is_none() {
            self.keys.push(self.entries);
        }
        self.sql
    }

    fn selected(&mut self, table: &TableRef, selected: &Selected) {
        let grouped = self.grouped;
        let sql = self.entry(selected.aggregate());
        match selected {
            Selected::All => {
                sql.table(table).push(".*");
            }
            Selected::Rows { aggregate, alias } => {
                add_aggregate(sql, aggregate, |sql| {
                    sql.push("*");
                });
                let name = alias.as_deref();
                sql.push(" as ")
                    .name(name.unwrap_or(aggregate.function.name()));
            }
            Selected::Column {
                column,
                cast,
                aggregate,
                alias,
            } => {
                let add_value = |sql: &mut Sql| {
                    if let Some(cast) = cast {
                        sql.push("cast(");
                        add_shown(sql, table, column);
                        sql.push(" as ").cast_type(cast).push(")");
                    } else {
                        add_shown(sql, table, column);
                        // Postgres groups by jsonb and not by json.
                        if grouped && column.shown.is_some() {
                            sql.push("::jsonb");
                        }
                    }
                };
                match aggregate {
                    Some(aggregate) => add_aggregate(sql, aggregate, add_value),
                    None => add_value(sql),
                }
                // A cast would otherwise be called by its type, and a call by its function.
                if let Some(alias) = alias {
                    sql.push(" as ").name(alias);
                } else if cast.is_some() || column.shown.is_some() {
                    sql.push(" as ").name(&column.name);
                }
            }
        }
    }

    fn embedded(&mut self, embed: &Embed) {
        match &embed.shape {
            Shape::Nested => self.nested(embed),
            Shape::Spread(columns) => {
                if embed.to_one && !self.grouped && columns.iter().all(is_as_it_is) {
                    self.entry(None).name(&embed.alias).push(".*");
                    return;
                }
                for column in columns {
                    self.spread(embed, column);
                }
            }
        }
    }

    fn nested(&mut self, embed: &Embed) {
        // Postgres groups by jsonb and not by json.
        let comparable = if self.grouped { "::jsonb" } else { "" };
        let sql = self.entry(None);
        if embed.to_one {
            sql.push("row_to_json(").name(&embed.alias).push(".*)");
        } else {
            sql.push("coalesce(").name(&embed.alias).push(".");
            sql.name(&embed.alias).push(", '[]')");
        }
        sql.push(comparable).push(" as ").name(&embed.name);
    }

    fn spread(&mut self, embed: &Embed, column: &SpreadColumn) {
        let list = self.grouped && !embed.to_one;
        let sql = self.entry(column.aggregate.as_ref());
        let add_value = |sql: &mut Sql| {
            sql.name(&embed.alias);
            if let SpreadValue::Column(name) = &column.value {
                sql.push(".").name(name);
            }
        };
        match &column.aggregate {
            Some(aggregate) => add_aggregate(sql, aggregate, add_value),
            None => add_value(sql),
        }
        sql.push(if list { "::jsonb as " } else { " as " });
        sql.name(&column.name);
    }
}

/// Adds a column as the answer shows it.
fn add_shown(sql: &mut Sql, table: &TableRef, column: &Column) {
    if let Some(function) = &column.shown {
        sql.qualified(function).push("(");
        add_column(sql, table, column);
        sql.push(")");
    } else {
        add_column(sql, table, column);
    }
}

/// Whether the column has the name it has in the embed.
fn is_as_it_is(column: &SpreadColumn) -> bool {
    column.value == SpreadValue::Column(column.name.clone())
}

fn add_aggregate(sql: &mut Sql, aggregate: &Aggregate, add_value: impl FnOnce(&mut Sql)) {
    if aggregate.cast.is_some() {
        sql.push("cast(");
    }
    sql.push(match aggregate.function {
        AggregateFunction::Average => "avg(",
        AggregateFunction::Count => "count(",
        AggregateFunction::Maximum => "max(",
        AggregateFunction::Minimum => "min(",
        AggregateFunction::Sum => "sum(",
    });
    add_value(sql);
    sql.push(")");
    if let Some(cast) = &aggregate.cast {
        sql.push(" as ").cast_type(cast).push(")");
    }
}
