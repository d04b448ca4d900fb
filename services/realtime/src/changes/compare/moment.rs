//! Dates and times, as moments.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// A moment, or what Postgres has before and after all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// `-infinity`.
    BeforeAll,
    At(OffsetDateTime),
    /// `infinity`.
    AfterAll,
}

/// A date, with a time and an offset or without, as a moment; without an offset it is UTC.
pub(super) fn parse(text: &str) -> Option<Moment> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "infinity" | "+infinity" => Some(Moment::AfterAll),
        "-infinity" => Some(Moment::BeforeAll),
        _ => finite(text).map(Moment::At),
    }
}

fn finite(text: &str) -> Option<OffsetDateTime> {
    let (date, rest) = match text.split_once([' ', 'T', 't']) {
        Some((date, rest)) => (date, rest),
        None => (text, ""),
    };
    let mut parts = date.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let (time, offset) = match rest.find(['+', '-', 'Z', 'z']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, ""),
    };
    Some(
        date.with_time(time_of_day(time)?)
            .assume_offset(offset_of(offset)?),
    )
}

fn time_of_day(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::MIDNIGHT);
    }
    let mut parts = text.splitn(3, ':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let seconds = parts.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanosecond = format!("{fraction:0<9}").parse().ok()?;
    Time::from_hms_nano(hour, minute, second.parse().ok()?, nanosecond).ok()
}

fn offset_of(text: &str) -> Option<UtcOffset> {
    let (sign, digits) = match text.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => return Some(UtcOffset::UTC),
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        Some(_) => return None,
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours: i8 = hours.parse().ok()?;
    let minutes: i8 = if minutes.is_empty() {
        0
    } else {
        minutes.parse().ok()?
    };
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}
