//! Words and marks that every picture shares.

use serde::Serialize;

use crate::machine::At;
use crate::model::{Kind, Phase, Time, Way};

/// How something stands, as one sign and one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Its end was seen to be true.
    Done,
    /// It is worked on.
    Doing,
    /// It failed in a known state.
    Failed,
    /// Nobody knows.
    Unknown,
    /// It waits for people.
    Waiting,
    /// It has not begun.
    ToCome,
    /// It does nothing here.
    Skipped,
}

impl Mark {
    /// The sign on screens.
    pub const fn sign(self, ascii: bool) -> &'static str {
        if ascii {
            return match self {
                Self::Done => "+",
                Self::Doing => "*",
                Self::Failed => "x",
                Self::Unknown => "?",
                Self::Waiting => "=",
                Self::ToCome => ".",
                Self::Skipped => "-",
            };
        }
        match self {
            Self::Done => "✔",
            Self::Doing => "◐",
            Self::Failed => "✖",
            Self::Unknown => "?",
            Self::Waiting => "⏸",
            Self::ToCome => "○",
            Self::Skipped => "–",
        }
    }

    /// The word beside the sign: no meaning hangs on a sign or a colour alone.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Doing => "doing",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Waiting => "waiting",
            Self::ToCome => "to come",
            Self::Skipped => "skipped",
        }
    }
}

/// A duration in the two largest units that matter: `12s`, `4m 12s`, `2h 41m`, `7d 4h`.
pub fn lasting(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    let two = |large: i64, unit: &str, small: i64, lesser: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{lesser}") }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, minutes) => two(minutes, "m", rest, "s"),
        (0, hours, minutes) => two(hours, "h", minutes, "m"),
        (days, hours, _) => two(days, "d", hours, "h"),
    }
}

/// A short duration given in milliseconds: `0.4s` under ten seconds, else as [`lasting`].
pub fn took(milliseconds: u64) -> String {
    if milliseconds < 10_000 {
        return format!("{}.{}s", milliseconds / 1000, milliseconds % 1000 / 100);
    }
    lasting(i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX))
}

/// From `then` to `now`: `3m ago`.
pub fn ago(now: Time, then: Time) -> String {
    format!("{} ago", lasting(now.seconds_since(then)))
}

/// What a time ahead or behind is from now: `in 21h`, `2m ago`.
pub fn from_now(now: Time, then: Time) -> String {
    if then > now {
        return format!("in {}", lasting(then.seconds_since(now)));
    }
    ago(now, then)
}

/// `2026-11-21 14:02`, for screens that need no seconds.
pub fn minute(time: Time) -> String {
    time.screen().chars().take(16).collect()
}

/// One of something, or several: `1 step`, `3 steps`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// What a phase is for, as a clause.
pub const fn purpose(phase: Phase, way: Way) -> &'static str {
    match (phase, way) {
        (Phase::Preflight, _) => "looks at everything and changes nothing",
        (Phase::Deploy, _) => "puts the release onto the standby",
        (Phase::Embargo, _) => "refuses writes on production",
        (Phase::SyncOff, _) => "switches the jobs off that write into a site",
        (Phase::Backup, _) => "copies production's data",
        (Phase::Reset, _) => "loads that copy into the standby",
        (Phase::Validate, _) => "checks the standby, then asks people",
        (Phase::Assess, _) => "finds out what is lost and what is ready",
        (Phase::Fence, _) => "takes away the lost site's power to act",
        (Phase::Swap, Way::Back) => "moves users back",
        (Phase::Swap, Way::Forth | Way::Abort) => "moves users",
        (Phase::Sanity, _) => "checks production's names",
        (Phase::Soak, _) => "keeps the old site warm; the way back is free",
        (Phase::Lift, _) => "allows writes on production",
        (Phase::Renew, _) => "gives the standby production's release and data",
        (Phase::SyncOn, _) => "switches the jobs on in the new direction",
    }
}

/// The same at a place: what a release keeps free, a failover does not.
pub const fn purpose_at(at: At) -> &'static str {
    match (at.kind, at.phase) {
        (Kind::Failover, Phase::Soak) => "waits until people have looked",
        (Kind::Drill, Phase::Swap) => match at.way {
            Way::Back => "moves the drill's names back",
            Way::Forth | Way::Abort => "moves the drill's names; users stay",
        },
        (Kind::Drill, Phase::Sanity) => "checks the drill's names",
        (Kind::Release | Kind::Switchover | Kind::Failover | Kind::Rejoin | Kind::Drill, _) => {
            purpose(at.phase, at.way)
        }
    }
}

/// A run in few words: `release v4.4.0`, `switchover`.
pub fn run_name(kind: Kind, version: Option<&str>) -> String {
    version.map_or_else(|| kind.name().to_owned(), |version| format!("{} {version}", kind.name()))
}

/// The way's name in a heading, empty on the way forth.
pub const fn way_name(way: Way) -> &'static str {
    match way {
        Way::Forth => "",
        Way::Back => "going back",
        Way::Abort => "given up",
    }
}

/// A phase with its way where that is not forth: `swap`, `swap (going back)`.
pub fn named(phase: Phase, way: Way) -> String {
    match way {
        Way::Forth => phase.name().to_owned(),
        Way::Back | Way::Abort => format!("{} ({})", phase.name(), way_name(way)),
    }
}

/// A word as a POSIX shell reads it back: in every line that people are given to paste.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("--as"), "--as");
        assert_eq!(quoted("it's broken"), r"'it'\''s broken'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("$(x)"), "'$(x)'");
    }
}
