//! What going back would cost now: seconds and lost writes, and where the way back ends. One value and one
//! sentence for every face.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::{Life, Line, Record, RegionName, region_of};
use crate::model::{Kind, Phase, StepId, Time, Way};
use crate::view::story::stories;
use crate::view::words::{Mark, count, lasting, minute};

/// What going back loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Loses {
    /// No write was allowed since users were moved.
    Nothing,
    /// Every write made on the site that users were moved to.
    Writes {
        /// Since then; `None` when they are about to be allowed.
        since: Option<Time>,
        /// At least so many rows; `None` when nobody has counted.
        rows: Option<u64>,
    },
}

/// The way back, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// Whether there is one.
    pub possible: bool,
    /// Until the last user is back, seconds: the steps as this run's way forth took them, and the TTL that
    /// caches hold. `None` when nobody has measured it.
    pub seconds: Option<i64>,
    /// What it loses.
    pub loses: Loses,
    /// Why, one clause.
    pub because: String,
    /// The next phase that makes it dearer or ends it: `lift` makes it cost writes, `renew` ends it.
    pub until: Option<Phase>,
    /// All of it in one sentence.
    pub says: String,
}

impl WayBack {
    /// There is nothing to go back from, or no way any more.
    pub fn none(says: String) -> Self {
        let because = says.clone();
        Self { possible: false, seconds: None, loses: Loses::Nothing, because, until: None, says }
    }
}

/// What going back would cost: now, or once this phase has been done. `took` has the seconds of steps.
pub fn way_back(life: &Life, after: Option<Phase>, took: &BTreeMap<StepId, i64>) -> WayBack {
    let record = &life.record;
    let run = record.run.as_ref();
    let back = life.state.at().is_some_and(|at| at.way != Way::Forth);
    if let (true, Some(run)) = (back, run) {
        let says = "nothing to go back from: users stay on or return to";
        return WayBack::none(format!("{says} {}", run.production));
    }
    let Some(phase) = after.or_else(|| life.state.at().map(|at| at.phase)) else {
        return WayBack::none("nothing to go back from: no run is open".to_owned());
    };
    let old = run.map_or("the old site", |run| run.production.as_str());
    let new = run.map_or("the new production", |run| run.standby.as_str());
    // What the last run replaced is no matter of the next one.
    let renewed = record.renewed && run.is_some();
    if renewed || matches!(phase, Phase::Renew | Phase::SyncOn) {
        let says = format!("no way back: {old}'s data is replaced; start a release instead");
        return WayBack::none(says);
    }
    if region_of(phase) == RegionName::Preparing {
        let because = "users have not been moved; abort puts back what was changed".to_owned();
        let says = format!("free: {because}; it costs writes from lift on and ends with renew");
        return WayBack {
            possible: true,
            seconds: Some(0),
            loses: Loses::Nothing,
            because,
            until: Some(Phase::Lift),
            says,
        };
    }
    let given_up = run.is_some_and(|run| run.kind == Kind::Failover);
    let (seconds, time) = lasts(life, took);
    if record.writes_since_swap || record.half_given_up() || after == Some(Phase::Lift) {
        let written = written(record, new);
        return WayBack {
            possible: true,
            seconds,
            loses: written.0,
            because: format!("every write {} is lost", written.1),
            until: Some(if given_up { Phase::Lift } else { Phase::Renew }),
            says: format!(
                "costs every write {}; users go back to {old}{time}; it ends with {}",
                written.1,
                if given_up { "this run" } else { "renew" }
            ),
        };
    }
    let because = "no write was allowed since".to_owned();
    let says = format!(
        "free: {because}; users go back to {old}{time}; it costs writes from lift on and ends with renew"
    );
    let until = Some(Phase::Lift);
    WayBack { possible: true, seconds, loses: Loses::Nothing, because, until, says }
}

/// The writes that would be lost, and the words for them.
fn written(record: &Record, new: &str) -> (Loses, String) {
    // After a failover the new production may take writes as soon as users are there.
    let entered = record.run.as_ref().and_then(|run| {
        let early = run.entered.get(&Phase::Sanity).filter(|_| run.kind == Kind::Failover);
        early.or_else(|| run.entered.get(&Phase::Lift)).copied()
    });
    let since = entered.filter(|_| record.writes_since_swap);
    let rows = record.rows_since().filter(|_| since.is_some());
    let says = match (since, rows) {
        (None, _) => format!("made on {new} since writes were allowed there"),
        (Some(since), None) => {
            format!("made on {new} since {} UTC, how many is not known", minute(since))
        }
        (Some(since), Some(rows)) => {
            let rows = count(usize::try_from(rows).unwrap_or(usize::MAX), "row");
            format!("made on {new} since {} UTC, at least {rows}", minute(since))
        }
    };
    (Loses::Writes { since, rows }, says)
}

/// How long users take to be back: the swap's steps, then what caches hold.
fn lasts(life: &Life, took: &BTreeMap<StepId, i64>) -> (Option<i64>, String) {
    let steps = life.rules.phase(Phase::Swap).map(|it| it.steps.as_slice()).unwrap_or_default();
    let measured: Vec<i64> = steps.iter().filter_map(|id| took.get(id).copied()).collect();
    let caches = life.record.caches.as_ref().map(|it| i64::from(it.ttl));
    let (false, Some(caches)) = (measured.is_empty(), caches) else {
        return (None, " (how long that takes nobody has measured yet)".to_owned());
    };
    let steps: i64 = measured.iter().sum();
    let all = steps + caches;
    let time = format!(
        " in about {} ({} of steps, {} in caches)",
        lasting(all),
        lasting(steps),
        lasting(caches)
    );
    (Some(all), time)
}

/// How long each step took on the last way forth that did it, seconds.
pub fn measured(lines: &[Line]) -> BTreeMap<StepId, i64> {
    let mut took = BTreeMap::new();
    for story in stories(lines) {
        for passage in story.passages.iter().filter(|it| it.way == Way::Forth) {
            for step in passage.steps.iter().filter(|it| it.mark == Mark::Done) {
                if let Some(ended) = step.ended {
                    took.insert(step.id.clone(), ended.seconds_since(step.began));
                }
            }
        }
    }
    took
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::way_back;
    use crate::machine::{Life, Record};
    use crate::model::Phase;

    #[test]
    fn a_run_that_is_over_takes_no_way_back_from_the_next_one() {
        let record = Record { renewed: true, ..Record::default() };
        let life = Life { record, ..Life::default() };
        let now = way_back(&life, Some(Phase::Preflight), &BTreeMap::new());
        assert!(now.possible && now.says.starts_with("free: "), "{now:?}");
    }
}
