//! The grammar of query parameters, from strings to values, and what no string may do to it.

use proptest::prelude::*;

use super::cursor::Cursor;
use super::filter::{self, LogicOperator, Operation, QuantifiedOperator, Quantifier};
use super::names::{self, JsonOperand};
use super::query::{self, QueryParams, Unreserved};
use super::select::{self, EmbedShape, JoinType, SelectItem};
use crate::error::ApiError;

fn parse(query: &str) -> Result<QueryParams, ApiError> {
    query::parse(query, Unreserved::Filter)
}

fn mistake(query: &str) -> (String, String) {
    match parse(query) {
        Err(ApiError::Query { message, details }) => (message, details),
        other => panic!("{query} was read as {other:?}"),
    }
}

fn condition(text: &str) -> Operation {
    let read = filter::condition(&mut Cursor::new(text));
    read.unwrap_or_else(|error| panic!("{text}: {error:?}")).1
}

#[test]
fn names_may_be_quoted_and_have_dashes() {
    for (text, name) in [
        ("plain", "plain"),
        ("with-dash", "with-dash"),
        ("with space", "with space"),
        ("ünïcode", "ünïcode"),
        ("\"a.b:c,(d)\"", "a.b:c,(d)"),
        ("\"quo\\\"te\"", "quo\"te"),
        ("$1", "$1"),
    ] {
        assert_eq!(names::name(&mut Cursor::new(text)).as_deref(), Ok(name));
    }
    for text in ["", ":", "\"open", "->a", "\"open\\"] {
        assert!(names::name(&mut Cursor::new(text)).is_err(), "{text}");
    }
}

#[test]
fn json_paths_tell_keys_from_elements() {
    let path = |text| {
        let path = names::json_path(&mut Cursor::new(text));
        path.map(|steps| {
            steps
                .into_iter()
                .map(|step| step.operand)
                .collect::<Vec<_>>()
        })
    };
    let key = |name: &str| JsonOperand::Key(name.to_owned());
    let index = |digits: &str| JsonOperand::Index(digits.to_owned());
    assert_eq!(path("->a->>b"), Ok(vec![key("a"), key("b")]));
    assert_eq!(path("->0->>-1"), Ok(vec![index("0"), index("-1")]));
    assert_eq!(path("->0a"), Ok(vec![key("0a")]));
    assert_eq!(path("->99999999999"), Ok(vec![key("99999999999")]));
    assert!(path("->-78xy").is_err());
    assert!(path("->--34").is_err());
}

#[test]
fn select_entries() {
    let read = select::select(&mut Cursor::new(
        "*, name:title::text ,d->>k,...one!inner(a),m:many!by!left(*,deep(x))",
    ));
    let items = read.expect("a select");
    assert_eq!(items.len(), 5);
    assert_eq!(items[0], SelectItem::All);
    let SelectItem::Field(field) = &items[1] else {
        panic!("no field: {items:?}")
    };
    assert_eq!(field.alias.as_deref(), Some("name"));
    assert_eq!(field.cast.as_deref(), Some("text"));
    let SelectItem::Relation(spread) = &items[3] else {
        panic!("no relation: {items:?}")
    };
    assert_eq!(
        (spread.shape, spread.join),
        (EmbedShape::Spread, Some(JoinType::Inner))
    );
    let SelectItem::Relation(many) = &items[4] else {
        panic!("no relation: {items:?}")
    };
    assert_eq!(many.hint.as_deref(), Some("by"));
    assert_eq!(many.join, Some(JoinType::Left));
    assert_eq!(many.items.len(), 2);
}

#[test]
fn operands_end_where_their_place_says() {
    use Operation::{In, Quantified};
    use QuantifiedOperator::Equal;
    let all = |text: &str| Quantified(Equal, None, text.to_owned());
    assert_eq!(condition("eq.a,b)c"), all("a,b)c"));
    assert_eq!(condition("eq."), all(""));
    let any = Quantified(Equal, Some(Quantifier::Any), "{1,2}".to_owned());
    assert_eq!(condition("eq(any).{1,2}"), any);
    let list = |values: &[&str]| In(values.iter().map(|&value| value.to_owned()).collect());
    assert_eq!(
        condition("in.(a,\"b,c\",\"d\"e)"),
        list(&["a", "b,c", "\"d\"e"])
    );
    assert_eq!(condition("in.()"), list(&[""]));
}

#[test]
fn mistakes_say_where_they_are() {
    for (query, message, details) in [
        (
            "id=noop.0",
            "\"failed to parse filter (noop.0)\" (line 1, column 1)",
            "unexpected \"o\" expecting \"not\" or operator (eq, gt, ...)",
        ),
        (
            "id=not.foo.0",
            "\"failed to parse filter (not.foo.0)\" (line 1, column 5)",
            "unexpected \"f\" expecting operator (eq, gt, ...)",
        ),
        (
            "id=5",
            "\"failed to parse filter (5)\" (line 1, column 1)",
            "unexpected \"5\" expecting \"not\" or operator (eq, gt, ...)",
        ),
        (
            "or=()",
            "\"failed to parse logic tree (())\" (line 1, column 2)",
            "unexpected \")\" expecting field name (* or [a..z0..9_$])",
        ),
        (
            "order=id.ac",
            "\"failed to parse order (id.ac)\" (line 1, column 4)",
            "unexpected \"a\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
        ),
        (
            "select=a,,b",
            "\"failed to parse select parameter (a,,b)\" (line 1, column 3)",
            "unexpected \",\" expecting field name (* or [a..z0..9_$])",
        ),
    ] {
        let expected = (message.to_owned(), details.to_owned());
        assert_eq!(mistake(query), expected, "{query}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}id.eq.1{}", "(and".repeat(10_000), ")".repeat(10_000));
    assert!(mistake(&format!("and={deep}")).1.contains("nested"));
    let select = format!("select={}", "a(".repeat(10_000));
    assert!(mistake(&select).1.contains("nested"));
    let long = "a,".repeat(500_000);
    let (message, _) = mistake(&format!("select={long}"));
    assert!(message.len() < 1000, "the message repeats a megabyte");
    let read = filter::group(&mut Cursor::new("(a.eq.1)"), false, LogicOperator::Or);
    assert!(read.is_ok());
}

#[test]
fn of_a_call_what_is_no_filter_is_an_argument() {
    let query = "a=1&b=eq.2&c=not a filter&limit=3";
    let params = query::parse(query, Unreserved::FilterOrArgument).expect("a query");
    let names: Vec<&str> = params
        .arguments
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(params.filters.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_query_is_read_or_refused(query in "\\PC{0,200}") {
        let _ = query::parse(&query, Unreserved::Filter);
        let _ = query::parse(&query, Unreserved::FilterOrArgument);
    }

    #[test]
    fn strings_of_the_grammars_own_signs_are_read_or_refused(
        name in "(select|order|and|or|not\\.and|a\\.b|a)",
        value in "[a-z0-9.,:!(){}\"\\\\>* -]{0,120}",
    ) {
        let _ = parse(&format!("{name}={value}"));
    }

    #[test]
    fn a_quoted_name_is_read_back(text in "[^\\x00]{1,40}") {
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assert_eq!(names::name(&mut Cursor::new(&quoted)), Ok(text));
    }
}
