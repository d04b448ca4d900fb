//! Conditions: every operator of the grammar as SQL.

mod parsed;

use parsed::Comparison;

use super::Sql;
use super::fragment::array_literal;
use crate::plan::field::{Column, Condition};
use crate::plan::read::{JoinCondition, TableRef};
use crate::request::filter::{Operation, QuantifiedOperator, Quantifier};
use crate::request::names::{JsonArrow, JsonOperand};

/// Adds ` where …`, if there is anything to say.
pub(super) fn add_where(
    sql: &mut Sql,
    table: &TableRef,
    conditions: &[Condition],
    joins: &[JoinCondition],
) {
    if conditions.is_empty() && joins.is_empty() {
        return;
    }
    sql.push(" where ");
    sql.list(conditions, " and ", |sql, condition| {
        add(sql, table, condition);
    });
    if !conditions.is_empty() && !joins.is_empty() {
        sql.push(" and ");
    }
    sql.list(joins, " and ", add_join);
}

pub(super) fn add_join(sql: &mut Sql, join: &JoinCondition) {
    let ((left, own), (right, foreign)) = (&join.left, &join.right);
    sql.column(left, own).push(" = ").column(right, foreign);
}

/// Adds one condition on `table`.
pub(super) fn add(sql: &mut Sql, table: &TableRef, condition: &Condition) {
    match condition {
        Condition::Group {
            negated,
            operator,
            members,
        } => {
            sql.push(if *negated { "not (" } else { "(" });
            sql.list(members, operator.sql(), |sql, member| {
                add(sql, table, member);
            });
            sql.push(")");
        }
        Condition::Embedded {
            alias,
            gathered,
            present,
        } => {
            if *gathered {
                sql.name(alias).push(".").name(alias);
            } else {
                sql.name(alias);
            }
            sql.push(if *present {
                " is distinct from null"
            } else {
                " is not distinct from null"
            });
        }
        Condition::Filter {
            column,
            parse,
            to_tsvector,
            negated,
            operation,
        } => {
            if *negated {
                sql.push("not ");
            }
            let comparison = parse.as_ref().zip(Comparison::of(operation));
            if let Some((parse, comparison)) = comparison {
                add_column(sql, table, column);
                comparison.add(sql, parse);
            } else {
                add_filter(sql, table, (column, *to_tsvector), operation);
            }
        }
    }
}

fn add_filter(
    sql: &mut Sql,
    table: &TableRef,
    (column, to_tsvector): (&Column, bool),
    operation: &Operation,
) {
    match operation {
        Operation::Simple(operator, value) => {
            add_column(sql, table, column);
            sql.push(operator.sql()).bind(value.as_str());
        }
        Operation::Quantified(operator, quantifier, value) => {
            add_column(sql, table, column);
            sql.push(operator.sql());
            let pattern = matches!(
                operator,
                QuantifiedOperator::Like | QuantifiedOperator::ILike
            );
            let value = if pattern {
                value.replace('*', "%")
            } else {
                value.clone()
            };
            match quantifier {
                Some(Quantifier::Any) => sql.push("any (").bind(value).push(")"),
                Some(Quantifier::All) => sql.push("all (").bind(value).push(")"),
                None => sql.bind(value),
            };
        }
        Operation::In(values) => {
            add_column(sql, table, column);
            let values = match values.as_slice() {
                [only] if only.is_empty() => "{}".to_owned(),
                values => array_literal(values),
            };
            // An array keeps the text the same however many values there are.
            sql.push(" = any (").bind(values).push(")");
        }
        Operation::Is(value) => {
            add_column(sql, table, column);
            sql.push(value.sql());
        }
        Operation::IsDistinct(value) => {
            add_column(sql, table, column);
            sql.push(" is distinct from ").bind(value.as_str());
        }
        Operation::TextSearch {
            operator,
            config,
            query,
        } => {
            if to_tsvector {
                sql.push("to_tsvector(");
                add_config(sql, config.as_deref());
                add_column(sql, table, column);
                sql.push(")");
            } else {
                add_column(sql, table, column);
            }
            sql.push(operator.sql());
            add_config(sql, config.as_deref());
            sql.bind(query.as_str()).push(")");
        }
    }
}

fn add_config(sql: &mut Sql, config: Option<&str>) {
    if let Some(config) = config {
        sql.bind(config).push("::regconfig, ");
    }
}

/// Adds a column and the path into it.
pub(super) fn add_column(sql: &mut Sql, table: &TableRef, column: &Column) {
    if column.to_jsonb {
        sql.push("to_jsonb(").column(table, &column.name).push(")");
    } else {
        sql.column(table, &column.name);
    }
    for step in &column.path {
        sql.push(match step.arrow {
            JsonArrow::Json => "->",
            JsonArrow::Text => "->>",
        });
        match &step.operand {
            JsonOperand::Key(key) => sql.bind(key.as_str()).push("::text"),
            JsonOperand::Index(index) => sql.bind(index.as_str()).push("::int"),
        };
    }
}
