//! The world of a rehearsal: in memory, without any call outside. Each step answers after the time it usually takes,
//! well, unless a person ordered otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::app::rehearse::Trouble;
use crate::clock::StagedClock;
use crate::conductor::made_true;
use crate::machine::Fact;
use crate::model::{
    About, Change, Evidence, Kind, OpId, Owned, Says, Seer, Sight, SiteName, StepId, Verb, Verdict,
    Way, Witness,
};
use crate::port::{
    Action, Asked, Call, Check, Clock, Finding, Seen, Sent, Survey, Testimony, World,
};
use crate::workflow::Workflow;
use crate::workflow::step::{Expect, Params};

/// How many times longer a step takes that was ordered to be slow.
const SLOW: u32 = 10;

/// What a rehearsal begins with.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) clock: StagedClock,
    /// The site users are on.
    pub(super) production: SiteName,
    /// The release each site answers with.
    pub(super) releases: BTreeMap<SiteName, String>,
    /// How long steps take, where earlier runs tell.
    pub(super) takes: BTreeMap<StepId, i64>,
    /// The same for all clones.
    pub(super) so: Arc<Mutex<So>>,
}

/// What has become so.
#[derive(Debug, Default)]
pub(super) struct So {
    /// Effects that were applied.
    done: BTreeSet<OpId>,
    /// Requests that got no answer.
    dark: BTreeSet<OpId>,
    /// The site that an incident has taken.
    pub(super) lost: Option<SiteName>,
    /// What goes wrong, as a person ordered it.
    pub(super) faults: BTreeMap<StepId, Trouble>,
    /// Faults that were met.
    pub(super) met: BTreeSet<StepId>,
}

impl Stage {
    pub(super) fn so(&self) -> MutexGuard<'_, So> {
        self.so.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a step usually takes: by earlier runs, else a second for a look and half a minute for a deed, or
    /// half of what it may take where that is less.
    fn takes(&self, call: &Call, is_check: bool) -> Duration {
        let assumed = Duration::from_secs(if is_check { 1 } else { 30 }).min(call.timeout / 2);
        let measured = self.takes.get(&call.step).and_then(|it| u64::try_from(*it).ok());
        measured.map_or(assumed, Duration::from_secs)
    }

    fn evidence(&self, says: String) -> Evidence {
        let (source, at) = ("rehearsal".to_owned(), self.clock.now());
        Evidence { source, at, says, data: Value::Null }
    }
}

struct Played {
    stage: Stage,
    call: Call,
}

impl Played {
    /// What was ordered for this step; each look at it meets it.
    fn trouble(&self) -> Option<Trouble> {
        // A way back or out is rehearsed as it is when nothing more goes wrong.
        let mut so = self.stage.so();
        let ordered = so.faults.get(&self.call.step).copied();
        let ordered = ordered.filter(|_| self.call.at.way == Way::Forth)?;
        so.met.insert(self.call.step.clone());
        Some(ordered)
    }

    async fn takes(&self, is_check: bool, trouble: Option<Trouble>) {
        let usual = self.stage.takes(&self.call, is_check);
        let factor = if trouble == Some(Trouble::Slow) { SLOW } else { 1 };
        self.stage.clock.sleep(usual.saturating_mul(factor)).await;
    }

    fn seen(&self, what: &str) -> Vec<Evidence> {
        vec![self.stage.evidence(format!("{} {what}", self.call.step))]
    }
}

#[async_trait]
impl Check for Played {
    async fn look(&self) -> Finding {
        let trouble = self.trouble();
        self.takes(true, trouble).await;
        let step = self.call.workflow.all_steps().find(|it| it.id == self.call.step);
        let gone = step.is_some_and(|it| it.expect == Expect::Fail);
        let (verdict, what) = match trouble {
            // What is looked for as gone is still there.
            Some(Trouble::Fails) if gone => (Verdict::Pass, "fails, as ordered"),
            Some(Trouble::Fails) => (Verdict::Fail, "fails, as ordered"),
            Some(Trouble::Unknown) => (Verdict::Unknown, "cannot be made, as ordered"),
            Some(Trouble::Slow) | None if gone => (Verdict::Fail, "passes"),
            Some(Trouble::Slow) | None => (Verdict::Pass, "passes"),
        };
        let moved = matches!(self.call.params, Params::SwitchConfirm(_))
            && self.call.at.kind != Kind::Drill
            && verdict == Verdict::Pass;
        let settled = Fact::RolesSettled { production: self.call.standby.clone() };
        let facts = moved.then_some(settled).into_iter().collect();
        Finding { verdict, evidence: self.seen(what), facts }
    }
}

