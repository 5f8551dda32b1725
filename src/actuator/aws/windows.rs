//! The times in which AWS itself works on a database instance, as AWS says them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::{Account, rds};
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3502, E3510};
use crate::model::{Evidence, SiteName, Time, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::AwsRdsWindows;

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(in crate::actuator) fn check(
    wire: Arc<Wire>,
    call: Call,
    with: AwsRdsWindows,
) -> Box<dyn Check> {
    Box::new(Windows { wire, call, with })
}

#[derive(Debug)]
struct Windows {
    wire: Arc<Wire>,
    call: Call,
    with: AwsRdsWindows,
}

#[async_trait]
impl Check for Windows {
    async fn look(&self) -> Finding {
        let mut evidence = Vec::new();
        let (mut free, mut seen) = (true, true);
        for site in self.call.workflow.sites.keys() {
            match self.look_at(site).await {
                Ok((good, read)) => {
                    free &= good;
                    evidence.extend(read);
                }
                Err(trouble) => {
                    seen = false;
                    evidence.push(trouble.evidence(&self.wire));
                }
            }
        }
        let verdict = match (free, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl Windows {
    async fn look_at(&self, site: &SiteName) -> Result<(bool, Vec<Evidence>), Trouble> {
        let account = Account::open(&self.wire, &self.call.workflow, site).await?;
        let source = format!("aws rds {}", account.region);
        let (name, instance) = rds::declared(&account, &self.call.workflow, site).await?;
        let now = minute_of_week(self.wire.clock.now());
        // Rounded up: a run that lasts half a minute longer meets the window all the same.
        let lasts = (self.with.lasts.as_seconds() + 59) / 60;
        let texts = [
            ("backup", instance.preferred_backup_window()),
            ("maintenance", instance.preferred_maintenance_window()),
        ];
        let (mut free, mut evidence) = (true, vec![]);
        for (what, text) in texts {
            let window = text.and_then(Window::parse);
            let (Some(text), Some(window)) = (text, window) else {
                let says = format!("{name} does not say when its {what} window is");
                return Err(Trouble::harmless(&E3502, &source, says));
            };
            let minutes = window.until(now);
            if minutes < lasts {
                free = false;
                let when =
                    if minutes <= 0 { "is now".into() } else { format!("is in {minutes} minutes") };
                let says = format!("the {what} window of {name}, {text} UTC, {when}");
                evidence.push(coded(&self.wire, &E3510, &source, says));
            } else {
                let says =
                    format!("the {what} window of {name}, {text} UTC, is in {minutes} minutes");
                evidence.push(self.wire.evidence_with(
                    &source,
                    says,
                    json!({ "minutes": minutes }),
                ));
            }
        }
        Ok((free, evidence))
    }
}

/// A stretch that comes again each day, or each week when days are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: i64,
    length: i64,
    every: i64,
}

impl Window {
    /// `03:00-06:00`, `mon:00:00-mon:03:00`.
    fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let every = if from.matches(':').count() == 2 { WEEK } else { DAY };
        let (start, end) = (minute(from)?, minute(to)?);
        let length = (end - start).rem_euclid(every);
        Some(Self { start, length, every })
    }

    /// Minutes until it starts; none or fewer while it is open.
    const fn until(self, now: i64) -> i64 {
        let since = (now - self.start).rem_euclid(self.every);
        if since < self.length { 0 } else { self.every - since }
    }
}

/// Of the day, or of the week.
fn minute(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (day, hour, minute) = match parts.as_slice() {
        [hour, minute] => (0, hour, minute),
        [day, hour, minute] => {
            let at = DAYS.iter().position(|it| day.eq_ignore_ascii_case(it))?;
            (i64::try_from(at).ok()?, hour, minute)
        }
        _ => return None,
    };
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(day * DAY + hour * 60 + minute)
}

/// Minutes since Monday 00:00 UTC.
fn minute_of_week(now: Time) -> i64 {
    // The epoch was a Thursday.
    (now.0.div_euclid(60_000_000) + 3 * DAY).rem_euclid(WEEK)
}

#[cfg(test)]
mod tests {
    use super::{DAY, Time, Window, minute_of_week};

    fn until(text: &str, time: &str) -> i64 {
        Window::parse(text).unwrap().until(minute_of_week(Time::parse(time).unwrap()))
    }

    #[test]
    fn of_days_and_weeks() {
        assert_eq!(until("03:00-06:00", "2026-11-21T02:00:00Z"), 60);
        assert_eq!(until("03:00-06:00", "2026-11-21T05:59:00Z"), 0);
        assert_eq!(until("03:00-06:00", "2026-11-21T06:00:00Z"), 21 * 60);
        assert_eq!(until("23:30-00:30", "2026-11-21T00:10:00Z"), 0);
        assert_eq!(until("mon:00:00-mon:03:00", "2026-11-22T23:00:00Z"), 60);
        assert_eq!(until("sun:23:30-mon:00:30", "2026-11-23T00:10:00Z"), 0);
        assert_eq!(until("mon:00:00-mon:03:00", "2026-11-23T03:00:00Z"), 7 * DAY - 180);
    }

    #[test]
    fn refuses_what_is_not_a_window() {
        for text in ["", "03:00", "moon:00:00-mon:03:00", "25:00-26:00", "a:b-c:d"] {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }
}
