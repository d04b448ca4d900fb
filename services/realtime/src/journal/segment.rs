//! One file of the journal: records, the first of which says where it begins.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::record::{Origin, Record};
use crate::replication::Position;

/// How far apart, in bytes, the places are that reading can begin at.
const STRIDE: u64 = 64 * 1024;

/// One file of the journal.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) origin: Origin,
    /// What the file holds, in bytes.
    pub(super) length: u64,
    pub(super) tail: Tail,
    /// Positions after which reading may begin, and where in the file.
    index: Vec<(Position, u64)>,
    /// Descriptions and where they stand.
    descriptions: Vec<(u64, Bytes)>,
}

/// What a journal says by its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    /// The last event.
    pub(super) reached: Position,
    /// The commit of the last transaction that is there whole.
    pub(super) finished: u64,
    /// The furthest position that may have been confirmed to the server.
    pub(super) marked: u64,
}

impl Segment {
    /// Makes the file and writes its beginning: `origin`, then what is known of tables.
    pub(super) fn create(
        path: PathBuf,
        origin: Origin,
        descriptions: impl Iterator<Item = Bytes>,
    ) -> io::Result<(Self, File)> {
        let mut file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&path)?;
        let mut segment = Self::new(path, origin.clone());
        let mut out = Vec::new();
        Record::Origin(origin).write(&mut out);
        segment.length = length(&out);
        for description in descriptions {
            segment.note(&Record::Description(description.clone()));
            let before = out.len();
            Record::Description(description).write(&mut out);
            segment.length += length(out.get(before..).unwrap_or_default());
        }
        file.write_all(&out)?;
        Ok((segment, file))
    }

    fn new(path: PathBuf, origin: Origin) -> Self {
        let tail = Tail {
            reached: origin.before,
            finished: origin.finished,
            marked: origin.marked,
        };
        Self {
            path,
            origin,
            length: 0,
            tail,
            index: Vec::new(),
            descriptions: Vec::new(),
        }
    }

    /// Reads a file that was written before; what a crash tore off at its end is cut away. `None`
    /// where it is no segment.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Bytes::from(std::fs::read(path)?);
        let whole = bytes.len();
        let Some(Record::Origin(origin)) = Record::read(&mut bytes) else {
            return Ok(None);
        };
        let mut segment = Self::new(path.to_owned(), origin);
        loop {
            segment.length = u64::try_from(whole - bytes.len()).unwrap_or(u64::MAX);
            match Record::read(&mut bytes) {
                Some(record) => segment.note(&record),
                None => break,
            }
        }
        if !bytes.is_empty() {
            OpenOptions::new()
                .write(true)
                .open(path)?
                .set_len(segment.length)?;
        }
        Ok(Some(segment))
    }

    /// Takes note of a record that stands at `self.length`.
    pub(super) fn note(&mut self, record: &Record) {
        match record {
            Record::Event(event) => {
                let last = self.index.last().map_or(0, |(_, offset)| *offset);
                if self.length >= last + STRIDE {
                    self.index.push((self.tail.reached, self.length));
                }
                self.tail.reached = event.position;
            }
            Record::Description(message) => {
                self.descriptions.push((self.length, message.clone()));
            }
            Record::Commit(commit) => self.tail.finished = self.tail.finished.max(*commit),
            Record::Mark(position) => self.tail.marked = self.tail.marked.max(*position),
            Record::Origin(_) => {}
        }
    }

    /// The newest descriptions, one for each table and type.
    pub(super) fn descriptions(&self) -> impl Iterator<Item = Bytes> {
        let mut newest: HashMap<Bytes, (u64, Bytes)> = HashMap::new();
        for (offset, message) in &self.descriptions {
            newest.insert(subject(message), (*offset, message.clone()));
        }
        let mut newest: Vec<_> = newest.into_values().collect();
        newest.sort_by_key(|(offset, _)| *offset);
        newest.into_iter().map(|(_, message)| message)
    }

    /// Whether `message` says what the newest description of the same table or type says.
    pub(super) fn knows(&self, message: &Bytes) -> bool {
        let subject = subject(message);
        let mut same = self.descriptions.iter().rev();
        let newest = same.find(|(_, known)| known.starts_with(&subject));
        newest.is_some_and(|(_, known)| known == message)
    }

    /// What is needed to read on after `from`.
    pub(super) fn extract(&self, from: Position) -> Extract {
        let start = self
            .index
            .iter()
            .rev()
            .find(|(before, _)| *before <= from)
            .map_or(0, |(_, offset)| *offset);
        let earlier = self
            .descriptions
            .iter()
            .filter(|(offset, _)| *offset < start);
        Extract {
            path: self.path.clone(),
            start,
            end: self.length,
            descriptions: earlier.map(|(_, message)| message.clone()).collect(),
        }
    }
}

/// A part of a segment, to be read without holding the journal up.
#[derive(Debug)]
pub(super) struct Extract {
    path: PathBuf,
    start: u64,
    end: u64,
    /// What was described before `start`.
    pub(super) descriptions: Vec<Bytes>,
}

impl Extract {
    /// The records; an error where the file is gone.
    pub(super) fn records(&self) -> io::Result<impl Iterator<Item = Record>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = Vec::new();
        file.take(self.end.saturating_sub(self.start))
            .read_to_end(&mut bytes)?;
        let mut bytes = Bytes::from(bytes);
        Ok(std::iter::from_fn(move || Record::read(&mut bytes)))
    }
}

/// The tag and the oid of a description: which table or type it is about.
fn subject(message: &Bytes) -> Bytes {
    message.slice(..message.len().min(5))
}

pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
