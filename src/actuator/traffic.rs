//! `traffic` and `drained`: how many of their users' requests the two sites get. DNS is a request and not a
//! switch, so what tells whether users have moved is who still comes to the old side.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::actuator::host::Machine;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::actuator::{Wire, dns, http, site};
use crate::fault::{E3801, E3911, E3912, E3913};
use crate::machine::{Counted, Fact, RegionName, region_of};
use crate::model::{Evidence, Kind, SiteName, Verdict, Way};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::{Drained, Traffic};
use crate::workflow::{Counter, Lasting};

/// Runs the counting command.
const COUNT: &str = include_str!("host/count.sh");

/// Requests so far, by site.
type Counts = BTreeMap<SiteName, u64>;

/// What was read while a step waited, by the time of this process. A new process counts anew.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<Vec<(Duration, Counts)>>);

pub(super) fn check(wire: Arc<Wire>, call: Call, _: Traffic) -> Box<dyn Check> {
    Box::new(Meter { wire, call })
}

pub(super) fn drained(
    wire: Arc<Wire>,
    call: Call,
    with: Drained,
    readings: Arc<Readings>,
) -> Box<dyn Check> {
    Box::new(Drain { meter: Meter { wire, call }, with, readings })
}

#[derive(Debug)]
struct Meter {
    wire: Arc<Wire>,
    call: Call,
}

#[derive(Debug)]
struct Drain {
    meter: Meter,
    with: Drained,
    readings: Arc<Readings>,
}

#[async_trait]
impl Check for Meter {
    /// Counts for a while. It judges nothing: it passes when both sites could be counted.
    async fn look(&self) -> Finding {
        let (mut evidence, mut facts) = self.caches().await;
        let counted = async {
            let before = self.counts().await?;
            let began = self.wire.clock.monotonic();
            self.wire.clock.sleep(self.call.workflow.limits.counting.0).await;
            let after = self.counts().await?;
            let lasted = self.wire.clock.monotonic().saturating_sub(began);
            self.between(&before, &after, lasted)
        };
        let verdict = match counted.await {
            Ok(counted) => {
                evidence.push(self.told(&counted));
                facts.extend(facts_of(counted));
                Verdict::Pass
            }
            Err(trouble) => {
                evidence.push(trouble.evidence(&self.wire));
                // It was asked and answers rubbish: asking again will not help.
                if trouble.code == &E3913 { Verdict::Fail } else { Verdict::Unknown }
            }
        };
        Finding { verdict, evidence, facts }
    }
}

impl Meter {
    /// What both sites have got so far.
    async fn counts(&self) -> Result<Counts, Trouble> {
        let (production, standby) = (&self.call.production, &self.call.standby);
        let (here, there) = tokio::join!(self.count(production), self.count(standby));
        Ok(Counts::from([(production.clone(), here?), (standby.clone(), there?)]))
    }

    async fn count(&self, on: &SiteName) -> Result<u64, Trouble> {
        let workflow = &self.call.workflow;
        let unfilled = |says: String| Trouble::harmless(&E3801, "workflow", says);
        let (source, text) = match &workflow.counter {
            None => return Err(unfilled("the workflow declares no counter".to_owned())),
            Some(Counter::Command(it)) => {
                let machine = Machine::of(workflow, on, &it.host)?;
                let argv = it.argv.iter().map(|arg| site::for_site(workflow, on, arg));
                let argv: Vec<String> = argv.collect::<Result<_, _>>().map_err(unfilled)?;
                let mut args = vec![machine.cwd.as_str()];
                args.extend(argv.iter().map(String::as_str));
                let output = machine.run(&self.wire, workflow, "count", COUNT, &args).await?;
                (machine.source(), output.good(&machine.source())?)
            }
            Some(Counter::Page(it)) => {
                let url = site::for_site(workflow, on, &it.url).map_err(unfilled)?;
                let own = self.call.record.addresses.get(on);
                let at = it.at.as_ref().map(|at| {
                    own.and_then(|own| own.get(at.as_str()))
                        .ok_or_else(|| unfilled(format!("the address `{at}` of {on} is not known")))
                });
                let at = at.transpose()?.map(String::as_str);
                let deadline = workflow.limits.call.0;
                let answer = http::get(&self.wire, &url, at, deadline).await;
                let bad = |says: String| Trouble::harmless(&E3911, &format!("http {url}"), says);
                let answer = answer.map_err(|missing| bad(missing.to_string()))?;
                if answer.status != 200 {
                    return Err(bad(format!("answered {}", answer.status)));
                }
                (format!("http {url}"), answer.text())
            }
        };
        number(&text).ok_or_else(|| {
            let shown: String = text.trim().chars().take(60).collect();
            Trouble::harmless(&E3913, &source, format!("{on}: `{shown}` is no number of requests"))
        })
    }

