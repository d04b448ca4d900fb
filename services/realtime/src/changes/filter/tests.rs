use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::replication::Column;
use crate::replication::types;

fn relation() -> Relation {
    let column = |name: &str, oid| {
        let (type_name, kind) = types::built_in(oid).expect("built in");
        Column {
            name: name.to_owned(),
            type_name,
            kind,
            key: false,
        }
    };
    Relation {
        oid: 1,
        schema: "public".to_owned(),
        table: "t".to_owned(),
        columns: vec![
            column("id", 23),
            column("title", 25),
            column("done", 16),
            column("price", 1700),
            column("at", 1184),
        ],
    }
}

fn row() -> Row {
    let text = |text: &'static str| Cell::Text(Bytes::from_static(text.as_bytes()));
    Row(vec![
        text("10"),
        text("Milk, \"fresh\""),
        text("t"),
        Cell::Null,
        text("2024-01-02 03:04:05+00"),
    ])
}

fn matches(filter: &str) -> bool {
    Filter::parse(filter)
        .expect("a filter")
        .matches(&relation(), &row())
}

#[test]
fn conditions_hold_as_in_sql() {
    for filter in [
        "",
        "id=eq.10",
        "id=gt.9",
        "id=lte.10.0",
        "id=in.(1,10)",
        "id=not.in.(1,2)",
        "id=eq.10,done=is.true",
        r#"title=eq."Milk, \"fresh\"""#,
        r#"title=in.("a,b","Milk, \"fresh\"")"#,
        "title=like.Milk%",
        "title=ilike.milk_%FRESH%",
        "title=not.like.%tea%",
        "title=match.^Milk",
        "title=imatch.FRESH",
        "title=not.match.tea|coffee",
        "price=is.null",
        "price=isdistinct.3",
        "id=isdistinct.3",
        "at=gte.2024-01-02T03:04:05Z",
        "at=lt.2024-01-02T04:04:06+01:00",
        "done=eq.true",
    ] {
        assert!(matches(filter), "{filter}");
    }
    for filter in [
        "id=eq.1",
        "id=lt.9",
        "id=gt.10",
        "price=eq.1",
        "price=neq.1",
        "price=not.eq.1",
        "missing=eq.1",
        "id=eq.10,id=eq.11",
        "id=isdistinct.10",
        "price=isdistinct.null",
        "done=is.false",
        "title=match.fresh$",
        "price=match.1",
        "at=gt.2025-01-01",
    ] {
        assert!(!matches(filter), "{filter}");
    }
}

#[test]
fn what_the_log_does_not_tell_matches_nothing() {
    let unknown = Row(vec![Cell::Unknown]);
    for filter in ["id=eq.10", "id=not.eq.10", "id=is.null", "id=isdistinct.1"] {
        let filter = Filter::parse(filter).expect("a filter");
        assert!(!filter.matches(&relation(), &unknown));
    }
}

#[test]
fn what_is_no_filter_is_refused_in_words() {
    assert!(matches!(Filter::parse("id"), Err(FilterError::Form(_))));
    assert!(matches!(Filter::parse("=eq.1"), Err(FilterError::Form(_))));
    assert!(matches!(
        Filter::parse("id=eq.\"1"),
        Err(FilterError::Form(_))
    ));
    assert!(matches!(
        Filter::parse("id=fts.cat"),
        Err(FilterError::Operator(..))
    ));
    assert!(matches!(Filter::parse("id=in.1"), Err(FilterError::List)));
    assert!(matches!(
        Filter::parse("id=is.7"),
        Err(FilterError::Value(_))
    ));
    assert!(matches!(
        Filter::parse("title=match.[a"),
        Err(FilterError::Expression(_))
    ));
    let long = vec!["1"; 101].join(",");
    assert_eq!(
        Filter::parse(&format!("id=in.({long})")),
        Err(FilterError::TooMany)
    );
    for (filter, column) in [
        ("id=like.1%", 0),
        ("id=match.1", 0),
        ("id=is.true", 0),
        ("done=ilike.t", 2),
    ] {
        let condition = Filter::parse(filter).expect("a filter").0.remove(0);
        let misfit = condition.misfit(&relation().columns[column].kind);
        assert!(
            matches!(misfit, Some(FilterError::Unsupported(..))),
            "{filter}"
        );
    }
    let condition = Filter::parse("id=in.(1,x)").expect("a filter").0.remove(0);
    let kind = &relation().columns[0].kind;
    assert_eq!(
        condition.misfit(kind),
        Some(FilterError::Value("x".to_owned()))
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in r#"(id|title|x)?=?(not\.)?(eq|in|is|like|gt)?\.?[(),"\\a-c1%_]{0,12}"#) {
        if let Ok(filter) = Filter::parse(&text) {
            let _ = filter.matches(&relation(), &row());
        }
    }

    #[test]
    fn quoted_values_come_back_as_they_were(value in ".{0,20}") {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        let filter = Filter::parse(&format!("title=in.(\"{escaped}\",x)")).expect("a filter");
        let expected = Test::In(vec![value, "x".to_owned()]);
        prop_assert_eq!(&filter.0[0].test, &expected);
    }
}
