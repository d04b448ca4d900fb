//! Rows as they are, and one row more that tells of the response.

use super::Sql;
use super::read::add_read;
use super::wrap::add_total;
use crate::plan::Plan;
use crate::plan::read::{ReadPlan, Selected, Source};

/// The first columns of each row; null in all but the last row that tells of the response.
pub(crate) mod columns {
    /// The rows there are, or -1 where they were not counted. Never null in the last row.
    pub(crate) const TOTAL: usize = 0;
    pub(crate) const HEADERS: usize = 1;
    pub(crate) const STATUS: usize = 2;
    /// So many they are.
    pub(crate) const COUNT: usize = 3;
}

/// The rows of `read`, and after them what was counted and set while they were read.
pub(super) fn read(plan: &Plan, read: &ReadPlan, max_rows: Option<i64>) -> Sql {
    let mut sql = Sql::default();
    sql.push("select null::bigint, null::text, null::text, _pgrst.* from (");
    add_read(&mut sql, read);
    sql.push(") as _pgrst union all select coalesce(");
    add_total(&mut sql, plan.count, read, max_rows);
    sql.push(", -1), nullif(current_setting('response.headers', true), '')");
    sql.push(", nullif(current_setting('response.status', true), '')");
    for selected in &read.select {
        match (selected, &read.source) {
            (Selected::All, Source::Relation(name)) => {
                sql.push(", (null::").qualified(name).push(").*");
            }
            _ => {
                sql.push(", null");
            }
        }
    }
    for _ in read.embeds.iter().filter(|embed| !embed.is_empty()) {
        sql.push(", null");
    }
    sql
}
