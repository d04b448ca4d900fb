//! Comparisons with values that a function of the database reads: domains which clients write
//! otherwise than they are stored.

use crate::request::filter::{Operation, QuantifiedOperator, Quantifier};
use crate::schema_cache::QualifiedName;
use crate::sql::Sql;
use crate::sql::fragment::array_literal;

/// An operator and what it compares with.
pub(super) struct Comparison {
    operator: &'static str,
    operand: Operand,
}

enum Operand {
    One(String),
    /// `any` or `all` of an array.
    Each(&'static str, String),
}

impl Comparison {
    /// What `operation` compares with; `None` where that is no value of the column's type.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        let (operator, operand) = match operation {
            Operation::Simple(operator, value) => (operator.sql(), Operand::One(value.clone())),
            Operation::Quantified(operator, quantifier, value) => {
                let pattern = matches!(
                    operator,
                    QuantifiedOperator::Like
                        | QuantifiedOperator::ILike
                        | QuantifiedOperator::Match
                        | QuantifiedOperator::IMatch
                );
                if pattern {
                    return None;
                }
                let operand = match quantifier {
                    None => Operand::One(value.clone()),
                    Some(Quantifier::Any) => Operand::Each("any (", value.clone()),
                    Some(Quantifier::All) => Operand::Each("all (", value.clone()),
                };
                (operator.sql(), operand)
            }
            Operation::In(values) => (" = ", Operand::Each("any (", array_literal(values))),
            Operation::IsDistinct(value) => (" is distinct from ", Operand::One(value.clone())),
            Operation::Is(_) | Operation::TextSearch { .. } => return None,
        };
        Some(Self { operator, operand })
    }

    /// Adds the operator and what `parse` makes of the operand.
    pub(super) fn add(self, sql: &mut Sql, parse: &QualifiedName) {
        sql.push(self.operator);
        match self.operand {
            Operand::One(value) => {
                sql.qualified(parse).push("(").bind(value).push("::text)");
            }
            Operand::Each(quantifier, values) => {
                sql.push(quantifier).push("select ").qualified(parse);
                sql.push("(given) from unnest(").bind(values);
                sql.push("::text[]) as given)");
            }
        }
    }
}