    /// What came in between two readings.
    fn between(
        &self,
        before: &Counts,
        after: &Counts,
        lasted: Duration,
    ) -> Result<BTreeMap<SiteName, Counted>, Trouble> {
        let (at, lasted_ms) = (self.wire.clock.now(), u64::try_from(lasted.as_millis()));
        let lasted_ms = lasted_ms.unwrap_or(u64::MAX);
        let each = after.iter().map(|(site, now)| {
            let then = before.get(site).copied().unwrap_or(0);
            let requests = now.checked_sub(then).ok_or_else(|| {
                let says = format!("the count of {site} went back from {then} to {now}");
                Trouble::harmless(&E3911, "counter", says)
            })?;
            Ok((site.clone(), Counted { at, requests, lasted_ms }))
        });
        each.collect()
    }

    fn told(&self, counted: &BTreeMap<SiteName, Counted>) -> Evidence {
        let all: u64 = counted.values().map(|it| it.requests).sum();
        let each = counted.iter().map(|(site, it)| {
            format!("{site} gets {} requests/min ({})", it.per_minute(), share(it.requests, all))
        });
        let lasted = counted.values().map(|it| it.lasted_ms).max().unwrap_or(0);
        let lasted = Duration::from_millis(lasted);
        let says =
            format!("{}, counted for {}", each.collect::<Vec<_>>().join(", "), Lasting(lasted));
        let data: BTreeMap<&SiteName, Value> = counted
            .iter()
            .map(|(site, it)| (site, json!({ "requests": it.requests, "ms": it.lasted_ms })))
            .collect();
        self.wire.evidence_with("counter", says, json!(data))
    }

    /// How long resolvers may go on sending users to the old side; asked once users have been moved.
    async fn caches(&self) -> (Vec<Evidence>, Vec<Fact>) {
        let call = &self.call;
        if region_of(call.at.phase) == RegionName::Preparing || !moves_users(call) {
            return (vec![], vec![]);
        }
        let own = call.record.addresses.get(&call.production);
        let wanted: Vec<(&str, IpAddr)> = call
            .workflow
            .records(call.at.kind)
            .iter()
            .filter_map(|record| {
                let address = own?.get(record.id.as_str())?.parse().ok()?;
                Some((record.production.as_str(), address))
            })
            .collect();
        let it = dns::confirm::remembered(&self.wire, &wanted, 0).await;
        // What an authority gave at the swap bounds what a resolver is given when it asks again.
        let ttl = call.record.caches.as_ref().map_or(it.ttl, |before| it.ttl.max(before.ttl));
        (vec![it.evidence], vec![Fact::Remembered { old: it.old, ttl }])
    }
}

