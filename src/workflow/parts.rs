//! Small values of the file: durations and references to secrets.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration as people write it: `15m`, `1h 30m`, `50ms`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lasting(pub Duration);

impl Lasting {
    /// This many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Whole seconds, rounded down.
    pub fn as_seconds(self) -> i64 {
        i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = jiff::SignedDuration::try_from(self.0).unwrap_or(jiff::SignedDuration::MAX);
        write!(f, "{signed:#}")
    }
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Lasting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A day of a wait is 24 hours; the library leaves days to calendars.
        let days = text.strip_suffix('d').and_then(|it| it.trim_end().parse::<u64>().ok());
        if let Some(seconds) = days.and_then(|it| it.checked_mul(24 * 60 * 60)) {
            return Ok(Self::seconds(seconds));
        }
        let signed: jiff::SignedDuration = text
            .parse()
            .map_err(|_| de::Error::custom(format!("`{text}` is not a duration such as `15m`")))?;
        Duration::try_from(signed)
            .map(Self)
            .map_err(|_| de::Error::custom(format!("`{text}` is negative")))
    }
}

impl JsonSchema for Lasting {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration such as `15m`, `1h 30m`, `50ms`.",
            "pattern": "^[0-9]+ ?[a-z]+( [0-9]+ ?[a-z]+)*$"
        })
    }
}

/// A share as people write it: `0.1%`. Kept in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

impl Share {
    /// Whether this many of all is below it. None at all is below every share.
    pub fn exceeds(self, part: u64, all: u64) -> bool {
        let (part, all) = (u128::from(part), u128::from(all));
        part == 0 || part * 1_000_000 < u128::from(self.0) * all
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        let rest = format!("{rest:04}");
        let rest = rest.trim_end_matches('0');
        if rest.is_empty() { write!(f, "{whole}%") } else { write!(f, "{whole}.{rest}%") }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a share such as `0.1%`");
        let number = text.strip_suffix('%').ok_or_else(wrong)?.trim();
        let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        if !digits(whole) || !digits(rest) || rest.len() > 4 {
            return Err(wrong());
        }
        let all: u32 = format!("{whole}{rest:0<4}").parse().map_err(|_| wrong())?;
        if all > 1_000_000 { Err(wrong()) } else { Ok(Self(all)) }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A share such as `0.1%`, at most four digits behind the point.",
            "pattern": "^[0-9]{1,3}([.][0-9]{1,4})?%$"
        })
    }
}

/// Where a secret is found. The file never holds the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Secret {
    /// In this environment variable.
    Env(String),
    /// In this file; a trailing line break does not count.
    File(String),
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn shares_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Share>();
        for text in ["0.1%", "0%", "100%", "12.5%", "0.0001%"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        for text in ["", "%", "0.1", "-1%", "100.1%", "1.23456%", ".1%", "1.%", "1e3%"] {
            assert!(read(text).is_err(), "{text}");
        }
        let least = read("0.1%").unwrap();
        assert!(least.exceeds(0, 0) && least.exceeds(9, 10_000));
        assert!(!least.exceeds(10, 10_000) && !least.exceeds(1, 1));
    }
}
