//! The journal: committed events as the server sent them, on disk, bounded. It is what a client
//! that comes back is told its missed events from, and what a new process continues the stream
//! from. Only the leader has it open.

mod record;
mod segment;

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

pub use record::{Content, Logged, Origin, Record};
use segment::{Segment, Tail};

use crate::replication::Position;

/// In how many files the journal lies; the oldest goes when there are more bytes than it may have.
const SEGMENTS: u64 = 8;
const SMALLEST_SEGMENT: u64 = 64 * 1024;
const SUFFIX: &str = "journal";

/// The journal of one database's stream.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    limit: u64,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    folder: PathBuf,
    /// Held while the journal is open: nobody else writes it.
    _lock: File,
    segments: VecDeque<Segment>,
    /// The last segment's file.
    file: Option<File>,
}

/// Where a journal that was written before ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The server's system identifier and the slot: whose positions these are.
    pub source: String,
    /// The last event.
    pub reached: Position,
    /// The commit of the last transaction that is there whole.
    pub finished: u64,
    /// The furthest position that may have been confirmed to the server.
    pub marked: u64,
}

/// What lies between a token and the end is not in the journal, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal does not have what followed this position")]
pub struct ResyncRequired;

/// Some events in their order.
#[derive(Debug)]
pub struct Chunk {
    /// What tables and types are like, for the events' changes; then the events, mixed with
    /// further descriptions.
    pub records: Vec<Record>,
    /// Up to where that is.
    pub reached: Position,
}

impl Journal {
    /// A journal in `folder` of at most about `limit` bytes; with 0 nothing is kept.
    pub fn new(folder: PathBuf, limit: u64) -> Self {
        Self {
            folder,
            limit,
            open: Mutex::new(None),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the journal called `name`; answers where it ends, if it was begun before. Does
    /// nothing where it is open, or where nothing is kept. An error where another process has it
    /// open.
    pub fn open(&self, name: &str) -> io::Result<Option<Saved>> {
        let mut open = self.lock();
        if open.is_some() || self.limit == 0 {
            return Ok(None);
        }
        let opened = Open::at(self.folder.join(name))?;
        let saved = opened.segments.back().map(|segment| Saved {
            source: segment.origin.source.clone(),
            reached: segment.tail.reached,
            finished: segment.tail.finished,
            marked: segment.tail.marked,
        });
        *open = Some(opened);
        Ok(saved)
    }

    /// Lets another process open it.
    pub fn close(&self) {
        *self.lock() = None;
    }

    /// Closes it when the answer is dropped: whoever stops leading lets go of it at once, also
    /// while clients are still being spoken to.
    pub fn closing(&self) -> Closing<'_> {
        Closing(self)
    }

    /// Begins anew: what was there is deleted, as nothing can follow it.
    pub fn begin(&self, origin: Origin) {
        let mut open = self.lock();
        if let Some(journal) = open.as_mut()
            && let Err(error) = journal.begin(origin)
        {
            give_up(journal, &error);
        }
    }

    /// Appends records. Where that fails the journal is emptied: whoever comes back is then told
    /// to read the current state, and events go on.
    pub fn append(&self, records: &[Record]) {
        let mut open = self.lock();
        if let Some(journal) = open.as_mut()
            && !records.is_empty()
            && let Err(error) = journal.append(records, self.limit)
        {
            give_up(journal, &error);
        }
    }

    /// Notes that everything before `position` is there. The answer makes it so on disk; only
    /// then may the server be told.
    pub fn mark(&self, position: u64) -> impl FnOnce() -> io::Result<()> + Send + 'static {
        self.append(&[Record::Mark(position)]);
        let open = self.lock();
        let file = open.as_ref().and_then(|journal| journal.file.as_ref());
        let file = file.map(File::try_clone);
        move || file.map_or(Ok(()), |file| file?.sync_data())
    }

    /// The last event; `None` where there is no journal.
    pub fn end(&self) -> Option<Position> {
        let open = self.lock();
        let last = open.as_ref().and_then(|journal| journal.segments.back());
        last.map(|segment| segment.tail.reached)
    }

    /// Whether everything that followed `position` is there.
    pub fn follows(&self, position: Position) -> bool {
        let open = self.lock();
        open.as_ref().is_some_and(|journal| journal.has(position))
    }

    /// Reads on after `from`, up to `to` at most, about `bytes` of it.
    pub fn read(
        &self,
        from: Position,
        to: Position,
        bytes: usize,
    ) -> Result<Chunk, ResyncRequired> {
        let (extract, next) = {
            let open = self.lock();
            let journal = open.as_ref().filter(|journal| journal.has(from));
            let journal = journal.ok_or(ResyncRequired)?;
            let place = journal.place(from).ok_or(ResyncRequired)?;
            let segment = journal.segments.get(place).ok_or(ResyncRequired)?;
            let next = journal.segments.get(place + 1);
            let next = next.map_or(to, |segment| segment.origin.before.min(to));
            (segment.extract(from), next)
        };
        let mut chunk = Chunk {
            records: Vec::new(),
            reached: next,
        };
        let earlier = extract.descriptions.iter().cloned();
        chunk.records.extend(earlier.map(Record::Description));
        let mut size = 0;
        for record in extract.records().map_err(|_| ResyncRequired)? {
            match &record {
                Record::Event(event) if event.position > to => return Ok(chunk),
                Record::Event(event) if event.position > from => {
                    if size >= bytes {
                        return Ok(chunk);
                    }
                    size += event.size();
                    chunk.reached = event.position;
                    chunk.records.push(record);
                }
                Record::Description(_) => chunk.records.push(record),
                Record::Event(_) | Record::Origin(_) | Record::Commit(_) | Record::Mark(_) => {}
            }
        }
        chunk.reached = next;
        Ok(chunk)
    }
}

