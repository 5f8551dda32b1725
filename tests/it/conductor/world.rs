//! A world that does what it is told to do wrong, and remembers what was done to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use changeover::clock::ManualClock;
use changeover::journal::MemoryJournal;
use changeover::machine::{Embargo, Fact, Owed};
use changeover::model::{
    About, Change, Evidence, Nature, OpId, Owned, Says, Seer, Sight, SiteName, Time, Verb, Verdict,
    Witness,
};
use changeover::port::{
    Action, Asked, Call, Check, Clock, Finding, Seen, Sent, Survey, Testimony, World,
};
use changeover::workflow::Workflow;
use tokio::sync::Notify;

use super::rig::fold;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Refused,
    /// No answer, and it worked.
    UnknownDone,
    /// No answer, and it did not work.
    UnknownNot,
    /// No answer, and it works seconds later.
    Late,
    /// It is accepted and never shows.
    Lost,
    Foreign,
    /// It cannot be read.
    Dark,
    Hangs,
}

#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// What is so, by key.
    pub(crate) so: BTreeMap<String, String>,
    /// State-changing applications of each effect that is found again by its id.
    pub(crate) once: BTreeMap<OpId, u32>,
    /// Requests by step.
    pub(crate) sent: BTreeMap<String, u32>,
    late: Vec<(Duration, String, String, Option<OpId>)>,
    /// What goes wrong with the next looks of a step.
    pub(crate) looks: BTreeMap<String, VecDeque<Wrong>>,
    /// What goes wrong with the next requests of a step.
    pub(crate) sends: BTreeMap<String, VecDeque<Wrong>>,
    /// Checks that do not pass.
    pub(crate) verdicts: BTreeMap<String, Verdict>,
    /// Anything may go wrong, so seldom: one in.
    pub(crate) chaos: Option<(u64, u64)>,
    /// Points left until everything stops.
    pub(crate) fuse: Option<u32>,
    /// Orders given while this step is looked at.
    pub(crate) wakes: Option<String>,
    pub(crate) broken: Vec<String>,
    /// What looks see of a step or of a kind of check, whatever else is so.
    pub(crate) bad: Bad,
}

/// By step or kind: the verdict, the words, how many seconds old, what else was read.
pub(crate) type Bad = BTreeMap<&'static str, (Verdict, &'static str, i64, serde_json::Value)>;

/// The world of one test. Clones are the same world.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    pub(crate) truth: Arc<Mutex<Truth>>,
    pub(crate) clock: ManualClock,
    pub(crate) journal: MemoryJournal,
    pub(crate) stop: Arc<Notify>,
    /// Told when the step in `wakes` is looked at.
    pub(crate) woken: Arc<Notify>,
}

