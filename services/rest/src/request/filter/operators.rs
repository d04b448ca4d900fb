//! What operators are called in filters.

use super::{QuantifiedOperator, SimpleOperator, TextSearchOperator};

pub(super) fn simple_operator(word: &str) -> Option<SimpleOperator> {
    Some(match word {
        "neq" => SimpleOperator::NotEqual,
        "cs" => SimpleOperator::Contains,
        "cd" => SimpleOperator::Contained,
        "ov" => SimpleOperator::Overlaps,
        "sl" => SimpleOperator::StrictlyLeft,
        "sr" => SimpleOperator::StrictlyRight,
        "nxr" => SimpleOperator::NotExtendsRight,
        "nxl" => SimpleOperator::NotExtendsLeft,
        "adj" => SimpleOperator::Adjacent,
        _ => return None,
    })
}

pub(super) fn quantified_operator(word: &str) -> Option<QuantifiedOperator> {
    Some(match word {
        "eq" => QuantifiedOperator::Equal,
        "gte" => QuantifiedOperator::GreaterThanEqual,
        "gt" => QuantifiedOperator::GreaterThan,
        "lte" => QuantifiedOperator::LessThanEqual,
        "lt" => QuantifiedOperator::LessThan,
        "like" => QuantifiedOperator::Like,
        "ilike" => QuantifiedOperator::ILike,
        "match" => QuantifiedOperator::Match,
        "imatch" => QuantifiedOperator::IMatch,
        _ => return None,
    })
}

pub(super) fn text_search_operator(word: &str) -> Option<TextSearchOperator> {
    Some(match word {
        "fts" => TextSearchOperator::Plainly,
        "plfts" => TextSearchOperator::Words,
        "phfts" => TextSearchOperator::Phrase,
        "wfts" => TextSearchOperator::Web,
        _ => return None,
    })
}
