//! Everything that outlives a state: folded from the entries by one pure function, read-only for handlers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::machine::entry::{Body, Embargo, Entry, Fact, Intent, Owed, Remembered};
use crate::machine::input::{Begin, Ended, Input};
use crate::machine::state::State;
use crate::model::{Digest, Kind, Phase, Roles, SiteName, StepId, Time, Verdict, Way};

/// The open run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number, per system, from 1.
    pub number: u32,
    /// What it is for.
    pub kind: Kind,
    /// The release it brings, if it does.
    pub version: Option<String>,
    /// Production when it started.
    pub production: SiteName,
    /// Standby when it started.
    pub standby: SiteName,
    /// The release production had when it started.
    pub from_version: Option<String>,
    /// Who started it.
    pub requester: String,
    /// When.
    pub started: Time,
    /// The digest of its workflow's text.
    pub workflow: Digest,
    /// Outside addresses that are not the services' own.
    pub outside: Vec<String>,
    /// The stamp of its latest backup.
    pub stamp: Option<String>,
    /// The backup object it proved.
    pub backup: Option<(String, String, u64)>,
    /// When each phase was last entered.
    pub entered: BTreeMap<Phase, Time>,
    /// Checks waived for this run.
    pub waived: BTreeSet<StepId>,
}

/// One approval that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Who.
    pub by: String,
    /// Their groups.
    pub groups: Vec<String>,
    /// When.
    pub at: Time,
}

/// What the journal says is true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The time of the last entry.
    pub now: Time,
    /// The journal's own id; empty before `init`.
    pub journal: String,
    /// The highest run number given.
    pub runs: u32,
    /// Rises with every run and every take-over; the marks and the journal carry it.
    pub epoch: u64,
    /// Who is production.
    pub roles: Option<Roles>,
    /// A site that lost production in a failover.
    pub quarantined: Option<SiteName>,
    /// What each site answers with.
    pub releases: BTreeMap<SiteName, String>,
    /// The highest mark seen, by zone.
    pub marks: BTreeMap<String, u64>,
    /// The addresses each site owns, by record.
    pub addresses: BTreeMap<SiteName, BTreeMap<String, String>>,
    /// Embargoes that lie, by site.
    pub embargoes: BTreeMap<SiteName, Embargo>,
    /// What must be put back; outlives its run.
    pub owed: BTreeSet<Owed>,
    /// The open run.
    pub run: Option<Run>,
    /// Intents without an outcome, by phase and step.
    #[serde(with = "pairs")]
    pub intents: BTreeMap<(Phase, u8), Remembered>,
    /// How often each step of the open run failed in a known state, by phase and step.
    #[serde(with = "pairs")]
    pub failures: BTreeMap<(Phase, u8), u32>,
    /// What each check of the open run said last.
    pub verdicts: BTreeMap<StepId, Verdict>,
    /// The latest stamp ever given; the next one is later.
    pub last_stamp: Option<String>,
    /// What people are asked to approve.
    pub packet: Option<Digest>,
    /// The parts of the packet, by name.
    pub packet_parts: BTreeMap<String, String>,
    /// Approvals of exactly that packet.
    pub approvals: Vec<Standing>,
    /// Writes were allowed on the new production.
    pub writes_since_swap: bool,
    /// The old production's data is being replaced; there is no way back.
    pub renewed: bool,
    /// Nothing new is started.
    pub paused: bool,
    /// Nothing moves, except rollback, fencing, closing and failover.
    pub frozen: bool,
}

impl Record {
    /// The record after this entry, given by this person. Pure: the same entries give the same record.
    #[must_use]
    pub fn after(&self, entry: &Entry, by: &str) -> Self {
        let mut next = self.clone();
        next.now = entry.at;
        match &entry.body {
            Body::Decided { input, to, facts, .. } => {
                next.decided(input, by);
                facts.iter().for_each(|fact| next.learn(fact));
                next.moved(input, to);
            }
            Body::Refused { .. } => (),
            Body::Intent(intent) => next.intend(intent, entry.at),
            Body::Note { facts, .. } => facts.iter().for_each(|fact| next.learn(fact)),
        }
        next
    }

