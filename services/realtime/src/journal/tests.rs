use proptest::prelude::*;

use super::*;

const NAME: &str = "slot";

fn at(commit_lsn: u64, sequence: u64) -> Position {
    Position {
        epoch: 5,
        commit_lsn,
        sequence,
    }
}

fn origin() -> Origin {
    Origin {
        source: "7/slot".to_owned(),
        before: at(10, 0),
        finished: 10,
        marked: 9,
    }
}

fn event(position: Position, bytes: usize) -> Record {
    Record::Event(Logged {
        position,
        committed_micros: 0,
        content: Content::Change(Bytes::from(vec![b'I'; bytes])),
    })
}

fn begun(folder: &std::path::Path, limit: u64) -> Journal {
    let journal = Journal::new(folder.to_owned(), limit);
    assert_eq!(journal.open(NAME).expect("opens"), None);
    journal.begin(origin());
    journal
}

fn all(journal: &Journal, mut from: Position, to: Position, bytes: usize) -> Vec<Position> {
    let mut found = Vec::new();
    while from < to {
        let chunk = journal.read(from, to, bytes).expect("it is there");
        assert!(chunk.reached > from, "reading goes on");
        from = chunk.reached;
        found.extend(chunk.records.iter().filter_map(|record| match record {
            Record::Event(event) => Some(event.position),
            Record::Origin(_) | Record::Description(_) | Record::Commit(_) | Record::Mark(_) => {
                None
            }
        }));
    }
    found
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = begun(folder.path(), 1 << 20);
    journal.append(&[
        Record::Description(Bytes::from_static(b"R\0\0\0\x07todos")),
        event(at(20, 1), 3),
        event(at(20, 2), 3),
        Record::Commit(20),
        event(at(30, 1), 3),
    ]);
    journal.mark(25)().expect("on disk");
    drop(journal);
    let journal = Journal::new(folder.path().to_owned(), 1 << 20);
    let saved = journal.open(NAME).expect("opens").expect("was begun");
    assert_eq!(
        (saved.reached, saved.finished, saved.marked),
        (at(30, 1), 20, 25)
    );
    assert_eq!(saved.source, "7/slot");
    let chunk = journal.read(at(20, 1), at(30, 1), 1 << 20).expect("there");
    assert!(matches!(&chunk.records[0], Record::Description(_)));
    assert_eq!(
        all(&journal, at(20, 1), at(30, 1), 1),
        [at(20, 2), at(30, 1)]
    );
}

#[test]
fn only_what_is_there_can_be_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = begun(folder.path(), 1 << 20);
    journal.append(&[event(at(20, 1), 3)]);
    assert!(journal.follows(at(10, 0)) && journal.follows(at(20, 1)));
    assert!(!journal.follows(at(9, 9)), "before the beginning");
    assert!(!journal.follows(at(20, 2)), "not written yet");
    let other = Position {
        epoch: 4,
        ..at(20, 1)
    };
    assert!(!journal.follows(other), "of another epoch");
    journal.close();
    assert!(!journal.follows(at(20, 1)));
}

#[test]
fn two_do_not_write_one_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = begun(folder.path(), 1 << 20);
    let second = Journal::new(folder.path().to_owned(), 1 << 20);
    assert!(second.open(NAME).is_err());
    first.close();
    assert!(second.open(NAME).expect("free now").is_some());
}

#[test]
fn the_oldest_goes_first_and_descriptions_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = begun(folder.path(), 256 * 1024);
    journal.append(&[Record::Description(Bytes::from_static(b"R\0\0\0\x07todos"))]);
    for commit in 20..120 {
        journal.append(&[event(at(commit, 1), 10_000), Record::Commit(commit)]);
    }
    let files = fs::read_dir(folder.path().join(NAME)).expect("a folder");
    let bytes: u64 = files
        .map(|file| file.expect("a file").metadata().expect("its size").len())
        .sum();
    assert!(bytes < 350_000, "{bytes}");
    assert_eq!(
        journal.read(at(20, 1), at(119, 1), 1).err(),
        Some(ResyncRequired)
    );
    let chunk = journal.read(at(110, 1), at(119, 1), 1).expect("there");
    assert!(matches!(&chunk.records[0], Record::Description(_)));
    let expected: Vec<_> = (111..120).map(|commit| at(commit, 1)).collect();
    assert_eq!(all(&journal, at(110, 1), at(119, 1), 25_000), expected);
}

#[test]
fn a_torn_end_is_cut_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = begun(folder.path(), 1 << 20);
    journal.append(&[event(at(20, 1), 3), event(at(20, 2), 3)]);
    drop(journal);
    let path = fs::read_dir(folder.path().join(NAME))
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .find(|path| path.extension().is_some())
        .expect("a segment");
    let length = path.metadata().expect("its size").len();
    let file = File::options().write(true).open(&path).expect("a file");
    file.set_len(length - 2).expect("cut");
    let journal = Journal::new(folder.path().to_owned(), 1 << 20);
    let saved = journal.open(NAME).expect("opens").expect("was begun");
    assert_eq!(saved.reached, at(20, 1));
    journal.append(&[event(at(20, 2), 3)]);
    assert_eq!(
        all(&journal, at(10, 0), at(20, 2), 99),
        [at(20, 1), at(20, 2)]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_the_sizes_each_event_is_read_once(
        sizes in proptest::collection::vec(0usize..30_000, 1..40),
        from in 0usize..40,
        bytes in 1usize..60_000,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = begun(folder.path(), 8 << 20);
        let positions: Vec<_> = (1..).map(|n| at(20 + n / 3, n)).take(sizes.len()).collect();
        for (position, size) in positions.iter().zip(sizes) {
            journal.append(&[event(*position, size)]);
        }
        let before = from.checked_sub(1).and_then(|at| positions.get(at)).copied();
        let from = before.unwrap_or(at(10, 0));
        let expected: Vec<_> = positions.iter().copied().filter(|found| *found > from).collect();
        let end = journal.end().expect("open");
        prop_assert_eq!(all(&journal, from, end, bytes), expected);
    }
}