#[async_trait]
impl Action for Played {
    async fn observe(&self) -> Seen {
        if self.stage.so().done.contains(&self.call.op) {
            let facts = made_true(&self.call, self.stage.clock.now());
            return Seen::Done { evidence: self.seen("is done"), facts };
        }
        // After a request of which nobody knows, nobody can look either.
        if self.stage.so().dark.contains(&self.call.op) {
            return Seen::Unknown { evidence: self.seen("cannot be read, as ordered") };
        }
        let change = Change {
            verb: Verb::Change,
            key: self.call.step.to_string(),
            old: None,
            new: Some("done".to_owned()),
            sentence: format!("{} is done", self.call.step),
        };
        Seen::Todo { changes: vec![change], evidence: self.seen("is to be done") }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        let trouble = self.trouble();
        self.takes(false, trouble).await;
        match trouble {
            Some(Trouble::Fails) => Sent::Refused { evidence: self.seen("is refused, as ordered") },
            Some(Trouble::Unknown) => {
                self.stage.so().dark.insert(self.call.op.clone());
                Sent::Unknown { evidence: self.seen("gets no answer, as ordered") }
            }
            Some(Trouble::Slow) | None => {
                self.stage.so().done.insert(self.call.op.clone());
                Sent::Accepted { evidence: self.seen("is accepted"), facts: vec![] }
            }
        }
    }

    fn intends(&self) -> Vec<Fact> {
        let moves = matches!(self.call.params, Params::Move(_));
        let (from, to) = (self.call.production.clone(), self.call.standby.clone());
        let moving = Fact::RolesMoving { from, to };
        let users = self.call.at.kind != Kind::Drill;
        (moves && users).then_some(moving).into_iter().collect()
    }
}

#[async_trait]
impl World for Stage {
    fn check(&self, call: Call) -> Box<dyn Check> {
        Box::new(Played { stage: self.clone(), call })
    }

    fn action(&self, call: Call) -> Box<dyn Action> {
        Box::new(Played { stage: self.clone(), call })
    }

    async fn addresses(
        &self,
        _: &Workflow,
        _: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence> {
        Ok(BTreeMap::new())
    }

    async fn survey(&self, workflow: &Workflow) -> Result<Survey, Vec<Evidence>> {
        Ok(Survey {
            production: self.production.clone(),
            releases: self.releases.clone(),
            addresses: places(workflow),
            marks: BTreeMap::new(),
            evidence: vec![self.evidence("a world in memory".to_owned())],
        })
    }

    async fn sight(&self, _: &Workflow, _: &Owned, _: Duration) -> Sight {
        Sight::default()
    }

    async fn first_marks(
        &self,
        _: &Workflow,
        _: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        Ok(BTreeMap::new())
    }

    async fn take_marks(
        &self,
        _: &Workflow,
        _: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        Ok(BTreeMap::new())
    }

    async fn witness(&self, asked: &Asked) -> Testimony {
        let lost = self.so().lost.clone();
        let serves = |site: &SiteName| {
            if lost.as_ref() == Some(site) { Says::Down } else { Says::Up }
        };
        let heard = |about, seer, says| {
            let (source, at) = ("rehearsal".to_owned(), self.clock.now());
            Witness { about, seer, says, source, at, text: "as rehearsed".to_owned() }
        };
        let (production, standby) = (serves(&asked.production), serves(&asked.standby));
        let witnesses = vec![
            heard(About::Users, Seer::Http, production),
            heard(About::Machines, Seer::Host, production),
            heard(About::Standby, Seer::Http, standby),
            heard(About::Lever, Seer::Provider, Says::Up),
            heard(About::Names, Seer::Dns, Says::Up),
        ];
        Testimony { witnesses, writes: None, unmarked: vec![] }
    }
}

/// An address for each record at each site, out of the range that is nobody's.
fn places(workflow: &Workflow) -> BTreeMap<SiteName, BTreeMap<String, String>> {
    let drill = workflow.drill.iter().flat_map(|it| &it.records);
    let records: Vec<_> = workflow.cloudflare().records.iter().chain(drill).collect();
    let sites = workflow.sites.keys().enumerate();
    sites
        .map(|(site, name)| {
            let own = records.iter().enumerate().map(|(at, record)| {
                (record.id.to_string(), format!("198.51.100.{}", (site * 100 + at + 1) % 255))
            });
            (name.clone(), own.collect())
        })
        .collect()
}
