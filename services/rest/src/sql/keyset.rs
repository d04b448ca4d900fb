//! Reads of a page after a row. Each row comes as one value, with its key beside it.

use super::Sql;
use super::condition::{add_column, add_where};
use super::read::{add_embed, add_order, add_range, add_source};
use super::select::add_select_list;
use crate::plan::keyset::{Keyset, Term};
use crate::plan::read::{ReadPlan, TableRef};

/// The row, among the columns of a page.
pub(super) const ROW: &str = "_pgrst.pgrst_row";

/// Adds the select of `plan`: `pgrst_row`, and `pgrst_key`, a JSON list of texts.
pub(super) fn add_page(sql: &mut Sql, plan: &ReadPlan, keyset: &Keyset) {
    let table = plan.source.reference();
    sql.push("select (select pgrst_row from (select ");
    // Nothing is grouped on a page.
    let _ = add_select_list(sql, &table, plan);
    sql.push(") as pgrst_row) as pgrst_row, json_build_array(");
    sql.list(&keyset.terms, ", ", |sql, term| {
        sql.push("(");
        add_column(sql, &table, &term.column);
        sql.push(")::text");
    });
    sql.push(")::text as pgrst_key from ");
    add_source(sql, &plan.source);
    for embed in &plan.embeds {
        add_embed(sql, embed);
    }
    add_where(sql, &table, &plan.conditions, &plan.joins);
    if let Some(after) = &keyset.after {
        let first = plan.conditions.is_empty() && plan.joins.is_empty();
        sql.push(if first { " where " } else { " and " });
        add_after(sql, &table, keyset, after);
    }
    add_order(sql, &table, plan);
    add_range(sql, plan.range);
}

/// Adds the key of the last row of the page.
pub(super) fn add_last_key(sql: &mut Sql) {
    sql.push(", (array_agg(_pgrst.pgrst_key))[count(*)]");
}

type Value = Option<String>;

/// Adds what holds of the rows after the one with the values `after`.
fn add_after(sql: &mut Sql, table: &TableRef, keyset: &Keyset, after: &[Value]) {
    let terms: Vec<(&Term, &Value)> = keyset.terms.iter().zip(after).collect();
    let known = after.iter().all(Option::is_some);
    if known && keyset.is_uniform() {
        return add_row_after(sql, table, &terms);
    }
    if let Some((first, Some(value))) = terms.first()
        && !first.nullable
    {
        // Follows from what comes, and lets an index begin here.
        add_column(sql, table, &first.column);
        sql.push(if first.descending { " <= " } else { " >= " });
        sql.bind(value.as_str()).push(" and ");
    }
    sql.push("(");
    for (position, (term, value)) in terms.iter().enumerate() {
        if position > 0 {
            sql.push(" or ");
        }
        sql.push("(");
        for (earlier, equal) in terms.iter().take(position) {
            add_column(sql, table, &earlier.column);
            match equal {
                Some(equal) => sql.push(" = ").bind(equal.as_str()),
                None => sql.push(" is null"),
            };
            sql.push(" and ");
        }
        add_beyond(sql, table, term, value);
        sql.push(")");
    }
    sql.push(")");
}

/// Adds one comparison of whole rows.
fn add_row_after(sql: &mut Sql, table: &TableRef, terms: &[(&Term, &Value)]) {
    sql.push("(");
    sql.list(terms, ", ", |sql, (term, _)| {
        add_column(sql, table, &term.column);
    });
    let descending = terms.first().is_some_and(|(term, _)| term.descending);
    sql.push(if descending { ") < (" } else { ") > (" });
    sql.list(terms, ", ", |sql, (_, value)| {
        sql.bind(value.as_deref().unwrap_or_default());
    });
    sql.push(")");
}

/// Adds what holds of the values of one term that come after `value`.
fn add_beyond(sql: &mut Sql, table: &TableRef, term: &Term, value: &Value) {
    let add_term = |sql: &mut Sql| add_column(sql, table, &term.column);
    match value {
        None if term.nulls_first => {
            add_term(sql);
            sql.push(" is not null");
        }
        None => {
            sql.push("false");
        }
        Some(value) => {
            let nulls_follow = term.nullable && !term.nulls_first;
            if nulls_follow {
                sql.push("(");
            }
            add_term(sql);
            sql.push(if term.descending { " < " } else { " > " });
            sql.bind(value.as_str());
            if nulls_follow {
                sql.push(" or ");
                add_term(sql);
                sql.push(" is null)");
            }
        }
    }
}
