//! Writes: rows come as one JSON parameter, whatever their number.

use super::Sql;
use super::condition::{add, add_where};
use crate::plan::mutate::{
    Body, BodyColumn, Conflict, Delete, Insert, Mutation, Returning, Update,
};
use crate::plan::read::TableRef;
use crate::request::payload::JsonShape;
use crate::request::preferences::{Missing, Resolution};
use crate::schema_cache::QualifiedName;

/// The alias of the rows in the body.
const BODY: &str = "pgrst_body";

/// Adds the insert, update or delete.
pub(super) fn add_mutation(sql: &mut Sql, mutation: &Mutation) {
    match mutation {
        Mutation::Insert(insert) => add_insert(sql, insert),
        Mutation::Update(update) => add_update(sql, update),
        Mutation::Delete(delete) => add_delete(sql, delete),
    }
}

/// Whether the statement counts which rows it inserted and which it found: only a merge may have
/// done either.
pub(super) fn counts_inserted(mutation: &Mutation) -> bool {
    match mutation {
        Mutation::Insert(insert) => insert
            .conflict
            .as_ref()
            .is_some_and(|conflict| conflict.resolution == Resolution::Merge),
        Mutation::Update(_) | Mutation::Delete(_) => false,
    }
}

fn add_insert(sql: &mut Sql, insert: &Insert) {
    let Insert {
        table,
        body,
        conflict,
        key_conditions,
        returning,
        ..
    } = insert;
    sql.push("insert into ").qualified(table);
    if !body.columns.is_empty() {
        sql.push("(");
        sql.list(&body.columns, ", ", |sql, column| {
            sql.name(&column.name);
        });
        sql.push(")");
    }
    sql.push(" select ");
    let alias = TableRef::Alias(BODY.to_owned());
    sql.list(&body.columns, ", ", |sql, column| {
        sql.column(&alias, &column.name);
    });
    sql.push(" from ");
    add_body(sql, body);
    let counting = conflict
        .as_ref()
        .is_some_and(|conflict| conflict.resolution == Resolution::Merge);
    if counting {
        // Counted here as inserted, and below as not, where the row is there already.
        sql.push(" where set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) + 1)::text, true) <> '0'");
    }
    for (position, condition) in key_conditions.iter().enumerate() {
        let first = position == 0 && !counting;
        sql.push(if first { " where " } else { " and " });
        add(sql, &alias, condition);
    }
    if let Some(conflict) = conflict {
        add_conflict(sql, conflict, body);
    }
    add_returning(sql, table, returning);
}

fn add_conflict(sql: &mut Sql, conflict: &Conflict, body: &Body) {
    sql.push(" on conflict (");
    sql.list(&conflict.columns, ", ", |sql, name| {
        sql.name(name);
    });
    sql.push(")");
    match conflict.resolution {
        Resolution::Merge if !body.columns.is_empty() => {
            sql.push(" do update set ");
            sql.list(&body.columns, ", ", |sql, column| {
                sql.name(&column.name)
                    .push(" = excluded.")
                    .name(&column.name);
            });
            sql.push(" where set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) - 1)::text, true) <> '-1'");
        }
        Resolution::Merge | Resolution::Ignore => {
            sql.push(" do nothing");
        }
    }
}

fn add_update(sql: &mut Sql, update: &Update) {
    let Update {
        table,
        body,
        conditions,
        returning,
    } = update;
    let reference = TableRef::Qualified(table.clone());
    if body.columns.is_empty() {
        // Nothing to set: no row is changed, and the answer still has the columns asked for.
        sql.push("select ");
        add_returned(sql, &reference, returning);
        sql.push(" from ").qualified(table).push(" where false");
        return;
    }
    sql.push("update ").qualified(table).push(" set ");
    let alias = TableRef::Alias(BODY.to_owned());
    sql.list(&body.columns, ", ", |sql, column| {
        sql.name(&column.name)
            .push(" = ")
            .column(&alias, &column.name);
    });
    sql.push(" from ");
    add_body(sql, body);
    add_where(sql, &reference, conditions, &[]);
    add_returning(sql, table, returning);
}

