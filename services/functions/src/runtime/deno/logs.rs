//! What functions print, as lines of the journal. A function that prints faster than its pipe is
//! read is slowed down by it; lines beyond its rate are counted and left out.

mod line;
mod rate;

use std::fmt;
use std::sync::{Arc, OnceLock};

use common::Clock;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::oneshot;

use crate::domain::execution::{Level, LogLine};
use crate::domain::{FunctionName, Version, VersionId};
use crate::journal::Journal;
use line::{Line, MAX_LINE_BYTES};
use rate::{Pace, Rate};

const CHUNK_BYTES: usize = 4 * 1024;

/// Which function a process is, once it is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Label(Arc<OnceLock<(FunctionName, VersionId)>>);

impl Label {
    pub(super) fn set(&self, version: &Version) {
        let _ = self.0.set((version.function.clone(), version.id.clone()));
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.get().is_some()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get() {
            Some((name, id)) => write!(f, "{name}@{id}"),
            None => f.write_str("-"),
        }
    }
}

/// Where the lines of one pipe go.
pub(super) struct Sink {
    pub(super) label: Label,
    pub(super) journal: Journal,
    pub(super) clock: Arc<dyn Clock>,
    /// Lines a second.
    pub(super) rate: u32,
}

impl Sink {
    /// Tells the function's owner what became of its process.
    pub(super) fn note(&self, message: &str) {
        if self.label.is_set() {
            self.put(Line::plain(message.as_bytes(), Level::Error));
        }
    }

    fn put(&self, line: Line) {
        let Some((name, version)) = self.label.0.get() else {
            tracing::warn!(line = line.message, "a process that waits for a function");
            return;
        };
        let (message, level) = (line.message.as_str(), line.level);
        match level {
            Level::Debug => tracing::debug!(function = %self.label, "{message}"),
            Level::Info => tracing::info!(function = %self.label, "{message}"),
            Level::Warn | Level::Error => tracing::warn!(function = %self.label, "{message}"),
        }
        self.journal.line(LogLine {
            function: name.clone(),
            version: version.clone(),
            execution: line.execution,
            level,
            message: line.message,
            at: self.clock.now(),
        });
    }
}

/// Takes what is printed on standard output, after the line `ready <mark>`, which is answered
/// through `ready`. Lines with that mark tell their level and their invocation.
pub(super) async fn copy_output(
    output: impl AsyncRead + Unpin,
    sink: Sink,
    ready: oneshot::Sender<()>,
) {
    let mut ready = Some(ready);
    let mut mark = String::new();
    let read = move |text: &[u8]| {
        if let Some(waiting) = ready.take() {
            let text = String::from_utf8_lossy(text);
            if let Some(said) = text.strip_prefix("ready ") {
                said.clone_into(&mut mark);
                let _ = waiting.send(());
                return None;
            }
            ready = Some(waiting);
        }
        Some(Line::parse(text, &mark, Level::Info))
    };
    copy_lines(output, sink, read).await;
}

/// Takes what is printed on standard error: by Deno itself, or past the console.
pub(super) async fn copy_errors(errors: impl AsyncRead + Unpin, sink: Sink) {
    copy_lines(errors, sink, |text| Some(Line::plain(text, Level::Error))).await;
}

async fn copy_lines(
    mut source: impl AsyncRead + Unpin,
    sink: Sink,
    mut read: impl FnMut(&[u8]) -> Option<Line>,
) {
    let mut pending = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut pace, mut rate) = (Pace::new(), Rate::new(sink.rate));
    let mut put = |text: &[u8]| {
        let Some(line) = read(text) else {
            return;
        };
        if !rate.allows() {
            return;
        }
        if let Some(left_out) = rate.left_out() {
            sink.put(left_out);
        }
        sink.put(line);
    };
    while let Ok(length @ 1..) = source.read(&mut chunk).await {
        let read = chunk.get(..length).unwrap_or_default();
        for piece in read.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let room = MAX_LINE_BYTES.saturating_sub(pending.len());
            pending.extend(text.iter().copied().take(room));
            if text.len() < piece.len() {
                put(&pending);
                pending.clear();
                pace.step().await;
            }
        }
    }
    if !pending.is_empty() {
        put(&pending);
    }
    if let Some(left_out) = rate.left_out() {
        sink.put(left_out);
    }
}

#[cfg(test)]
mod tests {
    use common::SystemClock;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_slowed_down_and_what_is_left_out_is_told() {
        let (journal, mut records) = Journal::for_test();
        let label = Label::default();
        let name = FunctionName::parse("flood").expect("a name");
        let _ = label.0.set((name, VersionId::new(&[1])));
        let sink = Sink {
            label,
            journal,
            clock: Arc::new(SystemClock),
            rate: 10,
        };
        let started = Instant::now();
        copy_errors("x\n".repeat(3_000).as_bytes(), sink).await;
        assert!(started.elapsed().as_secs() >= 2);
        let mut kept = Vec::new();
        while let Some(line) = records.try_line() {
            kept.push(line.message);
        }
        assert!((100..200).contains(&kept.len()), "{}", kept.len());
        let told = kept.iter().filter(|line| line.contains("left out")).count();
        assert!(told >= 1, "{kept:?}");
    }
}
