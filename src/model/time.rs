//! A point in time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds since 1970-01-01T00:00:00Z; shown and stored as RFC 3339, UTC, six decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    /// This many seconds later (or earlier).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Whole seconds from `earlier` to this.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0) / 1_000_000
    }

    /// `YYYYMMDDHHMM`, the stamp of a backup made by a run.
    pub fn stamp(self) -> String {
        self.timestamp().strftime("%Y%m%d%H%M").to_string()
    }

    /// Whether this names a backup: `YYYYMMDD` (by cron) or `YYYYMMDDHHMM` (by a run), a day and a minute
    /// that there were. Scripts take anything else for something else (`GigaDB`'s restore script does).
    pub fn is_stamp(text: &str) -> bool {
        if !text.bytes().all(|it| it.is_ascii_digit()) {
            return false;
        }
        let (day, minute) = match text.len() {
            8 => (text, "0000"),
            12 => text.split_at(8),
            _ => return false,
        };
        jiff::civil::DateTime::strptime("%Y%m%d%H%M", format!("{day}{minute}")).is_ok()
    }

    /// `2026-11-21 14:02:07`, for screens.
    pub fn screen(self) -> String {
        self.timestamp().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// As a timestamp of the calendar library.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(text.parse::<jiff::Timestamp>().ok()?.as_microsecond()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn a_stamp_is_a_day_or_a_minute_that_there_was() {
        for good in ["20261121", "202611211530", "20240229", "202611212359"] {
            assert!(Time::is_stamp(good), "{good}");
        }
        for bad in [
            "latest",
            "",
            "2026112",
            "2026112115",
            "20261131",
            "20250229",
            "202611212460",
            "202611212400",
            "2026-11-21",
            "20261121 ",
            "+2026112",
            "２０２６",
            "20261121153",
            "2026112115300",
        ] {
            assert!(!Time::is_stamp(bad), "{bad}");
        }
        assert!(Time::is_stamp(&Time(1_795_000_000_000_000).stamp()));
    }
}
