//! The statement around a read, a write or a call: one row with the counts, the body as Postgres
//! writes it, and what SQL set for the response.

use super::Sql;
use super::call::{SCALAR, add_call};
use super::keyset;
use super::lines::add_names;
use super::mutate::{add_mutation, counts_inserted};
use super::read::{add_counted, add_read};
use crate::plan::call::Call;
use crate::plan::guard::Guard;
use crate::plan::mutate::{Mutation, Returning};
use crate::plan::negotiate::Format;
use crate::plan::read::{RETURNED, ReadPlan};
use crate::plan::{Plan, Work};
use crate::request::Answer;
use crate::request::media_type::Nulls;
use crate::request::preferences::Count;
use crate::schema_cache::media::MediaAggregate;
use crate::schema_cache::routine::Routine;

/// What the rows of the innermost select are gathered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    Many,
    /// One row, without an array around it.
    One,
    Scalar,
    Scalars,
    /// Those of a page, each a value of its own.
    Page,
}

pub(super) fn read(plan: &Plan, read: &ReadPlan, answer: Answer, max_rows: Option<i64>) -> Sql {
    let mut sql = Sql::default();
    if let Some(keyset) = &read.keyset {
        sql.push("select ");
        add_total(&mut sql, plan.count, read, max_rows);
        add_gathered(&mut sql, plan, answer, Rows::Page);
        sql.push(", null, null");
        keyset::add_last_key(&mut sql);
        sql.push(" from (");
        keyset::add_page(&mut sql, read, keyset);
        sql.push(") as _pgrst");
        return sql;
    }
    begin_rows(&mut sql, "with ", &plan.negotiated.format, read);
    sql.push("select ");
    add_total(&mut sql, plan.count, read, max_rows);
    add_gathered(&mut sql, plan, answer, Rows::Many);
    sql.push(", null, null from ");
    add_rows(&mut sql, &plan.negotiated.format, read);
    sql
}

/// Rows that are looked at twice, as CSV is, stand in front of the statement.
fn begin_rows(sql: &mut Sql, keyword: &'static str, format: &Format, read: &ReadPlan) {
    if *format == Format::Csv {
        sql.push(keyword).name(ROWS).push(" as (");
        add_read(sql, read);
        sql.push(") ");
    }
}

fn add_rows(sql: &mut Sql, format: &Format, read: &ReadPlan) {
    if *format == Format::Csv {
        sql.name(ROWS);
    } else {
        sql.push("(");
        add_read(sql, read);
        sql.push(")");
    }
    sql.push(" as _pgrst");
}

pub(super) fn mutate(plan: &Plan, mutation: &Mutation, read: &ReadPlan, answer: Answer) -> Sql {
    let mut sql = Sql::default();
    sql.push("with pgrst_source as (");
    add_mutation(&mut sql, mutation);
    sql.push(") ");
    if answer == Answer::Body {
        begin_rows(&mut sql, ", ", &plan.negotiated.format, read);
    }
    sql.push("select null::bigint");
    add_gathered(&mut sql, plan, answer, Rows::Many);
    if counts_inserted(mutation) {
        sql.push(", nullif(current_setting('pgrst.inserted', true), '')");
    } else {
        sql.push(", null");
    }
    add_location(&mut sql, mutation, answer);
    sql.push(" from ");
    match answer {
        Answer::Body => add_rows(&mut sql, &plan.negotiated.format, read),
        Answer::HeadersOnly => {
            sql.name(RETURNED).push(" as _pgrst");
        }
    }
    sql
}

pub(super) fn call(
    plan: &Plan,
    (call, routine): (&Call, &Routine),
    read: &ReadPlan,
    answer: Answer,
) -> Sql {
    let mut sql = Sql::default();
    sql.push("with pgrst_source as (");
    add_call(&mut sql, call);
    sql.push(") ");
    begin_rows(&mut sql, ", ", &plan.negotiated.format, read);
    sql.push("select ");
    let rows = if routine.returns_scalar() {
        Rows::Scalar
    } else if routine.returns_scalars() {
        Rows::Scalars
    } else if routine.returns_one_row() {
        Rows::One
    } else {
        Rows::Many
    };
    add_total(&mut sql, plan.count, read, None);
    add_gathered(&mut sql, plan, answer, rows);
    sql.push(", null, null from ");
    add_rows(&mut sql, &plan.negotiated.format, read);
    sql
}

/// How many rows `explain` expects.
pub(super) fn explain_count(read: &ReadPlan) -> Sql {
    let mut sql = Sql::default();
    sql.push("explain (format json) ");
    add_counted(&mut sql, read);
    sql
}

pub(super) fn add_total(
    sql: &mut Sql,
    count: Option<Count>,
    read: &ReadPlan,
    max_rows: Option<i64>,
) {
    match (count, max_rows) {
        (Some(Count::Exact), _) | (Some(Count::Estimated), None) => {
            sql.push("(select count(*) from (");
            add_counted(sql, read);
            sql.push(") _c)");
        }
        (Some(Count::Estimated), Some(most)) => {
            sql.push("(select count(*) from (");
            add_counted(sql, read);
            let enough = most.saturating_add(1).to_string();
            sql.push(" limit ").bind(enough).push(") _c)");
        }
        (Some(Count::Planned) | None, _) => {
            sql.push("null::bigint");
        }
    }
}