    /// The site that is production, or that users are leaving.
    pub fn production(&self) -> Option<&SiteName> {
        self.roles.as_ref().map(|roles| match roles {
            Roles::Settled { production } => production,
            Roles::Moving { from, .. } => from,
        })
    }

    /// How many approvals of this group stand.
    pub fn approvals_of(&self, group: &str) -> usize {
        self.approvals.iter().filter(|it| it.groups.iter().any(|own| own == group)).count()
    }

    fn decided(&mut self, input: &Input, by: &str) {
        match input {
            Input::Start(begin) => self.start(begin, by),
            Input::Approve { by, groups, .. } => {
                if !self.approvals.iter().any(|it| it.by == *by) {
                    let (by, groups) = (by.clone(), groups.clone());
                    self.approvals.push(Standing { by, groups, at: self.now });
                }
            }
            Input::Reject | Input::Voided => self.forget_approvals(),
            Input::Amend { workflow, .. } => {
                self.forget_approvals();
                if let Some(run) = &mut self.run {
                    run.workflow = *workflow;
                }
            }
            Input::Step { .. }
            | Input::Resolve { .. }
            | Input::Next
            | Input::Accept
            | Input::Abort
            | Input::Rollback { .. }
            | Input::Failover { .. }
            | Input::Retry
            | Input::Skip { .. }
            | Input::Close
            | Input::Settled
            | Input::Due => (),
        }
    }

    fn start(&mut self, begin: &Begin, by: &str) {
        self.runs += 1;
        self.epoch += 1;
        self.run = Some(Run {
            number: self.runs,
            kind: begin.kind,
            version: begin.version.clone(),
            production: begin.production.clone(),
            standby: begin.standby.clone(),
            from_version: self.releases.get(&begin.production).cloned(),
            requester: by.to_owned(),
            started: self.now,
            workflow: begin.workflow,
            outside: begin.outside.clone(),
            stamp: None,
            backup: None,
            entered: BTreeMap::new(),
            waived: BTreeSet::new(),
        });
        self.forget_approvals();
        self.failures.clear();
        self.verdicts.clear();
        self.writes_since_swap = false;
        self.renewed = false;
        self.paused = false;
    }

    fn forget_approvals(&mut self) {
        self.packet = None;
        self.packet_parts.clear();
        self.approvals.clear();
    }

    fn intend(&mut self, intent: &Intent, at: Time) {
        let place = (intent.phase, intent.step);
        // A repeated request keeps the first time: its effect may have happened since then.
        let since = self.intents.get(&place).map_or(at, |it| it.since);
        self.intents.insert(place, Remembered { intent: intent.clone(), since });
        if matches!(intent.phase, Phase::Deploy | Phase::Reset | Phase::Swap) {
            self.owed.insert(Owed::Standby);
        }
        intent.facts.iter().for_each(|fact| self.learn(fact));
    }

