//! Statements that are not answered but explained.

use super::Sql;
use crate::request::media_type::Explain;

impl Sql {
    /// This statement's execution plan.
    pub(crate) fn explained(self, explain: &Explain) -> Self {
        let mut sql = Self::default();
        sql.push("explain (format ").push(explain.form.as_str());
        for option in &explain.options {
            sql.push(", ").push(option.as_str());
        }
        sql.push(") ");
        sql.append(self)
    }
}
