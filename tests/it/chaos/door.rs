//! The world's door for the conductor: each call may go wrong on its way, and so may what it does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use changeover::machine::{Fact, Life};
use changeover::model::{Change, Evidence, Owned, Sight, SiteName, Verb, Verdict, Way, ZoneKept};
use changeover::port::{
    Action, Asked, Call, Check, Clock, Finding, Seen, Sent, Survey, Testimony, World,
};
use changeover::workflow::Workflow;
use changeover::workflow::step::Params;
use serde_json::Value;

use super::earth::{Earth, Event};
use super::fault::{Blind, Lost};
use super::lost::Gone;
use super::time::VirtualClock;

/// A guard that is taken away, for the tests that show that its absence is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    None,
    /// Jobs are never seen to be on.
    JobsOff,
    /// Any host's `.env` will do, and any backup.
    Target,
    /// A mark that exists may be posted again, so that late moves land.
    Mark,
    /// An embargo is announced and refuses nothing.
    Embargo,
    /// A lost site is called fenced, and nothing was done to it.
    Fence,
    /// Any loss is taken as agreed to.
    Consent,
    /// A job that still runs is called off.
    Running,
    /// Whether a site takes writes is never read.
    Writes,
}

/// What happens more often than elsewhere, for one guard to be leaned on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lean {
    Nothing,
    /// Moves are late, and people go back at once.
    Switch,
    /// A job is installed by hand just before data is loaded.
    Jobs,
    /// `.env` is edited just before data is loaded.
    Env,
}

/// What became of a request.
pub(crate) enum Became {
    Accepted,
    Refused(String),
    Unknown,
}

/// An effect on the world: nothing, or why the provider refused.
pub(crate) type Effect = Box<dyn FnOnce(&mut Earth) -> Result<(), String> + Send>;

/// Clones lead to the same world.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) earth: Arc<Mutex<Earth>>,
    pub(crate) clock: VirtualClock,
    /// The process has died.
    pub(crate) dead: Arc<AtomicBool>,
    /// What the durable lines fold to.
    pub(crate) life: Arc<Mutex<Life>>,
    pub(crate) defect: Defect,
    pub(crate) lean: Lean,
}

