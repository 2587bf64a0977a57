//! When something is to happen again: at an interval, or at the times of a cron pattern in a time zone.

use std::cmp::Ordering;
use std::str::FromStr as _;

use croner::errors::CronError;
use croner::{CivilDateTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ZonedDateTime, civil};

/// When a run starts by itself. Times in unix seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Never.
    Off,
    /// This many seconds after the last one began.
    Every(i64),
    /// At the times of a pattern.
    At(Box<Pattern>),
}

/// A cron pattern with five fields, in a time zone of the IANA database.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    cron: Cron,
    zone: TimeZone,
}

impl Pattern {
    /// Reads a pattern, such as `30 3 * * *`, and the name of a time zone. A pattern without any time is refused.
    pub fn parse(cron: &str, zone: &str) -> Option<Self> {
        // Seconds and years would be a sixth and a seventh field.
        let is_plain = cron.starts_with('@') || cron.split_whitespace().count() == 5;
        let cron = Cron::from_str(cron).ok().filter(|_| is_plain)?;
        let zone = TimeZone::get(crate::core::zone::named(zone)?).ok()?;
        let pattern = Self { cron, zone };
        pattern.next_after(0).map(|_| pattern)
    }

    fn next_after(&self, moment: i64) -> Option<i64> {
        let moment = Local(Timestamp::from_second(moment).ok()?.to_zoned_datetime(self.zone.clone()));
        let next = self.cron.find_next_occurrence(&moment, false).ok()?;
        Some(next.0.timestamp().as_second())
    }
}

impl Schedule {
    /// The next time after a moment; `None` if there is none.
    pub fn next_after(&self, moment: i64) -> Option<i64> {
        match self {
            Self::Off => None,
            Self::Every(seconds) => moment.checked_add(*seconds),
            Self::At(pattern) => pattern.next_after(moment),
        }
    }
}

/// A moment in a time zone, for the pattern's search.
#[derive(Clone)]
struct Local(ZonedDateTime);

fn small(number: u32) -> Option<i8> {
    number.try_into().ok()
}

fn civil_of(at: CivilDateTime) -> Option<civil::DateTime> {
    let year = i16::try_from(at.year()).ok()?;
    let (month, day) = (small(at.month())?, small(at.day())?);
    civil::DateTime::new(year, month, day, small(at.hour())?, small(at.minute())?, small(at.second())?, 0)
        .ok()
}

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        let at = self.0.datetime();
        let part = |number: i8| u32::try_from(number).unwrap_or_default();
        CivilDateTime::from_ymd_hms_opt(
            at.year().into(),
            part(at.month()),
            part(at.day()),
            part(at.hour()),
            part(at.minute()),
            part(at.second()),
        )
        .expect("a date and time that exists")
    }

    fn civil_weekday(&self) -> Weekday {
        let days = self.0.weekday().to_sunday_zero_offset();
        Weekday::from_days_from_sunday(u32::try_from(days).unwrap_or_default())
    }

    fn resolve_civil(&self, at: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let zone = self.0.time_zone();
        let civil = civil_of(at).ok_or(CronError::InvalidDate)?;
        let at_offset = |offset: jiff::tz::Offset| {
            let moment = offset.to_timestamp(civil).map_err(|_| CronError::InvalidDate)?;
            Ok(Self(moment.to_zoned_datetime(zone.clone())))
        };
        Ok(match zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => Resolution::Single(at_offset(offset)?),
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
            AmbiguousOffset::Fold { before, after } => {
                Resolution::Ambiguous(at_offset(before)?, at_offset(after)?)
            }
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(jiff::SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a moment").as_second()
    }

    #[test]
    fn the_next_time_is_that_of_the_time_zone() {
        let check = |cron: &str, zone: &str, from: &str, next: &str| {
            let pattern = Pattern::parse(cron, zone).expect("a pattern");
            let found = Schedule::At(Box::new(pattern)).next_after(at(from));
            assert_eq!(found, Some(at(next)), "{cron} in {zone} after {from}");
        };
        check("30 3 * * *", "UTC", "2026-11-30T03:29:59Z", "2026-11-30T03:30:00Z");
        check("30 3 * * *", "UTC", "2026-11-30T03:30:00Z", "2026-12-01T03:30:00Z");
        check("30 3 * * *", "europe/zagreb", "2026-07-01T00:00:00Z", "2026-07-01T01:30:00Z");
        check("0 9 * * 1-5", "America/New_York", "2026-11-27T20:00:00Z", "2026-11-30T14:00:00Z");
        check("@hourly", "UTC", "2026-11-30T03:29:59Z", "2026-11-30T04:00:00Z");
        // 02:30 does not exist on 29 March, and exists twice on 25 October.
        check("30 2 * * *", "Europe/Zagreb", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
        check("30 2 * * *", "Europe/Zagreb", "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z");
        check("30 2 * * *", "Europe/Zagreb", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (cron, zone) in [
            ("", "UTC"),
            ("every day", "UTC"),
            ("61 * * * *", "UTC"),
            ("* * * * * *", "UTC"),
            ("0 0 30 2 *", "UTC"),
            ("0 0 * * *", "Etc/Unknown"),
            ("0 0 * * *", ""),
        ] {
            assert_eq!(Pattern::parse(cron, zone), None, "{cron:?} in {zone:?}");
        }
    }
}