    fn ended(&mut self, place: (Phase, u8), ended: Ended) {
        match ended {
            Ended::Done => {
                self.intents.remove(&place);
                self.failures.remove(&place);
            }
            Ended::Failed => {
                self.intents.remove(&place);
                *self.failures.entry(place).or_insert(0) += 1;
            }
            Ended::Unknown => (),
        }
    }

    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Initialised { journal, production, releases } => {
                self.journal.clone_from(journal);
                self.roles = Some(Roles::Settled { production: production.clone() });
                self.releases.clone_from(releases);
            }
            Fact::Born { journal } => self.journal.clone_from(journal),
            Fact::Looked { check, verdict } => {
                self.verdicts.insert(check.clone(), *verdict);
            }
            Fact::RolesMoving { from, to } => {
                self.roles = Some(Roles::Moving { from: from.clone(), to: to.clone() });
            }
            Fact::RolesSettled { production } => {
                self.roles = Some(Roles::Settled { production: production.clone() });
            }
            Fact::Release { site, version } => {
                self.releases.insert(site.clone(), version.clone());
            }
            Fact::Owe { owed } => {
                self.owed.insert(owed.clone());
            }
            Fact::Pay { owed } => {
                self.owed.remove(owed);
            }
            Fact::EmbargoOn { site, embargo } => {
                self.embargoes.insert(site.clone(), embargo.clone());
                self.owed.insert(Owed::Embargo { site: site.clone() });
            }
            Fact::EmbargoOff { site } => self.lifted(site),
            Fact::Mark { zone, number } => {
                let highest = self.marks.entry(zone.clone()).or_insert(0);
                *highest = (*highest).max(*number);
            }
            Fact::Addresses { site, addresses } => {
                self.addresses.insert(site.clone(), addresses.clone());
            }
            Fact::Packet { digest, parts } => {
                self.forget_approvals();
                self.packet = Some(*digest);
                self.packet_parts.clone_from(parts);
            }
            Fact::Settled(closed) => self.ended((closed.phase, closed.step), closed.ended),
            Fact::Paused { on } => self.paused = *on,
            Fact::Frozen { on } => self.frozen = *on,
            Fact::Epoch { epoch } => self.epoch = self.epoch.max(*epoch),
            Fact::Stamp { .. } | Fact::Backup { .. } | Fact::Waived { .. } => self.note_run(fact),
        }
    }

    fn note_run(&mut self, fact: &Fact) {
        let Some(run) = &mut self.run else { return };
        if let Fact::Stamp { stamp } = fact {
            self.last_stamp = Some(stamp.clone());
            run.stamp = Some(stamp.clone());
            run.backup = None;
        } else if let Fact::Backup { key, etag, size } = fact {
            run.backup = Some((key.clone(), etag.clone(), *size));
        } else if let Fact::Waived { check } = fact {
            run.waived.insert(check.clone());
        }
    }

    /// Writes are allowed again: on the site users are on that is what makes going back costly.
    fn lifted(&mut self, site: &SiteName) {
        self.embargoes.remove(site);
        self.owed.remove(&Owed::Embargo { site: site.clone() });
        let moved = self.run.as_ref().is_some_and(|run| run.production != *site);
        if moved && self.production() == Some(site) {
            self.writes_since_swap = true;
        }
    }

    /// What follows from where the machine went.
    fn moved(&mut self, input: &Input, to: &State) {
        if let Input::Step { step, ended } = input {
            if let Some(place) = to.at().map(|at| (at.phase, *step)) {
                self.ended(place, *ended);
            }
            // The last step of a run leads to steady: its phase is no longer in the state.
            if *to == State::Steady {
                self.intents.clear();
            }
        }
        if let (Input::Resolve { step, done }, Some(at)) = (input, to.at()) {
            self.ended((at.phase, *step), if *done { Ended::Done } else { Ended::Failed });
        }
        match to {
            State::Steady => self.rest(input),
            State::Doing { at, .. } | State::Ready { at } => {
                if let Some(run) = &mut self.run {
                    run.entered.entry(at.phase).or_insert(self.now);
                }
                self.renewed |= at.way == Way::Forth && at.phase == Phase::Renew;
                if at.phase == Phase::SyncOn {
                    self.owed.remove(&Owed::Standby);
                }
            }
            State::Asking { .. } | State::Settling { .. } | State::Halted { .. } => (),
        }
    }

    /// The run is over. What is owed stays.
    fn rest(&mut self, input: &Input) {
        if !matches!(input, Input::Close) {
            self.intents.clear();
        }
        self.run = None;
        self.forget_approvals();
        self.failures.clear();
        self.paused = false;
    }
}

/// A map with a pair as its key, as a list: JSON has text keys only.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::Phase;

    type Map<V> = BTreeMap<(Phase, u8), V>;

    pub(super) fn serialize<V: Serialize, S: Serializer>(
        map: &Map<V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter())
    }

    pub(super) fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Map<V>, D::Error> {
        Ok(Vec::<((Phase, u8), V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