/// Adds the number of rows, the body, and the response's headers and status.
fn add_gathered(sql: &mut Sql, plan: &Plan, answer: Answer, rows: Rows) {
    // What a write or a call affected is what its limits are about, not what it comes to.
    let limited = matches!(plan.guard, Guard::AtMost(_) | Guard::UpsertKey);
    sql.push(if limited && returns_aggregates(&plan.work) {
        ", (select count(*) from pgrst_source), "
    } else {
        ", count(*), "
    });
    match answer {
        Answer::HeadersOnly => {
            sql.push("''");
        }
        Answer::Body => add_body(sql, &plan.negotiated.format, rows),
    }
    sql.push(", nullif(current_setting('response.headers', true), '')");
    sql.push(", nullif(current_setting('response.status', true), '')");
}

fn returns_aggregates(work: &Work) -> bool {
    match work {
        Work::Mutate { read, .. } | Work::Call { read, .. } => read.is_aggregated(),
        Work::Read { .. } => false,
    }
}

fn add_body(sql: &mut Sql, format: &Format, rows: Rows) {
    let one = matches!(rows, Rows::One | Rows::Scalar);
    match format {
        Format::Csv => add_csv(sql),
        Format::Object(nulls) => add_one(sql, rows, *nulls),
        Format::Json if one => add_one(sql, rows, Nulls::Kept),
        Format::ArrayStripped if one => add_one(sql, rows, Nulls::Stripped),
        Format::Json => add_many(sql, rows, Nulls::Kept),
        Format::ArrayStripped => add_many(sql, rows, Nulls::Stripped),
        Format::GeoJson => {
            sql.push("json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(st_asgeojson(_pgrst)::json), '[]'))");
        }
        Format::Value => {
            sql.push("(array_agg(_pgrst.pgrst_scalar))[1]");
        }
        Format::Aggregate(MediaAggregate { function, table }) => {
            sql.qualified(function).push("(").push(rows.value());
            if let Some(table) = table {
                sql.push("::").qualified(table);
            }
            sql.push(")");
        }
    }
}

impl Rows {
    /// What there is of each row.
    fn value(self) -> &'static str {
        match self {
            Self::Many | Self::One => "_pgrst",
            Self::Scalar | Self::Scalars => SCALAR_OF_ROW,
            Self::Page => keyset::ROW,
        }
    }
}

fn add_one(sql: &mut Sql, rows: Rows, nulls: Nulls) {
    sql.push("coalesce(");
    add_stripped(sql, nulls, |sql| {
        sql.push("json_agg(").push(rows.value()).push(")->0");
    });
    sql.push(", 'null')");
}

fn add_many(sql: &mut Sql, rows: Rows, nulls: Nulls) {
    sql.push("coalesce(");
    add_stripped(sql, nulls, |sql| {
        sql.push("json_agg(").push(rows.value()).push(")");
    });
    sql.push(", '[]')");
}

/// The name of rows that are looked at twice.
const ROWS: &str = "pgrst_rows";
const SCALAR_OF_ROW: &str = "_pgrst.pgrst_scalar";
const _: () = assert!(SCALAR.len() + 7 == SCALAR_OF_ROW.len());

fn add_stripped(sql: &mut Sql, nulls: Nulls, add: impl FnOnce(&mut Sql)) {
    match nulls {
        Nulls::Kept => add(sql),
        Nulls::Stripped => {
            sql.push("json_strip_nulls(");
            add(sql);
            sql.push(")");
        }
    }
}

/// The header has the names of the first row's columns; a row is written as Postgres writes
/// composite values, which is CSV with parentheses around it.
fn add_csv(sql: &mut Sql) {
    sql.push("coalesce((select ");
    add_names(sql);
    sql.push(" from json_object_keys((select row_to_json(_first) from ")
        .name(ROWS);
    sql.push(" as _first limit 1)) as key), '') || E'\\n' || ");
    sql.push("coalesce(string_agg(substr(_pgrst::text, 2, length(_pgrst::text) - 2), E'\\n'), '')");
}

/// The primary key of the row, where exactly one was inserted and its address was asked for.
fn add_location(sql: &mut Sql, mutation: &Mutation, answer: Answer) {
    let keyed = match (mutation, answer) {
        (Mutation::Insert(insert), Answer::HeadersOnly) => {
            insert.returning == Returning::Columns(insert.primary_key.clone())
        }
        (Mutation::Insert(_) | Mutation::Update(_) | Mutation::Delete(_), _) => false,
    };
    if keyed {
        sql.push(", case when count(*) = 1 then (select json_object_agg(k.key, k.value) from json_each_text((array_agg(row_to_json(_pgrst)))[1]) as k) end");
    } else {
        sql.push(", null");
    }
}
