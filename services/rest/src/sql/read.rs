//! Reads: a select, with a lateral subquery for each embed.

use super::Sql;
use super::condition::{add, add_column, add_join, add_where};
use super::select::{add_group, add_select_list, group_key};
use crate::plan::field::Condition;
use crate::plan::read::{
    Embed, RETURNED, ReadPlan, Shape, Source, SpreadColumn, SpreadValue, TableRef,
};
use crate::request::order::{Direction, Nulls};
use crate::request::range::RowRange;
use crate::request::select::JoinType;

/// Adds the select of `plan`.
pub(super) fn add_read(sql: &mut Sql, plan: &ReadPlan) {
    let table = plan.source.reference();
    sql.push("select ");
    let keys = add_select_list(sql, &table, plan);
    sql.push(" from ");
    add_source(sql, &plan.source);
    for embed in &plan.embeds {
        add_embed(sql, embed);
    }
    add_where(sql, &table, &plan.conditions, &plan.joins);
    add_group(sql, &keys);
    add_order(sql, &table, plan);
    add_range(sql, plan.range);
}

pub(super) fn add_source(sql: &mut Sql, source: &Source) {
    match source {
        Source::Relation(name) => {
            sql.qualified(name);
        }
        Source::Returned => {
            sql.name(RETURNED);
        }
        Source::Computed {
            function,
            row,
            row_type,
            alias,
        } => {
            // What a write returned has no type of its own: the function is told which it is.
            sql.qualified(function).push("((").table(row).push(".*)::");
            sql.qualified(row_type).push(") as ").name(alias);
        }
        Source::Aliased {
            relation,
            alias,
            junction,
        } => {
            sql.qualified(relation).push(" as ").name(alias);
            if let Some((junction, alias)) = junction {
                // A cross join keeps both sides visible to the laterals that follow.
                sql.push(" cross join ")
                    .qualified(junction)
                    .push(" as ")
                    .name(alias);
            }
        }
    }
}

pub(super) fn add_embed(sql: &mut Sql, embed: &Embed) {
    sql.push(match embed.join {
        JoinType::Inner => " inner join lateral (",
        JoinType::Left => " left join lateral (",
    });
    let alias = &embed.alias;
    if embed.to_one {
        add_read(sql, &embed.read);
        sql.push(") as ").name(alias).push(" on true");
        return;
    }
    sql.push("select json_agg(")
        .name(alias)
        .push(") as ")
        .name(alias);
    if let Shape::Spread(columns) = &embed.shape {
        add_lists(sql, alias, columns);
    }
    sql.push(" from (");
    add_read(sql, &embed.read);
    sql.push(") as ").name(alias).push(") as ").name(alias);
    match embed.join {
        JoinType::Inner => sql
            .push(" on ")
            .name(alias)
            .push(".")
            .name(alias)
            .push(" is not null"),
        JoinType::Left => sql.push(" on true"),
    };
}

/// Adds each column of a to-many embed as a list.
fn add_lists(sql: &mut Sql, alias: &str, columns: &[SpreadColumn]) {
    for column in columns {
        if let SpreadValue::Column(name) = &column.value {
            sql.push(", coalesce(json_agg(").name(alias).push(".");
            sql.name(name).push("), '[]') as ").name(&column.name);
        }
    }
}

pub(super) fn add_order(sql: &mut Sql, table: &TableRef, plan: &ReadPlan) {
    if plan.order.is_empty() {
        return;
    }
    sql.push(" order by ");
    sql.list(&plan.order, ", ", |sql, term| {
        match &term.embed {
            Some(alias) => add_column(sql, &TableRef::Alias(alias.clone()), &term.column),
            None => match group_key(plan, &term.column) {
                Some(position) => {
                    sql.position(position);
                }
                None => add_column(sql, table, &term.column),
            },
        }
        match term.direction {
            Some(Direction::Ascending) => sql.push(" asc"),
            Some(Direction::Descending) => sql.push(" desc"),
            None => sql,
        };
        match term.nulls {
            Some(Nulls::First) => sql.push(" nulls first"),
            Some(Nulls::Last) => sql.push(" nulls last"),
            None => sql,
        };
    });
}

pub(super) fn add_range(sql: &mut Sql, range: RowRange) {
    if let Some(limit) = range.limit {
        sql.push(" limit ").bind(limit.to_string());
    }
    if range.offset > 0 {
        sql.push(" offset ").bind(range.offset.to_string());
    }
}

/// Adds a select of one column-less row for each row that `plan` would answer without its limit.
pub(super) fn add_counted(sql: &mut Sql, plan: &ReadPlan) {
    let table = plan.source.reference();
    sql.push("select 1 from ");
    add_source(sql, &plan.source);
    let inner: Vec<&Embed> = plan
        .embeds
        .iter()
        .filter(|embed| embed.join == JoinType::Inner)
        .collect();
    if plan.conditions.is_empty() && plan.joins.is_empty() && inner.is_empty() {
        return;
    }
    sql.push(" where ");
    let mut separate = Separator::default();
    for condition in &plan.conditions {
        separate.add(sql);
        add_counted_condition(sql, &table, condition, &plan.embeds);
    }
    for join in &plan.joins {
        separate.add(sql);
        add_join(sql, join);
    }
    for embed in inner {
        separate.add(sql);
        add_exists(sql, &embed.read);
    }
}

#[derive(Default)]
struct Separator {
    begun: bool,
}

impl Separator {
    fn add(&mut self, sql: &mut Sql) {
        if self.begun {
            sql.push(" and ");
        }
        self.begun = true;
    }
}

fn add_exists(sql: &mut Sql, plan: &ReadPlan) {
    sql.push("exists (");
    add_counted(sql, plan);
    sql.push(")");
}

fn add_counted_condition(sql: &mut Sql, table: &TableRef, condition: &Condition, embeds: &[Embed]) {
    match condition {
        Condition::Embedded { alias, present, .. } => {
            if let Some(embed) = embeds.iter().find(|embed| embed.alias == *alias) {
                if !*present {
                    sql.push("not ");
                }
                add_exists(sql, &embed.read);
            }
        }
        Condition::Group {
            negated,
            operator,
            members,
        } => {
            sql.push(if *negated { "not (" } else { "(" });
            sql.list(members, operator.sql(), |sql, member| {
                add_counted_condition(sql, table, member, embeds);
            });
            sql.push(")");
        }
        Condition::Filter { .. } => add(sql, table, condition),
    }
}
