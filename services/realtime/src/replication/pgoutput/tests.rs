use proptest::prelude::*;

use super::*;

fn relation_bytes() -> Vec<u8> {
    let mut bytes = vec![b'R'];
    bytes.extend(16_400u32.to_be_bytes());
    bytes.extend(b"public\0todos\0d");
    bytes.extend(2u16.to_be_bytes());
    for (key, name, oid) in [(1u8, "id\0", 23u32), (0, "title\0", 25)] {
        bytes.push(key);
        bytes.extend(name.as_bytes());
        bytes.extend(oid.to_be_bytes());
        bytes.extend((-1i32).to_be_bytes());
    }
    bytes
}

fn tuple_bytes(values: &[Value]) -> Vec<u8> {
    let mut bytes = u16::try_from(values.len())
        .expect("few")
        .to_be_bytes()
        .to_vec();
    for value in values {
        match value {
            Value::Null => bytes.push(b'n'),
            Value::Unchanged => bytes.push(b'u'),
            Value::Text(text) => {
                bytes.push(b't');
                bytes.extend(u32::try_from(text.len()).expect("short").to_be_bytes());
                bytes.extend(text);
            }
        }
    }
    bytes
}

fn change(tag: u8, parts: &[(u8, &[Value])]) -> Bytes {
    let mut bytes = vec![tag];
    bytes.extend(16_400u32.to_be_bytes());
    for (part, values) in parts {
        bytes.push(*part);
        bytes.extend(tuple_bytes(values));
    }
    bytes.into()
}

fn text(text: &'static str) -> Value {
    Value::Text(Bytes::from_static(text.as_bytes()))
}

#[test]
fn a_relation_is_read() {
    let Ok(Message::Relation(relation)) = decode(relation_bytes().into()) else {
        panic!("a relation");
    };
    assert_eq!((relation.oid, relation.table.as_str()), (16_400, "todos"));
    assert_eq!(relation.columns.len(), 2);
    assert!(relation.columns[0].key && !relation.columns[1].key);
}

#[test]
fn changes_are_read_with_what_is_known_of_the_old_row() {
    let (one, row) = ([text("1"), Value::Null], [text("1"), text("milk")]);
    let insert = decode(change(b'I', &[(b'N', &row)]));
    assert_eq!(
        insert,
        Ok(Message::Insert {
            relation: 16_400,
            new: Tuple(row.to_vec())
        })
    );
    let update = decode(change(
        b'U',
        &[(b'O', &row), (b'N', &[text("1"), Value::Unchanged])],
    ));
    assert!(matches!(
        update,
        Ok(Message::Update {
            old: Some(OldTuple::Full(_)),
            ..
        })
    ));
    let plain = decode(change(b'U', &[(b'N', &row)]));
    assert!(matches!(plain, Ok(Message::Update { old: None, .. })));
    let delete = decode(change(b'D', &[(b'K', &one)]));
    assert!(matches!(
        delete,
        Ok(Message::Delete {
            old: OldTuple::Key(_),
            ..
        })
    ));
}

#[test]
fn every_cut_of_a_message_is_refused() {
    let row = [text("1"), text("milk")];
    for whole in [
        relation_bytes().into(),
        change(b'U', &[(b'O', &row), (b'N', &row)]),
    ] {
        for length in 1..whole.len() {
            assert_eq!(decode(whole.slice(..length)), Err(DecodeError::Truncated));
        }
    }
}

#[test]
fn unknown_tags_and_other_encodings_are_told_apart() {
    assert_eq!(decode(Bytes::from_static(b"T")), Ok(Message::Other(b'T')));
    assert_eq!(
        decode(change(b'I', &[(b'K', &[])])),
        Err(DecodeError::Tag(b'K'))
    );
    let latin1 = Value::Text(Bytes::from_static(&[0xe9]));
    assert_eq!(
        decode(change(b'I', &[(b'N', &[latin1])])),
        Err(DecodeError::Encoding)
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(
        tag in prop_oneof![Just(b'R'), Just(b'Y'), Just(b'I'), Just(b'U'), Just(b'D'), any::<u8>()],
        rest in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = vec![tag];
        bytes.extend(rest);
        let _ = decode(bytes.into());
    }

    #[test]
    fn tuples_round_trip(values in proptest::collection::vec(
        prop_oneof![
            Just(Value::Null),
            Just(Value::Unchanged),
            ".*".prop_map(|text| Value::Text(Bytes::from(text))),
        ],
        0..20,
    )) {
        let decoded = decode(change(b'I', &[(b'N', &values)]));
        prop_assert_eq!(decoded, Ok(Message::Insert { relation: 16_400, new: Tuple(values) }));
    }
}

fn any_tuple() -> impl Strategy<Value = Tuple> {
    let value = prop_oneof![
        Just(Value::Null),
        Just(Value::Unchanged),
        ".{0,12}".prop_map(|text| Value::Text(Bytes::from(text))),
    ];
    proptest::collection::vec(value, 0..6).prop_map(Tuple)
}

fn any_change() -> impl Strategy<Value = Message> {
    let old = || {
        prop_oneof![
            any_tuple().prop_map(OldTuple::Key),
            any_tuple().prop_map(OldTuple::Full),
        ]
    };
    prop_oneof![
        (any::<u32>(), any_tuple()).prop_map(|(relation, new)| Message::Insert { relation, new }),
        (any::<u32>(), proptest::option::of(old()), any_tuple())
            .prop_map(|(relation, old, new)| Message::Update { relation, old, new }),
        (any::<u32>(), old()).prop_map(|(relation, old)| Message::Delete { relation, old }),
    ]
}

proptest! {
    #[test]
    fn changes_are_encoded_as_they_are_decoded(message in any_change()) {
        let bytes = message.encode_change().expect("a change");
        prop_assert_eq!(decode(bytes), Ok(message));
    }

    #[test]
    fn no_value_over_the_limit_is_left(message in any_change()) {
        let bytes = message.without_values_over(4).encode_change().expect("a change");
        prop_assert!(bytes.len() < 10 + 14 * 9);
    }
}
