//! How a role's rows of a table are decided: read from the catalogue once, kept for a short time.

use std::fmt::Write as _;

use crate::replication::json;
use crate::replication::types::{Kind, Scalar};
use crate::replication::{Cell, Relation, Row};
use crate::store::access::{Policy, PolicyColumn, TableRights, rows_query};

/// What a role may do with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPlan {
    /// The columns it has the privilege for; with none, nothing is allowed.
    pub columns: Vec<String>,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// Which rows.
    pub rows: RowRule,
}

/// Which rows policies let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRule {
    /// All: row-level security does not bind the role here, or no policy depends on anything.
    All,
    /// None: no policy lets the role through.
    None,
    /// Those that Postgres says.
    Ask(Question),
}

/// What to ask Postgres about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The query; its one parameter is the rows, as JSON.
    pub query: String,
    /// The columns that the answer depends on; `None` for the whole row.
    pub columns: Option<Vec<String>>,
}

impl AccessPlan {
    /// Nothing is allowed.
    pub const NOTHING: Self = Self {
        columns: Vec::new(),
        primary_key: Vec::new(),
        rows: RowRule::None,
    };

    /// Puts together what the catalogue says.
    pub fn new(rights: TableRights, policies: &[Policy]) -> Self {
        let rows = if rights.guarded {
            guarded(&rights, policies)
        } else {
            RowRule::All
        };
        Self {
            columns: rights.columns,
            primary_key: rights.primary_key,
            rows,
        }
    }
}

fn guarded(rights: &TableRights, policies: &[Policy]) -> RowRule {
    let (permissive, restrictive): (Vec<_>, Vec<_>) =
        policies.iter().partition(|policy| policy.permissive);
    if permissive.is_empty() {
        return RowRule::None;
    }
    let always = |policy: &&Policy| policy.condition == "true";
    if permissive.iter().any(always) && restrictive.iter().all(always) {
        return RowRule::All;
    }
    let mut condition = String::new();
    for (index, policy) in permissive.iter().enumerate() {
        let or = if index == 0 { "(" } else { " or " };
        let _ = write!(condition, "{or}({})", policy.condition);
    }
    condition.push(')');
    for policy in &restrictive {
        let _ = write!(condition, " and ({})", policy.condition);
    }
    let columns = dependencies(policies);
    match rows_query(rights, &condition, columns.as_deref()) {
        Some(query) => RowRule::Ask(Question {
            query,
            columns: columns.map(|columns| columns.into_iter().map(|column| column.name).collect()),
        }),
        None => RowRule::None,
    }
}

/// The columns that the policies read. The catalogue does not list the columns of a condition
/// that takes the whole row (`check_row(todos.*)`).
fn dependencies(policies: &[Policy]) -> Option<Vec<PolicyColumn>> {
    if policies
        .iter()
        .any(|policy| policy.condition.contains(".*"))
    {
        return None;
    }
    let mut columns: Vec<_> = policies
        .iter()
        .flat_map(|policy| policy.columns.iter().cloned())
        .collect();
    columns.sort();
    columns.dedup();
    Some(columns)
}

impl Question {
    /// What Postgres is told of `row`, a JSON object of texts; `None` where a column that the
    /// answer depends on is not known, so that there can be no answer.
    pub fn subject(&self, relation: &Relation, row: &Row) -> Option<String> {
        let mut out = vec![b'{'];
        match &self.columns {
            None => {
                for index in 0..relation.columns.len() {
                    write_member(&mut out, relation, row, index)?;
                }
            }
            Some(columns) => {
                for name in columns {
                    write_member(&mut out, relation, row, relation.column(name)?)?;
                }
            }
        }
        out.push(b'}');
        String::from_utf8(out).ok()
    }
}

/// Values travel as strings, which Postgres reads with their types' own input functions; only
/// JSON must be JSON, or it would become a JSON string.
fn write_member(out: &mut Vec<u8>, relation: &Relation, row: &Row, index: usize) -> Option<()> {
    let column = relation.columns.get(index)?;
    if out.len() > 1 {
        out.push(b',');
    }
    json::write_string(out, &column.name);
    out.push(b':');
    match (row.cell(index), &column.kind) {
        (Cell::Unknown, _) => return None,
        (Cell::Null, _) => out.extend_from_slice(b"null"),
        (cell, Kind::Scalar(Scalar::Json)) => json::write_scalar(out, Scalar::Json, cell.text()?),
        (cell, _) => json::write_string(out, cell.text()?),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(guarded: bool) -> TableRights {
        TableRights {
            schema: "public".to_owned(),
            table: "todos".to_owned(),
            columns: vec!["id".to_owned()],
            primary_key: vec!["id".to_owned()],
            guarded,
        }
    }

    fn policy(permissive: bool, condition: &str, columns: &[&str]) -> Policy {
        Policy {
            permissive,
            condition: condition.to_owned(),
            columns: columns.iter().map(|name| column(name)).collect(),
        }
    }

    fn column(name: &str) -> PolicyColumn {
        PolicyColumn {
            name: name.to_owned(),
            type_sql: "integer".to_owned(),
        }
    }

    #[test]
    fn what_depends_on_nothing_is_not_asked() {
        let always = policy(true, "true", &[]);
        assert_eq!(AccessPlan::new(rights(false), &[]).rows, RowRule::All);
        assert_eq!(AccessPlan::new(rights(true), &[]).rows, RowRule::None);
        assert_eq!(
            AccessPlan::new(rights(true), std::slice::from_ref(&always)).rows,
            RowRule::All
        );
        let only_restrictive = [policy(false, "true", &[])];
        assert_eq!(
            AccessPlan::new(rights(true), &only_restrictive).rows,
            RowRule::None
        );
        let refused = [always, policy(false, "(a = 1)", &["a"])];
        assert!(matches!(
            AccessPlan::new(rights(true), &refused).rows,
            RowRule::Ask(_)
        ));
    }

    #[test]
    fn permissive_policies_are_joined_by_or_and_restrictive_ones_by_and() {
        let policies = [
            policy(true, "(a = 1)", &["a"]),
            policy(false, "(c = 3)", &["c"]),
            policy(true, "(b = 2)", &["b", "a"]),
        ];
        let RowRule::Ask(question) = AccessPlan::new(rights(true), &policies).rows else {
            panic!("a question");
        };
        assert!(
            question
                .query
                .contains("(((a = 1)) or ((b = 2))) and ((c = 3))")
        );
        let row = r#"as "todos" ("a" integer, "b" integer, "c" integer)"#;
        assert!(question.query.contains(row), "{}", question.query);
        assert_eq!(
            question.columns,
            Some(vec!["a".into(), "b".into(), "c".into()])
        );
    }

    #[test]
    fn a_condition_on_the_whole_row_depends_on_every_column() {
        let policies = [policy(true, "public.mine(todos.*)", &[])];
        let RowRule::Ask(question) = AccessPlan::new(rights(true), &policies).rows else {
            panic!("a question");
        };
        assert_eq!(question.columns, None);
        let row = r#"(null::"public"."todos", subject.value) as "todos""#;
        assert!(question.query.contains(row), "{}", question.query);
    }
}
