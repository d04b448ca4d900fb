//! Calls of functions.

use super::Sql;
use super::fragment::array_literal;
use crate::plan::call::{Arguments, Call, Value};
use crate::plan::read::TableRef;
use crate::request::payload::JsonShape;
use crate::schema_cache::routine::Parameter;

/// The name of a value that is no row.
pub(super) const SCALAR: &str = "pgrst_scalar";
const CALL: &str = "pgrst_call";
const GIVEN: &str = "pgrst_given";

/// Adds a select of what the function returns.
pub(super) fn add_call(sql: &mut Sql, call: &Call) {
    let reference = TableRef::Alias(CALL.to_owned());
    sql.push("select ");
    if call.scalar {
        sql.column(&reference, SCALAR);
    } else {
        sql.table(&reference).push(".*");
        for name in &call.computed {
            sql.push(", ").column(&reference, name);
        }
    }
    sql.push(" from ");
    if let Arguments::Json {
        json,
        shape,
        parameters,
    } = &call.arguments
    {
        add_given(sql, json, *shape, parameters);
        sql.push(", lateral ");
    }
    if call.scalar {
        sql.push("(select ");
        add_function(sql, call);
        sql.push(" as ").name(SCALAR).push(") as ").name(CALL);
    } else {
        add_function(sql, call);
        sql.push(" as ").name(CALL);
    }
}

/// Adds the one row that the arguments come from.
fn add_given(sql: &mut Sql, json: &str, shape: JsonShape, parameters: &[Parameter]) {
    sql.push("(select * from ");
    sql.push(match shape {
        JsonShape::Object => "json_to_record(",
        JsonShape::Array => "json_to_recordset(",
    });
    sql.bind(json).push("::json) as _(");
    sql.list(parameters, ", ", |sql, parameter| {
        sql.name(&parameter.name)
            .push(" ")
            .type_name(&parameter.type_name);
        if parameter.variadic && !parameter.type_name.as_str().ends_with("[]") {
            sql.push("[]");
        }
    });
    sql.push(") limit 1) as ").name(GIVEN);
}

fn add_function(sql: &mut Sql, call: &Call) {
    sql.qualified(&call.function).push("(");
    match &call.arguments {
        Arguments::None => {}
        Arguments::Json { parameters, .. } => {
            let given = TableRef::Alias(GIVEN.to_owned());
            sql.list(parameters, ", ", |sql, parameter| {
                add_name(sql, parameter);
                sql.column(&given, &parameter.name);
            });
        }
        Arguments::Named(named) => {
            sql.list(named, ", ", |sql, (parameter, value)| {
                add_name(sql, parameter);
                match value {
                    Value::One(text) => sql.bind(text.as_str()),
                    Value::Many(texts) => sql.bind(array_literal(texts)),
                };
                sql.push("::").type_name(&parameter.type_name);
            });
        }
        Arguments::Body { body, type_name } => {
            let value = match type_name.as_str() {
                "bytea" => hexadecimal(body),
                _ => String::from_utf8_lossy(body).into_owned(),
            };
            sql.bind(value).push("::").type_name(type_name);
        }
    }
    sql.push(")");
}

fn add_name(sql: &mut Sql, parameter: &Parameter) {
    if parameter.variadic {
        sql.push("variadic ");
    }
    sql.name(&parameter.name).push(" := ");
}

/// Bytes in the text format of `bytea`.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}