impl Door {
    /// The world as it is now.
    pub(crate) fn earth(&self) -> MutexGuard<'_, Earth> {
        let mut earth = self.earth.lock().unwrap();
        earth.run_until(self.clock.ms());
        earth
    }

    /// Before or after a call: here a process may die.
    pub(crate) async fn point(&self) {
        if self.earth().faults.dies() {
            self.dead.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }

    async fn travels(&self) {
        let ms = self.earth().faults.dice.between(20, 400);
        self.clock.pause(ms).await;
    }

    /// Whether the machine cannot be reached; found out after a while.
    async fn unreachable(&self, host: Option<usize>) -> bool {
        let away = host.is_some_and(|it| {
            let site = &self.earth().sites[it];
            site.host.away || site.gone.contains(&Gone::Ssh)
        });
        if away {
            self.clock.pause(10_000).await;
        }
        away
    }

    /// Reads something; `host` if over ssh to this site's host. `stale` is told to what may lag.
    pub(crate) async fn read<T>(
        &self,
        host: Option<usize>,
        look: impl FnOnce(&mut Earth, bool) -> T + Send,
    ) -> Result<T, String> {
        self.point().await;
        self.travels().await;
        let wrong = self.earth().faults.reading();
        match wrong {
            Some(Blind::Hangs) => std::future::pending::<()>().await,
            Some(Blind::Dark) => return Err("no answer".to_owned()),
            Some(Blind::Stale) | None => (),
        }
        if self.unreachable(host).await {
            return Err("the host does not answer".to_owned());
        }
        let answer = look(&mut self.earth(), wrong == Some(Blind::Stale));
        self.point().await;
        Ok(answer)
    }

    /// Sends one request.
    pub(crate) async fn send(&self, call: &Call, host: Option<usize>, effect: Effect) -> Became {
        self.judge_intent(call);
        self.point().await;
        self.travels().await;
        if self.unreachable(host).await {
            return Became::Unknown;
        }
        let struck = self.earth().faults.writing();
        let wrong = struck.or_else(|| self.leaned(call));
        let become_ = match wrong {
            None => match effect(&mut self.earth()) {
                Ok(()) => Became::Accepted,
                Err(why) => Became::Refused(why),
            },
            Some(Lost::Refused) => Became::Refused("503, nothing was done".to_owned()),
            Some(Lost::NotDone) => Became::Unknown,
            Some(Lost::Done | Lost::Hangs) => {
                let _known_to_nobody = effect(&mut self.earth());
                Became::Unknown
            }
            Some(Lost::Late) => {
                let mut earth = self.earth();
                let soonest = if self.lean == Lean::Switch { 50 } else { 1 };
                let after = earth.faults.dice.between(soonest, 120) * 1000;
                let lands = move |earth: &mut Earth| {
                    let landed = effect(earth);
                    let now = earth.now;
                    earth.note(format!("a late request lands: {landed:?}"));
                    earth.oracle.last_late = Some(now);
                };
                earth.later(after, Event::Other(Box::new(lands)));
                Became::Unknown
            }
        };
        self.point().await;
        if wrong == Some(Lost::Hangs) {
            std::future::pending::<()>().await;
        }
        become_
    }

    /// Where the seed leans on the switch, its way there is often late.
    fn leaned(&self, call: &Call) -> Option<Lost> {
        let forth = matches!(call.params, Params::Move(_)) && call.at.way == Way::Forth;
        let mut earth = self.earth();
        (self.lean == Lean::Switch && forth && earth.faults.rarely("request: unknown, late", 1))
            .then_some(Lost::Late)
    }

    /// No effect before its intent is durable (V9).
    fn judge_intent(&self, call: &Call) {
        let intended =
            self.life.lock().unwrap().record.intents.values().any(|it| it.intent.op == call.op);
        // What is no step of the workflow is said in a note before.
        if !intended && call.step.as_str() != "guard" {
            self.earth().broken(format!("{} was sent without a durable intent", call.step));
        }
    }

    fn act(&self, call: Call) -> Act {
        let (sent, held, looked) = Default::default();
        Act { door: self.clone(), call, sent, held, looked }
    }

    pub(crate) fn evidence(&self, says: impl Into<String>) -> Vec<Evidence> {
        vec![self.with_data(says, Value::Null)]
    }

    pub(crate) fn with_data(&self, says: impl Into<String>, data: Value) -> Evidence {
        Evidence { source: "world".to_owned(), at: self.clock.now(), says: says.into(), data }
    }
}

/// One step's hands.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) door: Door,
    pub(crate) call: Call,
    /// What was there before this object first sent something.
    pub(crate) sent: Mutex<Option<String>>,
    /// Rows of the database about to be dumped.
    pub(crate) held: Mutex<Option<u64>>,
    /// The first look has been made; only that one may be at what an armed plan kept.
    pub(crate) looked: AtomicBool,
}

impl Act {
    /// The site of a step, by its index; of the role it says, else this one.
    pub(crate) fn site(&self, or: &SiteName) -> usize {
        let name = self.call.on.as_ref().unwrap_or(or);
        self.door.earth.lock().unwrap().index(name.as_str())
    }

    pub(crate) fn production(&self) -> usize {
        self.door.earth.lock().unwrap().index(self.call.production.as_str())
    }

    pub(crate) fn standby(&self) -> usize {
        self.door.earth.lock().unwrap().index(self.call.standby.as_str())
    }

    pub(crate) fn goes_without(&self, site: usize) -> bool {
        let name = self.door.earth().sites[site].name.clone();
        self.call.goes_without(&SiteName(name))
    }

    pub(crate) fn has_sent(&self) -> bool {
        self.sent.lock().unwrap().is_some() || self.call.since.is_some()
    }