pub(crate) fn dice(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn evidence(says: &str) -> Evidence {
    let (source, at) = ("script".to_owned(), Time::default());
    Evidence { source, at, says: says.to_owned(), data: serde_json::Value::Null }
}

impl Scripted {
    fn truth<T>(&self, look: impl FnOnce(&Truth) -> T) -> T {
        look(&self.truth.lock().unwrap())
    }

    /// The moment before or after a call: here a process may die.
    async fn point(&self) {
        tokio::task::yield_now().await;
        let dies = {
            let mut truth = self.truth.lock().unwrap();
            if let Some(left) = &mut truth.fuse { burn(left) } else { false }
        };
        if dies {
            self.stop.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn wrong(&self, step: &str, sends: bool) -> Option<Wrong> {
        let mut truth = self.truth.lock().unwrap();
        let script = if sends { &mut truth.sends } else { &mut truth.looks };
        if let Some(wrong) = script.get_mut(step).and_then(VecDeque::pop_front) {
            return Some(wrong);
        }
        let (state, one_in) = truth.chaos.as_mut()?;
        if !dice(state).is_multiple_of(*one_in) {
            return None;
        }
        let all: &[Wrong] = if sends {
            &[Wrong::Refused, Wrong::UnknownDone, Wrong::UnknownNot, Wrong::Late, Wrong::Lost]
        } else {
            &[Wrong::Foreign, Wrong::Dark, Wrong::Dark, Wrong::Hangs]
        };
        let picked = usize::try_from(dice(state) % 64).unwrap() % all.len();
        Some(all[picked])
    }

    fn land(&self) {
        let now = self.clock.monotonic();
        let mut truth = self.truth.lock().unwrap();
        let late = std::mem::take(&mut truth.late);
        let (due, later) = late.into_iter().partition(|it| it.0 <= now);
        truth.late = later;
        let due: Vec<(Duration, String, String, Option<OpId>)> = due;
        for (_, key, value, op) in due {
            truth.make(&key, &value, op);
        }
    }
}

fn burn(left: &mut u32) -> bool {
    *left = left.saturating_sub(1);
    *left == 0
}

impl Truth {
    fn make(&mut self, key: &str, value: &str, op: Option<OpId>) {
        self.so.insert(key.to_owned(), value.to_owned());
        if let Some(op) = op {
            *self.once.entry(op).or_insert(0) += 1;
        }
    }
}

#[derive(Debug)]
struct Played {
    world: Scripted,
    call: Call,
}

impl Played {
    fn site(&self) -> &SiteName {
        self.call.on.as_ref().unwrap_or(&self.call.production)
    }

    /// What is wanted of which key.
    fn end(&self) -> (String, String) {
        let site = self.site();
        match (self.call.params.kind(), self.call.step.as_str()) {
            ("switch", _) => ("production".to_owned(), self.call.standby.to_string()),
            ("embargo.on", _) => (format!("embargo {site}"), "on".to_owned()),
            ("embargo.off", _) => (format!("embargo {site}"), "off".to_owned()),
            ("job.off", step) => (step.replace("-off", ""), "off".to_owned()),
            ("job.on", step) => (step.replace("-on", ""), "on".to_owned()),
            _ => (format!("op {:?}", self.call.op), "done".to_owned()),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let site = self.site().clone();
        let job = |name: &str| if name.starts_with("reset") { "databaseReset" } else { "s3backup" };
        match (self.call.params.kind(), self.call.step.as_str()) {
            ("embargo.on", _) => {
                let embargo = Embargo {
                    run: self.call.run.number,
                    owner: String::new(),
                    scope: vec![],
                    reason: String::new(),
                    since: self.world.clock.now(),
                    until: self.world.clock.now().plus_seconds(12 * 3_600),
                };
                vec![Fact::EmbargoOn { site, embargo }]
            }
            ("embargo.off", _) => vec![Fact::EmbargoOff { site }],
            (_, step) if step.starts_with("load") => {
                vec![Fact::Loaded { site, of: self.world.clock.now() }]
            }
            ("job.off", step) => {
                vec![Fact::Owe { owed: Owed::Job { job: job(step).to_owned(), site } }]
            }
            ("job.on", step) => {
                let own = |it: &&Owed| matches!(it, Owed::Job { job: it, .. } if it == job(step));
                let owed = self.call.record.owed.iter().filter(own).cloned();
                owed.map(|owed| Fact::Pay { owed }).collect()
            }
            _ => vec![],
        }
    }
}

#[async_trait]
impl Check for Played {
    async fn look(&self) -> Finding {
        self.world.point().await;
        let step = self.call.step.to_string();
        let kind = self.call.params.kind();
        let bad = self.world.truth(|it| it.bad.get(step.as_str()).or(it.bad.get(kind)).cloned());
        if let Some((verdict, says, age, data)) = bad {
            let at = self.world.clock.now().plus_seconds(-age);
            let read = Evidence { source: kind.to_owned(), at, says: says.to_owned(), data };
            return Finding { verdict, evidence: vec![read], facts: vec![] };
        }
        let watched = self.world.truth.lock().unwrap().wakes.as_ref() == Some(&step);
        if watched {
            self.world.woken.notify_one();
            std::future::pending::<()>().await;
        }
        let wrong = self.world.wrong(&step, false);
        if wrong == Some(Wrong::Hangs) {
            std::future::pending::<()>().await;
        }
        self.world.land();
        let truth = self.world.truth.lock().unwrap();
        let mut verdict = truth.verdicts.get(&step).copied().unwrap_or(Verdict::Pass);
        if wrong.is_some() {
            verdict = Verdict::Unknown;
        }
        let mut facts = vec![];
        if self.call.params.kind() == "switch.confirm" {
            let there = truth.so.get("production").map(String::as_str);
            if there == Some(self.call.standby.as_str()) && verdict == Verdict::Pass {
                facts.push(Fact::RolesSettled { production: self.call.standby.clone() });
            } else {
                verdict = Verdict::Fail;
            }
        }
        Finding { verdict, evidence: vec![evidence(&format!("{step} was looked at"))], facts }
    }
}

#[async_trait]
impl Action for Played {
    async fn observe(&self) -> Seen {
        self.world.point().await;
        let evidence = vec![evidence(&format!("{} was observed", self.call.step))];
        match self.world.wrong(self.call.step.as_str(), false) {
            Some(Wrong::Hangs) => std::future::pending().await,
            Some(Wrong::Foreign) => return Seen::Foreign { evidence },
            Some(_) => return Seen::Unknown { evidence },
            None => (),
        }
        self.world.land();
        let (key, wanted) = self.end();
        let truth = self.world.truth.lock().unwrap();
        let now = truth.so.get(&key).cloned();
        if now.as_ref() == Some(&wanted) {
            return Seen::Done { evidence, facts: self.facts() };
        }
        let sentence = format!("{key} becomes {wanted}");
        let changes =
            vec![Change { verb: Verb::Change, key, old: now, new: Some(wanted), sentence }];
        Seen::Todo { changes, evidence }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        let life = fold(&self.world.journal);
        if !life.record.intents.values().any(|it| it.intent.op == self.call.op) {
            let says = format!("{} was sent without a durable intent", self.call.step);
            self.world.truth.lock().unwrap().broken.push(says);
        }
        self.world.point().await;
        let step = self.call.step.to_string();
        let wrong = self.world.wrong(&step, true);
        let (key, value) = self.end();
        let op = (self.call.params.nature() == Nature::Once).then(|| self.call.op.clone());
        let soon = self.world.clock.monotonic() + Duration::from_secs(4);
        {
            let mut truth = self.world.truth.lock().unwrap();
            *truth.sent.entry(step).or_insert(0) += 1;
            match wrong {
                None | Some(Wrong::UnknownDone | Wrong::Hangs) => truth.make(&key, &value, op),
                Some(Wrong::Late) => truth.late.push((soon, key, value, op)),
                Some(_) => (),
            }
        }
        let dies = {
            let mut truth = self.world.truth.lock().unwrap();
            if let Some(left) = &mut truth.fuse { burn(left) } else { false }
        };
        if dies {
            self.world.stop.notify_one();
            return std::future::pending().await;
        }
        let evidence = vec![evidence("sent")];
        match wrong {
            None | Some(Wrong::Lost) => Sent::Accepted { evidence, facts: vec![] },
            Some(Wrong::Refused) => Sent::Refused { evidence },
            Some(Wrong::Hangs) => std::future::pending().await,
            Some(_) => Sent::Unknown { evidence },
        }
    }

    fn intends(&self) -> Vec<Fact> {
        if self.call.step.as_str().starts_with("load") {
            return vec![Fact::Loading { site: self.site().clone() }];
        }
        let (from, to) = (self.call.production.clone(), self.call.standby.clone());
        if self.call.params.kind() == "switch" {
            vec![Fact::RolesMoving { from, to }]
        } else {
            vec![]
        }
    }
}

#[async_trait]
impl World for Scripted {
    fn check(&self, call: Call) -> Box<dyn Check> {
        Box::new(Played { world: self.clone(), call })
    }

    fn action(&self, call: Call) -> Box<dyn Action> {
        Box::new(Played { world: self.clone(), call })
    }

    /// `so["lost"]` says which site the incident has taken, or that nobody can tell.
    async fn witness(&self, asked: &Asked) -> Testimony {
        let lost = self.truth.lock().unwrap().so.get("lost").cloned().unwrap_or_default();
        let up = |site: &SiteName| match lost.as_str() {
            "nobody knows" => Says::Unknown,
            lost if lost == site.as_str() => Says::Down,
            _ => Says::Up,
        };
        let heard = |about, seer, says| {
            let (at, text) = (self.clock.now(), "as told".to_owned());
            Witness { about, seer, says, source: format!("script {}", seer.name()), at, text }
        };
        let (production, standby) = (up(&asked.production), up(&asked.standby));
        let witnesses = vec![
            heard(About::Users, Seer::Http, production),
            heard(About::Machines, Seer::Host, production),
            heard(
                About::Standby,
                Seer::Http,
                if lost == "nobody knows" { Says::Up } else { standby },
            ),
            heard(About::Lever, Seer::Provider, Says::Up),
            heard(About::Names, Seer::Dns, Says::Up),
        ];
        Testimony { witnesses, writes: None, unmarked: vec![] }
    }

    async fn addresses(
        &self,
        _: &Workflow,
        _: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence> {
        Ok(BTreeMap::new())
    }

    async fn survey(&self, _: &Workflow) -> Result<Survey, Vec<Evidence>> {
        let releases = ["hk", "sydney"].map(|it| (SiteName::from(it), "v1".to_owned()));
        Ok(Survey {
            production: SiteName::from("hk"),
            releases: releases.into(),
            addresses: BTreeMap::new(),
            marks: BTreeMap::new(),
            evidence: vec![evidence("surveyed")],
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
}
