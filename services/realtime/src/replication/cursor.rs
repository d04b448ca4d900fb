//! How far the stream has been handed on. After a reconnect the server sends again whatever it
//! was not told of; the cursor passes over what subscribers have seen.

use super::change::Position;

/// How far the stream has been handed on.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    epoch: u64,
    /// The commit of the last transaction that was handed on whole.
    finished: u64,
    /// The transaction handed on in part, and how many of its events.
    partial: Option<(u64, u64)>,
    /// The transaction being read, and how many of its events were read.
    reading: Option<(u64, u64)>,
}

impl Cursor {
    /// Goes on where another process, or this one before a restart, had come: `reached` is the
    /// last event that was handed on, `finished` the last transaction that was handed on whole.
    pub fn restore(reached: Position, finished: u64) -> Self {
        let partial = (reached.commit_lsn > finished && reached.sequence > 0)
            .then_some((reached.commit_lsn, reached.sequence));
        Self {
            epoch: reached.epoch,
            finished,
            partial,
            reading: None,
        }
    }

    /// The stream can't be continued: what follows is a new epoch, numbered `number` where that
    /// is larger than the last.
    pub fn begin_epoch(&mut self, number: u64) {
        *self = Self {
            epoch: number.max(self.epoch + 1),
            ..Self::default()
        };
    }

    /// The current epoch; 0 before the first.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The commit of the last transaction that was handed on, in whole or in part.
    pub fn reached(&self) -> u64 {
        self.partial.map_or(self.finished, |(commit, _)| commit)
    }

    /// A connection was made anew: whatever was being read begins again.
    pub fn reconnect(&mut self) {
        self.reading = None;
    }

    /// Whether a transaction is being read.
    pub fn in_transaction(&self) -> bool {
        self.reading.is_some()
    }

    /// A transaction begins that committed at `commit_lsn`.
    pub fn begin(&mut self, commit_lsn: u64) {
        self.reading = Some((commit_lsn, 0));
    }

    /// An event of the current transaction was read: its position, or `None` where it was handed
    /// on before (or stands outside of any transaction).
    pub fn advance(&mut self) -> Option<Position> {
        let (commit_lsn, sequence) = self.reading.as_mut()?;
        *sequence += 1;
        let position = Position {
            epoch: self.epoch,
            commit_lsn: *commit_lsn,
            sequence: *sequence,
        };
        let seen = match self.partial {
            Some((partial, events)) if partial == position.commit_lsn => {
                position.sequence <= events
            }
            _ => position.commit_lsn <= self.finished,
        };
        (!seen).then_some(position)
    }

    /// The current transaction ends.
    pub fn commit(&mut self) {
        self.reading = None;
    }

    /// Everything up to `position` was handed on.
    pub fn handed_on(&mut self, position: Position) {
        self.partial = Some((position.commit_lsn, position.sequence));
    }

    /// The whole transaction that committed at `commit_lsn` was handed on.
    pub fn finish(&mut self, commit_lsn: u64) {
        self.finished = self.finished.max(commit_lsn);
        if self
            .partial
            .is_some_and(|(partial, _)| partial <= commit_lsn)
        {
            self.partial = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A stream of transactions (commit position, number of events), read with reconnects after
    /// the given numbers of events; the server resumes after the last finished transaction it was
    /// told of, which may be any earlier one.
    fn read(transactions: &[(u64, u64)], cuts: &[(usize, usize)]) -> Vec<(u64, u64)> {
        let mut cursor = Cursor::default();
        cursor.begin_epoch(1);
        let mut seen = Vec::new();
        let mut cuts = cuts.iter();
        let mut from = 0;
        loop {
            let cut = cuts.next();
            cursor.reconnect();
            let mut left = cut.map_or(usize::MAX, |(events, _)| *events);
            let mut finished = from;
            'stream: for (index, (commit, events)) in transactions.iter().enumerate().skip(from) {
                cursor.begin(*commit);
                for _ in 0..*events {
                    if left == 0 {
                        break 'stream;
                    }
                    left -= 1;
                    if let Some(position) = cursor.advance() {
                        seen.push((position.commit_lsn, position.sequence));
                        cursor.handed_on(position);
                    }
                }
                cursor.commit();
                cursor.finish(*commit);
                finished = index + 1;
            }
            match cut {
                None => return seen,
                Some((_, behind)) => from = finished.saturating_sub(*behind),
            }
        }
    }

    #[test]
    fn a_restored_cursor_passes_over_what_was_handed_on() {
        let reached = Position {
            epoch: 3,
            commit_lsn: 24,
            sequence: 2,
        };
        let mut cursor = Cursor::restore(reached, 16);
        for (commit, expected) in [(16, vec![]), (24, vec![3]), (32, vec![1, 2, 3])] {
            cursor.begin(commit);
            let read = (0..3).filter_map(|_| cursor.advance());
            assert_eq!(read.map(|at| at.sequence).collect::<Vec<_>>(), expected);
            cursor.commit();
        }
    }

    proptest! {
        #[test]
        fn each_event_is_handed_on_once_and_in_order(
            sizes in proptest::collection::vec(0u64..5, 1..12),
            cuts in proptest::collection::vec((0usize..30, 0usize..4), 0..6),
        ) {
            let transactions: Vec<_> = (1u64..).map(|n| n * 8).zip(sizes).collect();
            let expected: Vec<_> = transactions
                .iter()
                .flat_map(|(commit, events)| (1..=*events).map(|n| (*commit, n)))
                .collect();
            prop_assert_eq!(read(&transactions, &cuts), expected);
        }
    }
}