    pub(crate) fn found(&self, holds: bool, says: impl Into<String>) -> Finding {
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        Finding { verdict, evidence: self.door.evidence(says), facts: vec![] }
    }

    pub(crate) fn dark(&self, why: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Unknown, evidence: self.door.evidence(why), facts: vec![] }
    }

    pub(crate) fn unseen(&self, why: impl Into<String>) -> Seen {
        Seen::Unknown { evidence: self.door.evidence(why) }
    }

    pub(crate) fn done(&self, says: impl Into<String>, facts: Vec<Fact>) -> Seen {
        Seen::Done { evidence: self.door.evidence(says), facts }
    }

    pub(crate) fn failed(&self, says: impl Into<String>) -> Seen {
        Seen::Failed { evidence: self.door.evidence(says) }
    }

    /// One change.
    pub(crate) fn todo(&self, verb: Verb, key: String, old: Option<String>, new: &str) -> Seen {
        let sentence = format!("{key} becomes {new}");
        let changes = vec![Change { verb, key, old, new: Some(new.to_owned()), sentence }];
        Seen::Todo { changes, evidence: self.door.evidence("as it is now") }
    }

    pub(crate) async fn request(&self, host: Option<usize>, effect: Effect) -> Sent {
        let became = self.door.send(&self.call, host, effect).await;
        match became {
            Became::Accepted => {
                Sent::Accepted { evidence: self.door.evidence("accepted"), facts: vec![] }
            }
            Became::Refused(why) => Sent::Refused { evidence: self.door.evidence(why) },
            Became::Unknown => Sent::Unknown { evidence: self.door.evidence("no answer") },
        }
    }
}

#[async_trait]
impl Check for Act {
    async fn look(&self) -> Finding {
        self.look_at().await
    }
}

#[async_trait]
impl Action for Act {
    async fn observe(&self) -> Seen {
        self.observe_it().await
    }

    async fn apply(&self, changes: &[Change]) -> Sent {
        let old = changes.first().and_then(|it| it.old.clone()).unwrap_or_default();
        self.sent.lock().unwrap().get_or_insert(old);
        self.apply_it(changes).await
    }

    fn intends(&self) -> Vec<Fact> {
        let (from, to) = (self.call.production.clone(), self.call.standby.clone());
        let held = *self.held.lock().unwrap();
        match &self.call.params {
            Params::Move(_) => vec![Fact::RolesMoving { from, to }],
            _ => {
                let rows =
                    |it| Fact::Held { rows: [(super::door_data::ROWS.to_owned(), it)].into() };
                held.map(rows).into_iter().collect()
            }
        }
    }
}

#[async_trait]
impl World for Door {
    fn check(&self, call: Call) -> Box<dyn Check> {
        Box::new(self.act(call))
    }

    fn action(&self, call: Call) -> Box<dyn Action> {
        Box::new(self.act(call))
    }

    async fn kept(&self, _: &Workflow) -> Result<Vec<ZoneKept>, Evidence> {
        self.zones_kept().await
    }

    async fn witness(&self, asked: &Asked) -> Testimony {
        self.testimony(asked).await
    }

    async fn counts(
        &self,
        _: &Workflow,
        site: &SiteName,
        queries: &[String],
    ) -> BTreeMap<String, String> {
        self.counted(site, queries).await
    }

    async fn addresses(
        &self,
        _: &Workflow,
        site: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence> {
        let at = self.earth().index(site.as_str());
        let owned = self.read_api(at, |it, _| it.sites[at].addresses.clone());
        owned.await.map_err(|why| self.with_data(why, Value::Null))
    }

    async fn survey(&self, _: &Workflow) -> Result<Survey, Vec<Evidence>> {
        self.surveyed().await
    }

    async fn sight(&self, _: &Workflow, known: &Owned, deadline: Duration) -> Sight {
        self.looked(known, deadline).await
    }

    async fn first_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        self.own_marks(workflow, journal).await
    }

    async fn take_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        self.own_marks(workflow, journal).await
    }
}
