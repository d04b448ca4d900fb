//! One line of a process, read.

use uuid::Uuid;

use crate::domain::execution::Level;

/// The rest of a longer line is cut off. A message of the console, which has a bound of its own,
/// fits in it however much of it has to be escaped.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;
/// The same for what did not come by the console.
const MAX_PLAIN_BYTES: usize = 8 * 1024;

/// What was printed, and by which invocation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) execution: Option<Uuid>,
    pub(super) level: Level,
    pub(super) message: String,
}

impl Line {
    /// Reads `<RS><mark> <invocation> <level> <JSON string>` (`runtime/journal.ts`); a line without
    /// the mark is `plain`.
    pub(super) fn parse(text: &[u8], mark: &str, level: Level) -> Self {
        Self::marked(text, mark).unwrap_or_else(|| Self::plain(text, level))
    }

    pub(super) fn plain(text: &[u8], level: Level) -> Self {
        let text = text.get(..MAX_PLAIN_BYTES).unwrap_or(text);
        Self {
            execution: None,
            level,
            message: String::from_utf8_lossy(text).into_owned(),
        }
    }

    fn marked(text: &[u8], mark: &str) -> Option<Self> {
        let rest = text.strip_prefix(b"\x1e")?.strip_prefix(mark.as_bytes())?;
        let mut parts = std::str::from_utf8(rest).ok()?.splitn(4, ' ').skip(1);
        let (execution, level) = (parts.next()?, parts.next()?);
        Some(Self {
            execution: execution.parse().ok(),
            level: Level::of_console(level.parse().ok()?),
            message: serde_json::from_str(parts.next()?).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_consoles_lines_tell_their_invocation() {
        let id = Uuid::from_u128(7);
        let text = format!("\x1eM {id} 2 \"two\\nlines\"");
        let line = Line::parse(text.as_bytes(), "M", Level::Info);
        let expected = Line {
            execution: Some(id),
            level: Level::Warn,
            message: "two\nlines".to_owned(),
        };
        assert_eq!(line, expected);
        let outside = Line::parse(b"\x1eM - 3 \"x\"", "M", Level::Info);
        assert_eq!((outside.execution, outside.level), (None, Level::Error));
    }

    #[test]
    fn lines_without_the_mark_are_taken_as_they_are() {
        for text in ["plain", "\x1eN - 1 \"x\"", "\x1eM - 1 broken", ""] {
            let line = Line::parse(text.as_bytes(), "M", Level::Info);
            assert_eq!((line.execution, line.message.as_str()), (None, text));
        }
        let long = Line::plain(&vec![b'x'; 30_000], Level::Error);
        assert_eq!(long.message.len(), MAX_PLAIN_BYTES);
    }
}