fn add_delete(sql: &mut Sql, delete: &Delete) {
    let reference = TableRef::Qualified(delete.table.clone());
    sql.push("delete from ").qualified(&delete.table);
    add_where(sql, &reference, &delete.conditions, &[]);
    add_returning(sql, &delete.table, &delete.returning);
}

fn add_returning(sql: &mut Sql, table: &QualifiedName, returning: &Returning) {
    sql.push(" returning ");
    add_returned(sql, &TableRef::Qualified(table.clone()), returning);
}

fn add_returned(sql: &mut Sql, table: &TableRef, returning: &Returning) {
    match returning {
        // A constant needs no privilege to read, and still counts the rows.
        Returning::Nothing => {
            sql.push("1");
        }
        Returning::All => {
            sql.table(table).push(".*");
        }
        Returning::Columns(columns) => {
            sql.list(columns, ", ", |sql, name| {
                sql.column(table, name);
            });
        }
    }
}

/// Adds the rows of the body as a relation called [`BODY`].
fn add_body(sql: &mut Sql, body: &Body) {
    if body.columns.is_empty() {
        match body.shape {
            JsonShape::Object => sql.push("(values (1)) as pgrst_body"),
            JsonShape::Array => sql
                .push("json_array_elements(")
                .bind(body.json.as_str())
                .push("::json) as pgrst_body"),
        };
        return;
    }
    let represented = body.columns.iter().any(|column| parser(column).is_some());
    if represented {
        sql.push("(select ");
        sql.list(&body.columns, ", ", add_parsed);
        sql.push(" from ");
    }
    let defaults = body.missing == Missing::Default;
    sql.push(match (body.shape, defaults) {
        (JsonShape::Object, false) => "json_to_record(",
        (JsonShape::Array, false) => "json_to_recordset(",
        (JsonShape::Object, true) => "jsonb_to_record(",
        (JsonShape::Array, true) => "jsonb_to_recordset(",
    });
    match (body.shape, defaults) {
        (_, false) => {
            sql.bind(body.json.as_str()).push("::json");
        }
        (JsonShape::Object, true) => {
            add_defaults(sql, body);
            sql.push(" || ").bind(body.json.as_str()).push("::jsonb");
        }
        (JsonShape::Array, true) => {
            sql.push("(select coalesce(jsonb_agg(");
            add_defaults(sql, body);
            sql.push(" || given), '[]') from jsonb_array_elements(");
            sql.bind(body.json.as_str()).push("::jsonb) as given)");
        }
    }
    sql.push(if represented {
        ") as given("
    } else {
        ") as pgrst_body("
    });
    sql.list(&body.columns, ", ", |sql, column| {
        sql.name(&column.name).push(" ");
        match parser(column) {
            Some(_) => sql.push("json"),
            None => sql.type_name(&column.type_name),
        };
    });
    sql.push(if represented { ")) as pgrst_body" } else { ")" });
}

/// What reads the values of a column from JSON, where it is not Postgres.
fn parser(column: &BodyColumn) -> Option<&QualifiedName> {
    column.representation.as_ref()?.from_json.as_ref()
}

fn add_parsed(sql: &mut Sql, column: &BodyColumn) {
    if let Some(parse) = parser(column) {
        sql.qualified(parse)
            .push("(")
            .name(&column.name)
            .push(") as ");
    }
    sql.name(&column.name);
}

fn add_defaults(sql: &mut Sql, body: &Body) {
    sql.push("jsonb_build_object(");
    let defaults = body.columns.iter();
    let defaults = defaults.filter_map(|column| Some((column, column.default.as_ref()?)));
    sql.list(defaults, ", ", |sql, (column, default)| {
        sql.literal(&column.name).push(", ");
        // What is read from JSON has to be written as JSON first.
        let shown = parser(column).and(column.representation.as_ref());
        match shown.and_then(|known| known.shown.as_ref()) {
            Some(show) => {
                sql.qualified(show)
                    .push("((")
                    .expression(default)
                    .push(")::");
                sql.type_name(&column.type_name).push(")");
            }
            None => {
                sql.expression(default);
            }
        }
    });
    sql.push(")");
}
