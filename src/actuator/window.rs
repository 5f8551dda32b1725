//! The times in which nothing is started.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::trouble::{coded, finding};
use crate::fault::E3901;
use crate::model::{Time, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::Closed;

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

pub(super) fn check(wire: Arc<Wire>, call: Call, _: Closed) -> Box<dyn Check> {
    Box::new(Windows { wire, call })
}

#[derive(Debug)]
struct Windows {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Windows {
    async fn look(&self) -> Finding {
        let closed = &self.call.workflow.closed;
        let now = minute_of_week(self.wire.clock.now());
        let mut next: Option<(i64, &str)> = None;
        for text in closed {
            let Some(window) = Window::parse(text) else {
                let says = format!("`{text}` is not a window such as `03:00-06:00`");
                return finding(
                    Verdict::Unknown,
                    vec![coded(&self.wire, &E3901, "workflow", says)],
                );
            };
            let (inside, minutes) = window.at(now);
            if inside {
                let says = format!("now is inside {text} UTC, for {minutes} more minutes");
                let mut evidence = coded(&self.wire, &E3901, "clock", says);
                evidence.data["ends_in_minutes"] = json!(minutes);
                return finding(Verdict::Fail, vec![evidence]);
            }
            if next.is_none_or(|(soonest, _)| minutes < soonest) {
                next = Some((minutes, text));
            }
        }
        let evidence = match next {
            Some((minutes, text)) => {
                let says = format!("the next closed window, {text} UTC, is in {minutes} minutes");
                self.wire.evidence_with("clock", says, json!({ "minutes": minutes }))
            }
            None => self.wire.evidence("workflow", "no window is closed"),
        };
        finding(Verdict::Pass, vec![evidence])
    }
}

/// A stretch of minutes that comes again each day or week; the last minute is not inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: i64,
    length: i64,
    every: i64,
}

impl Window {
    /// Reads `03:00-06:00` or `Mon 00:00-03:00`. An end not after the start lies on the next day.
    fn parse(text: &str) -> Option<Self> {
        let (day, times) = match text.split_once(' ') {
            Some((day, times)) => (Some(DAYS.iter().position(|it| *it == day)?), times),
            None => (None, text),
        };
        let (from, to) = times.trim().split_once('-')?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        let length = (to - from).rem_euclid(DAY);
        let length = if length == 0 { DAY } else { length };
        let every = if day.is_some() { WEEK } else { DAY };
        let start = day.map_or(Some(0), |it| i64::try_from(it).ok())? * DAY + from;
        Some(Self { start, length, every })
    }

    /// Whether this minute of the week is inside, and the minutes to its end or to its next start.
    const fn at(self, minute: i64) -> (bool, i64) {
        let since = (minute - self.start).rem_euclid(self.every);
        if since < self.length { (true, self.length - since) } else { (false, self.every - since) }
    }
}

fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok())?;
    let (hour, minute) = (i64::from(two(hour)?), i64::from(two(minute)?));
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

/// Minutes since Monday 00:00 UTC.
fn minute_of_week(now: Time) -> i64 {
    // The epoch was a Thursday.
    (now.0.div_euclid(60_000_000) + 3 * DAY).rem_euclid(WEEK)
}

#[cfg(test)]
mod tests {
    use super::{DAY, Time, Window, minute_of_week};

    fn at(text: &str, time: &str) -> (bool, i64) {
        Window::parse(text).unwrap().at(minute_of_week(Time::parse(time).unwrap()))
    }

    #[test]
    fn daily() {
        assert_eq!(at("03:00-06:00", "2026-11-21T02:59:59Z"), (false, 1));
        assert_eq!(at("03:00-06:00", "2026-11-21T03:00:00Z"), (true, 180));
        assert_eq!(at("03:00-06:00", "2026-11-21T06:00:00Z"), (false, 21 * 60));
    }

    #[test]
    fn across_midnight_and_the_week() {
        assert_eq!(at("23:00-01:00", "2026-11-21T00:30:00Z"), (true, 30));
        assert_eq!(at("Sun 23:00-01:00", "2026-11-23T00:30:00Z"), (true, 30));
        assert!(!at("Sun 23:00-01:00", "2026-11-24T00:30:00Z").0);
        assert_eq!(at("Mon 00:00-03:00", "2026-11-23T00:00:00Z"), (true, 180));
        assert_eq!(at("Mon 00:00-03:00", "2026-11-22T23:00:00Z"), (false, 60));
        assert_eq!(at("22:00-24:00", "2026-11-22T23:59:00Z"), (true, 1));
        assert_eq!(at("00:00-00:00", "2026-11-22T12:00:00Z").1, DAY / 2);
    }

    #[test]
    fn refuses_what_is_not_a_window() {
        for text in ["", "3:00-6:00", "25:00-26:00", "Moon 01:00-02:00", "01:00", "01:60-02:00"] {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }
}
