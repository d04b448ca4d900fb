//! Operators as SQL writes them.

use crate::request::filter::{
    IsValue, LogicOperator, QuantifiedOperator, SimpleOperator, TextSearchOperator,
};

impl SimpleOperator {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::NotEqual => " <> ",
            Self::Contains => " @> ",
            Self::Contained => " <@ ",
            Self::Overlaps => " && ",
            Self::StrictlyLeft => " << ",
            Self::StrictlyRight => " >> ",
            Self::NotExtendsRight => " &< ",
            Self::NotExtendsLeft => " &> ",
            Self::Adjacent => " -|- ",
        }
    }
}

impl QuantifiedOperator {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Equal => " = ",
            Self::GreaterThanEqual => " >= ",
            Self::GreaterThan => " > ",
            Self::LessThanEqual => " <= ",
            Self::LessThan => " < ",
            Self::Like => " like ",
            Self::ILike => " ilike ",
            Self::Match => " ~ ",
            Self::IMatch => " ~* ",
        }
    }
}

impl TextSearchOperator {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Plainly => " @@ to_tsquery(",
            Self::Words => " @@ plainto_tsquery(",
            Self::Phrase => " @@ phraseto_tsquery(",
            Self::Web => " @@ websearch_to_tsquery(",
        }
    }
}

impl IsValue {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Null => " is null",
            Self::NotNull => " is not null",
            Self::True => " is true",
            Self::False => " is false",
            Self::Unknown => " is unknown",
        }
    }
}

impl LogicOperator {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::And => " and ",
            Self::Or => " or ",
        }
    }
}
