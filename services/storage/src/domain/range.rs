//! The `Range` header (RFC 9110, section 14): one range of bytes.

/// What part of an object a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All of it.
    Whole,
    /// From the first to the last byte, both included.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte.
        last: u64,
    },
    /// A range that begins after the end.
    Unsatisfiable,
}

impl Selection {
    /// What `header` selects of `size` bytes. Several ranges, other units and malformed headers
    /// select all of it, as RFC 9110 lets a server do.
    pub fn of(header: Option<&str>, size: u64) -> Self {
        match header.and_then(one_range) {
            None => Self::Whole,
            Some(range) => range.within(size),
        }
    }

    /// Where it begins and how many bytes it has.
    pub fn bounds(self, size: u64) -> (u64, u64) {
        match self {
            Self::Whole => (0, size),
            Self::Part { first, last } => (first, last - first + 1),
            Self::Unsatisfiable => (0, 0),
        }
    }
}

#[derive(Clone, Copy)]
enum Spec {
    From(u64),
    Between(u64, u64),
    Last(u64),
}

impl Spec {
    fn within(self, size: u64) -> Selection {
        let (first, last) = match self {
            Self::From(first) => (first, size.saturating_sub(1)),
            Self::Between(first, last) => (first, last.min(size.saturating_sub(1))),
            Self::Last(0) => return Selection::Unsatisfiable,
            Self::Last(count) => (size.saturating_sub(count), size.saturating_sub(1)),
        };
        if first >= size {
            Selection::Unsatisfiable
        } else {
            Selection::Part { first, last }
        }
    }
}

fn one_range(header: &str) -> Option<Spec> {
    let (unit, ranges) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return None;
    }
    let (first, last) = ranges.trim().split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", count) => number(count).map(Spec::Last),
        (first, "") => number(first).map(Spec::From),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::Between(first, last))
        }
    }
}

/// Digits only; more than fit are as far as anything goes.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        let part = |first, last| Selection::Part { first, last };
        let table = [
            (None, Selection::Whole),
            (Some("bytes=0-4"), part(0, 4)),
            (Some("Bytes = 2-"), part(2, 9)),
            (Some("bytes=-3"), part(7, 9)),
            (Some("bytes=-99"), part(0, 9)),
            (Some("bytes=9-99"), part(9, 9)),
            (Some("bytes=0-99999999999999999999999"), part(0, 9)),
            (Some("bytes=10-"), Selection::Unsatisfiable),
            (Some("bytes=-0"), Selection::Unsatisfiable),
            (Some("bytes=5-4"), Selection::Whole),
            (Some("bytes=0-1,3-4"), Selection::Whole),
            (Some("bytes=+1-2"), Selection::Whole),
            (Some("items=0-4"), Selection::Whole),
            (Some("bytes"), Selection::Whole),
        ];
        for (header, expected) in table {
            assert_eq!(Selection::of(header, 10), expected, "{header:?}");
        }
    }

    #[test]
    fn nothing_can_be_taken_of_nothing() {
        assert_eq!(Selection::of(Some("bytes=0-"), 0), Selection::Unsatisfiable);
        assert_eq!(Selection::of(Some("bytes=-1"), 0), Selection::Unsatisfiable);
        assert_eq!(Selection::of(None, 0), Selection::Whole);
    }
}
