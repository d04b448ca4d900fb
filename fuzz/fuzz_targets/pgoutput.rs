//! What comes over the replication connection, and what is read back from the journal: nothing
//! panics, a change is written as it was read, and what clients are told is JSON.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use realtime::changes::render::{self, Shown};
use realtime::journal::Record;
use realtime::replication::{Position, Relations, pgoutput};

const POSITION: Position = Position {
    epoch: 1,
    commit_lsn: 2,
    sequence: 3,
};

fuzz_target!(|data: &[u8]| {
    let mut journal = Bytes::copy_from_slice(data);
    while Record::read(&mut journal).is_some() {}
    let mut relations = Relations::of_connection(Default::default());
    // Messages follow each other: a table is described before its changes.
    for part in data.split(|byte| *byte == 0xff) {
        let Ok(message) = pgoutput::decode(Bytes::copy_from_slice(part)) else {
            continue;
        };
        if let Some(bytes) = message.encode_change() {
            assert_eq!(pgoutput::decode(bytes).as_ref(), Ok(&message));
        }
        relations.describe(message.clone());
        if let Ok(change) = relations.change(message, &"now".into(), POSITION) {
            let columns = vec![true; change.relation.columns.len()];
            let shown = Shown {
                new: columns.clone(),
                old: columns,
            };
            let told = render::data(&change, &shown);
            serde_json::from_str::<serde_json::Value>(&told).expect("JSON");
        }
    }
});