#[async_trait]
impl Check for Drain {
    async fn look(&self) -> Finding {
        let (wire, call) = (&self.meter.wire, &self.meter.call);
        if !moves_users(call) {
            let says = "nobody is waited for: users are where they were, or their old side is lost";
            return finding(Verdict::Pass, vec![wire.evidence("changeover", says)]);
        }
        let counts = match self.meter.counts().await {
            Ok(counts) => counts,
            Err(trouble) if call.goes_without(&call.standby) => {
                let says =
                    format!("nobody is waited for: this run goes on without {}", call.standby);
                return finding(
                    Verdict::Pass,
                    vec![trouble.evidence(wire), wire.evidence("changeover", says)],
                );
            }
            Err(trouble) => return trouble.finding(wire),
        };
        let now = wire.clock.monotonic();
        let Some((then, before)) = self.readings.window(now, &counts, self.with.r#for.0) else {
            let says = "the count begins anew";
            return finding(Verdict::Unknown, vec![coded(wire, &E3911, "counter", says)]);
        };
        let lasted = now.saturating_sub(then);
        match self.meter.between(&before, &counts, lasted) {
            Ok(counted) => self.judged(counted, lasted >= self.with.r#for.0),
            Err(trouble) => trouble.finding(wire),
        }
    }
}

impl Drain {
    fn judged(&self, counted: BTreeMap<SiteName, Counted>, long: bool) -> Finding {
        let (wire, old) = (&self.meter.wire, &self.meter.call.standby);
        let all: u64 = counted.values().map(|it| it.requests).sum();
        let left = counted.get(old).map_or(0, |it| it.requests);
        let few = self.with.below.exceeds(left, all);
        let mut evidence = vec![self.meter.told(&counted)];
        let rule = format!("below {} for {}", self.with.below, self.with.r#for);
        let verdict = if few && long {
            evidence.push(wire.evidence("counter", format!("{old} is drained: {rule}")));
            Verdict::Pass
        } else {
            let why = if few { "not counted for long enough yet" } else { "users still come" };
            let says = format!(
                "{old} must be {rule}: {why}; a person who knows better says so: \
                 changeover run skip {step} --reason TEXT, while this waits \
                 changeover release next --waive {step} --reason TEXT",
                step = self.meter.call.step
            );
            evidence.push(coded(wire, &E3912, "counter", says));
            Verdict::Fail
        };
        Finding { verdict, evidence, facts: facts_of(counted) }
    }
}

impl Readings {
    /// Keeps this reading, and gives the latest one that is old enough, else the oldest. `None` when the
    /// count of a site went back: what came before says nothing any more.
    fn window(
        &self,
        now: Duration,
        counts: &Counts,
        lasting: Duration,
    ) -> Option<(Duration, Counts)> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let back = kept.last().is_some_and(|(_, last)| {
            counts.iter().any(|(site, now)| last.get(site).is_some_and(|then| now < then))
        });
        if back {
            kept.clear();
        }
        kept.push((now, counts.clone()));
        let enough = kept.iter().rposition(|it| now.saturating_sub(it.0) >= lasting);
        if let Some(enough) = enough {
            kept.drain(..enough);
        }
        kept.first().cloned().filter(|_| !back)
    }
}

/// Whether this walk moved users from a side that still answers.
fn moves_users(call: &Call) -> bool {
    match call.at.kind {
        Kind::Release | Kind::Switchover => call.at.way == Way::Forth,
        Kind::Failover | Kind::Rejoin | Kind::Drill => false,
    }
}

fn facts_of(counted: BTreeMap<SiteName, Counted>) -> Vec<Fact> {
    let fact = |(site, it): (SiteName, Counted)| Fact::Counted {
        site,
        requests: it.requests,
        lasted_ms: it.lasted_ms,
    };
    counted.into_iter().map(fact).collect()
}

/// `0.4 %`, in tenths, never 0 for something.
fn share(part: u64, all: u64) -> String {
    let tenths = part.saturating_mul(1000).div_ceil(all.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A number, or JSON that has one as `requests`.
fn number(text: &str) -> Option<u64> {
    let value: Value = serde_json::from_str(text.trim()).ok()?;
    value.as_u64().or_else(|| value.get("requests")?.as_u64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Counts, Readings, number, share};

    fn counts(old: u64, new: u64) -> Counts {
        Counts::from([("hk".into(), old), ("sydney".into(), new)])
    }

    #[test]
    fn a_count_is_a_number_or_json() {
        assert_eq!(number(" 12\n"), Some(12));
        assert_eq!(number("{\"requests\": 7, \"since\": \"boot\"}"), Some(7));
        for text in ["", "-1", "1.5", "12 requests", "{}", "null", "\"12\""] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn a_share_never_hides_somebody() {
        assert_eq!(share(0, 0), "0.0 %");
        assert_eq!(share(1, 1_000_000), "0.1 %");
        assert_eq!(share(1, 8), "12.5 %");
    }

    #[test]
    fn the_window_is_as_long_as_it_must_be_and_no_longer() {
        let (kept, second) = (Readings::default(), Duration::from_secs);
        let at = |now, old| kept.window(second(now), &counts(old, 0), second(10));
        assert_eq!(at(0, 5), Some((second(0), counts(5, 0))));
        assert_eq!(at(6, 9), Some((second(0), counts(5, 0))), "too short yet");
        assert_eq!(at(12, 9), Some((second(0), counts(5, 0))));
        assert_eq!(at(17, 9), Some((second(6), counts(9, 0))), "the early users are forgotten");
        assert_eq!(at(18, 3), None, "a count that goes back begins anew");
        assert_eq!(at(29, 4), Some((second(18), counts(3, 0))));
    }
}
