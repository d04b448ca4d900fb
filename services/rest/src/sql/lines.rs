//! CSV a row at a time: of a large table it is neither one value nor held in memory.

use super::Sql;
use super::read::add_read;
use crate::plan::guard::Guard;
use crate::plan::negotiate::Format;
use crate::plan::{Plan, Work};
use crate::request::Answer;
use crate::request::preferences::TransactionEnd;

/// The columns of each row.
pub(crate) mod columns {
    /// The names of the columns, in the first row alone.
    pub(crate) const NAMES: usize = 0;
    /// A row of the answer; null in the one that tells of the response.
    pub(crate) const LINE: usize = 1;
    pub(crate) const HEADERS: usize = 2;
    pub(crate) const STATUS: usize = 3;
}

/// The rows of `plan` as lines, where nothing has to be known of all of them before.
pub(crate) fn lines(plan: &Plan) -> Option<Sql> {
    let Work::Read {
        read,
        answer: Answer::Body,
        ..
    } = &plan.work
    else {
        return None;
    };
    let is_plain = plan.negotiated.format == Format::Csv
        && plan.negotiated.explain.is_none()
        && plan.count.is_none()
        && plan.guard == Guard::Nothing
        && plan.end == TransactionEnd::Commit
        && read.keyset.is_none();
    if !is_plain {
        return None;
    }
    let mut sql = Sql::default();
    sql.push("select case when row_number() over () = 1 then (select ");
    add_names(&mut sql);
    sql.push(" from json_object_keys(row_to_json(_pgrst)) as key) end");
    sql.push(", right(left(_pgrst::text, -1), -1), null, null from (");
    add_read(&mut sql, read);
    sql.push(") as _pgrst union all select null, null");
    sql.push(", nullif(current_setting('response.headers', true), '')");
    sql.push(", nullif(current_setting('response.status', true), '')");
    Some(sql)
}

/// Adds the line of the names that are each called `key`.
pub(super) fn add_names(sql: &mut Sql) {
    sql.push("string_agg(case when key ~ E'[,\"\\n\\r]' then '\"' || replace(key, '\"', '\"\"') || '\"' else key end, ',')");
}