/// Closes a journal when dropped.
#[derive(Debug)]
#[must_use = "it closes the journal when dropped"]
pub struct Closing<'a>(&'a Journal);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Logged {
    fn size(&self) -> usize {
        match &self.content {
            Content::Change(data) | Content::LargeChange(data) | Content::Message(data) => {
                data.len()
            }
        }
    }
}

impl Open {
    fn at(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "another process has it open")
            }
        })?;
        let mut journal = Self {
            folder,
            _lock: lock,
            segments: VecDeque::new(),
            file: None,
        };
        for path in journal.files()? {
            // A file without a beginning, or one that does not continue the one before, is where
            // a crash or a hand has been: only what follows it is of one piece.
            let Some(segment) = Segment::open(&path)? else {
                fs::remove_file(&path)?;
                continue;
            };
            let before = journal.segments.back().map(|last| last.tail.reached);
            if before.is_some_and(|before| before != segment.origin.before) {
                journal.remove_all()?;
            }
            journal.segments.push_back(segment);
        }
        if let Some(last) = journal.segments.back() {
            journal.file = Some(File::options().append(true).open(&last.path)?);
        }
        Ok(journal)
    }

    /// The files, oldest first: their names are numbers.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.folder)?;
        let paths: io::Result<Vec<PathBuf>> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect();
        let mut paths = paths?;
        paths.retain(|path| path.extension().is_some_and(|found| found == SUFFIX));
        paths.sort();
        Ok(paths)
    }

    fn remove_all(&mut self) -> io::Result<()> {
        self.file = None;
        for segment in self.segments.drain(..) {
            fs::remove_file(&segment.path)?;
        }
        Ok(())
    }

    fn begin(&mut self, origin: Origin) -> io::Result<()> {
        self.remove_all()?;
        for path in self.files()? {
            fs::remove_file(path)?;
        }
        self.add(origin, &[])
    }

    fn add(&mut self, origin: Origin, descriptions: &[Bytes]) -> io::Result<()> {
        let Position {
            epoch,
            commit_lsn,
            sequence,
        } = origin.before;
        let name = format!("{epoch:016x}-{commit_lsn:016x}-{sequence:016x}.{SUFFIX}");
        let path = self.folder.join(name);
        let (segment, file) = Segment::create(path, origin, descriptions.iter().cloned())?;
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        self.segments.push_back(segment);
        self.file = Some(file);
        Ok(())
    }

    fn append(&mut self, records: &[Record], limit: u64) -> io::Result<()> {
        let mut out = Vec::new();
        let Some(last) = self.segments.back_mut() else {
            return Ok(());
        };
        for record in records {
            if let Record::Description(message) = record
                && last.knows(message)
            {
                continue;
            }
            let before = out.len();
            record.write(&mut out);
            last.note(record);
            last.length += segment::length(out.get(before..).unwrap_or_default());
        }
        let length = last.length;
        if let Some(file) = self.file.as_mut() {
            file.write_all(&out)?;
        }
        if length >= (limit / SEGMENTS).max(SMALLEST_SEGMENT) {
            self.turn(limit)?;
        }
        Ok(())
    }

    /// Begins the next file, and lets go of the oldest where there are too many bytes.
    fn turn(&mut self, limit: u64) -> io::Result<()> {
        let Some(last) = self.segments.back() else {
            return Ok(());
        };
        let Tail {
            reached,
            finished,
            marked,
        } = last.tail;
        if reached == last.origin.before {
            return Ok(());
        }
        if let Some(file) = &self.file {
            file.sync_data()?;
        }
        let descriptions: Vec<Bytes> = last.descriptions().collect();
        let origin = Origin {
            source: last.origin.source.clone(),
            before: reached,
            finished,
            marked,
        };
        self.add(origin, &descriptions)?;
        while self
            .segments
            .iter()
            .map(|segment| segment.length)
            .sum::<u64>()
            > limit
        {
            let Some(oldest) = self.segments.pop_front() else {
                break;
            };
            fs::remove_file(&oldest.path)?;
        }
        Ok(())
    }

    fn has(&self, position: Position) -> bool {
        let (first, last) = (self.segments.front(), self.segments.back());
        let first = first.is_some_and(|segment| segment.origin.before <= position);
        let last = last.is_some_and(|segment| position <= segment.tail.reached);
        // Positions of an earlier epoch are smaller, and not told apart from those before the
        // first segment: both are not here.
        first && last
    }

    /// The segment that what follows `from` begins in.
    fn place(&self, from: Position) -> Option<usize> {
        let segments = self.segments.iter();
        segments
            .enumerate()
            .rev()
            .find(|(_, segment)| segment.origin.before <= from)
            .map(|(place, _)| place)
    }
}

fn give_up(journal: &mut Open, error: &io::Error) {
    tracing::error!(%error, "the journal cannot be written and is emptied");
    metrics::counter!("selfdb_realtime_journal_failures_total").increment(1);
    if let Err(error) = journal.remove_all() {
        tracing::error!(%error, "the journal cannot be emptied");
    }
}

#[cfg(test)]
mod tests;
