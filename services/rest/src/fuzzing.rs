//! Doors for `fuzz/`, which is another crate: from what a client sends to the SQL it becomes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};

use crate::plan::negotiate::Explained;
use crate::plan::plain::RowForm;
use crate::plan::{Aggregates, Limits, Plan};
use crate::request::preferences::{TransactionChoice, TransactionEnd};
use crate::request::query::{self, Unreserved};
use crate::request::{ApiRequest, Rules};
use crate::schema_cache::table::Table;
use crate::schema_cache::{QualifiedName, SchemaCache};
use crate::sql::{self, Sql};

/// Reads a query string as every kind of request would.
pub fn query(text: &str) {
    let _ = query::parse(text, Unreserved::FilterOrArgument);
    if query::parse(text, Unreserved::Filter).is_ok() {
        let uri = format!("/films?{text}");
        for method in ["GET", "PATCH", "DELETE"] {
            perform(method, &uri, &[], b"{\"title\":\"t\"}");
        }
    }
}

/// Reads a request of a few lines: method, query, four headers; then a body.
pub fn request(data: &[u8]) {
    let mut lines = data.splitn(7, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let method = match line().first() {
        Some(b'G') => "GET",
        Some(b'H') => "HEAD",
        Some(b'U') => "PUT",
        Some(b'A') => "PATCH",
        Some(b'D') => "DELETE",
        _ => "POST",
    };
    let uri = format!("/films?{}", String::from_utf8_lossy(line()));
    let headers = ["accept", "prefer", "content-type", "range"].map(|name| (name, line()));
    perform(method, &uri, &headers, line());
}

fn perform(method: &str, uri: &str, headers: &[(&'static str, &[u8])], body: &[u8]) {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request = request.header(HeaderName::from_static(name), value);
        }
    }
    let Ok(request) = request.body(()) else {
        return;
    };
    let rules = Rules {
        schemas: &["public".to_owned()],
        transaction: TransactionChoice::Client,
        is_timezone: &|zone| zone == "UTC",
    };
    let body = Bytes::copy_from_slice(body);
    let Ok(request) = ApiRequest::parse(&request.into_parts().0, &body, &rules) else {
        return;
    };
    let limits = Limits {
        max_rows: Some(100),
        aggregates: Aggregates::Allowed,
        explained: Explained::Allowed,
        end: TransactionEnd::Commit,
    };
    let Ok(plan) = Plan::new(&request, &cache(), limits) else {
        return;
    };
    let statements = sql::statements(&plan, RowForm::Gathered, Some(100));
    check(statements.main);
    sql::lines::lines(&plan).into_iter().for_each(check);
    statements.planned_count.into_iter().for_each(check);
}

fn cache() -> SchemaCache {
    let column = |name: &str, type_name: &str| {
        serde_json::json!({"name": name, "type": type_name, "nullable": true,
                           "generated": false, "labels": []})
    };
    let table = serde_json::from_value::<Table>(serde_json::json!({
        "schema": "public", "name": "films", "is_view": false,
        "writable": {"insert": true, "update": true, "delete": true},
        "is_public": false, "primary_key": ["id"],
        "columns": [column("id", "integer"), column("title", "text"), column("data", "jsonb")],
    }));
    let mut cache = SchemaCache::default();
    if let Ok(table) = table {
        let name = QualifiedName::new("public", "films");
        cache.tables.insert(name, Arc::new(table));
    }
    cache
}

/// Outside of quoted names and of this program's own literals there is nothing that could end a
/// statement or begin a comment, and there is a value for each parameter.
fn check(sql: Sql) {
    let (text, values) = sql.into_parts();
    let mut bare = String::new();
    let mut quote = None;
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None => bare.push(character),
        }
    }
    assert!(quote.is_none(), "{text}");
    for sign in [";", "--", "/*", "\\", "\0"] {
        assert!(!bare.contains(sign), "{text}");
    }
    let numbers = bare.split('$').skip(1);
    let numbers = numbers.filter_map(|rest| {
        let digits = rest
            .split(|character: char| !character.is_ascii_digit())
            .next()?;
        digits.parse::<usize>().ok()
    });
    assert!(numbers.max().unwrap_or(0) <= values.len(), "{text}");
}
