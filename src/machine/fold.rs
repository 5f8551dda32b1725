//! How entries become the record: one pure function, the same for live runs and for replay.

use std::collections::BTreeMap;

use crate::machine::consent::{FenceEnd, Fenced};
use crate::machine::entry::{Body, Entry, Fact, Intent, Kept, Owed, Remembered};
use crate::machine::input::{Begin, Ended, Input};
use crate::machine::path::path;
use crate::machine::record::{Caches, Copied, Counted, Incident, Record, Run, Standing};
use crate::machine::state::{At, State};
use crate::model::{Kind, Phase, Roles, SiteName, Time, Way};

impl Record {
    /// The record after this entry, given by this person. Pure: the same entries give the same record.
    #[must_use]
    pub fn after(&self, entry: &Entry, by: &str) -> Self {
        let mut next = self.clone();
        next.now = entry.at;
        match &entry.body {
            Body::Decided { input, from, to, facts, .. } => {
                next.decided(input, by);
                facts.iter().for_each(|fact| next.learn(fact));
                next.ended_by(input, from.at());
                next.moved(input, from, to);
            }
            Body::Refused { .. } => (),
            Body::Intent(intent) => next.intend(intent, entry.at),
            Body::Note { facts, .. } => facts.iter().for_each(|fact| next.learn(fact)),
        }
        next
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
            // A gate that is over leaves nothing for the next one.
            Input::Reject | Input::Voided | Input::Due => self.forget_approvals(),
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
            | Input::Settled => (),
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
            waived: BTreeMap::new(),
            without: BTreeMap::default(),
        });
        self.forget_approvals();
        self.failures.clear();
        // A closed run may have left some; their steps are none of this run's.
        self.intents.clear();
        self.verdicts.clear();
        self.writes_since_swap = false;
        self.renewed = false;
        self.paused = false;
        self.counts.clear();
        self.rows = None;
        // What an earlier run's dump held bounds nothing that this one loads.
        self.held.clear();
        self.drilled = None;
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
        // A drill moves drill names only; the standby stays what it was.
        let drill = self.run.as_ref().is_some_and(|run| run.kind == Kind::Drill);
        let spoils =
            matches!(intent.phase, Phase::Deploy | Phase::Reset | Phase::Swap | Phase::Renew);
        if spoils && !drill {
            self.owed.insert(Owed::Standby);
        }
        intent.facts.iter().for_each(|fact| self.learn(fact));
    }

    /// The outcome of a step that an input tells.
    fn ended_by(&mut self, input: &Input, from: Option<At>) {
        let Some(at) = from else { return };
        if let Input::Step { step, ended } = input {
            self.ended((at.phase, *step), *ended);
        } else if let Input::Resolve { step, done } = input {
            self.ended((at.phase, *step), if *done { Ended::Done } else { Ended::Failed });
        }
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
            Fact::RolesSettled { production } => self.arrived(production),
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
            Fact::Counted { .. } | Fact::Rows { .. } | Fact::Remembered { .. } => {
                self.counted(fact);
            }
            // The same packet shown again leaves the approvals of it standing.
            Fact::Packet { digest, .. } if self.packet == Some(*digest) => (),
            Fact::Packet { digest, parts } => {
                self.forget_approvals();
                self.packet = Some(*digest);
                self.packet_parts.clone_from(parts);
            }
            Fact::Held { rows } => self.held.clone_from(rows),
            Fact::Copied { name, kept } => self.holds(name, kept),
            Fact::GivenUp { name } => {
                self.copies.remove(name);
            }
            Fact::Settled(closed) => self.ended((closed.phase, closed.step), closed.ended),
            Fact::Paused { on } => self.paused = *on,
            Fact::Frozen { on } => self.frozen = *on,
            Fact::Epoch { epoch } => self.epoch = self.epoch.max(*epoch),
            Fact::Stamp { .. }
            | Fact::Backup { .. }
            | Fact::Waived { .. }
            | Fact::Without { .. } => self.note_run(fact),
            Fact::Loading { .. } | Fact::Loaded { .. } => self.copied(fact),
            Fact::Drilled { from } => self.drilled = Some(from.clone()),
            Fact::Armed(seal) => self.armed = Some(*seal),
            Fact::Consented { .. }
            | Fact::Fenced { .. }
            | Fact::CopyCounted { .. }
            | Fact::LossFound { .. } => {
                self.lost(fact);
            }
            Fact::LeftByHand { site } => self.left_by_hand(site),
        }
    }

    /// A copy that nobody has to keep any more makes room for it.
    fn holds(&mut self, name: &str, kept: &Kept) {
        let now = self.now;
        self.copies.retain(|_, it| it.until > now);
        self.copies.insert(name.to_owned(), kept.clone());
    }

    fn counted(&mut self, fact: &Fact) {
        if let Fact::Counted { site, requests, lasted_ms } = fact {
            let counted = Counted { at: self.now, requests: *requests, lasted_ms: *lasted_ms };
            self.counts.insert(site.clone(), counted);
        } else if let Fact::Rows { rows } = fact {
            self.rows = Some((self.rows.map_or(*rows, |it| it.0), *rows));
        } else if let Fact::Remembered { old, ttl } = fact {
            self.caches = Some(Caches { at: self.now, old: *old, ttl: *ttl });
        }
    }

    fn copied(&mut self, fact: &Fact) {
        if let Fact::Loading { site } = fact {
            let of = self.loads.get(site).map_or(self.now, |it| it.of);
            self.loads.insert(site.clone(), Copied { of, whole: false });
        } else if let Fact::Loaded { site, of } = fact {
            self.loads.insert(site.clone(), Copied { of: *of, whole: true });
        }
    }

    /// What a failover is about.
    fn lost(&mut self, fact: &Fact) {
        if let (Fact::Consented { consent }, Some(run)) = (fact, &self.run) {
            self.incident = Some(Incident {
                run: run.number,
                at: self.now,
                consent: (**consent).clone(),
                fence: BTreeMap::new(),
                counts: BTreeMap::new(),
                found: None,
                gone_back: false,
            });
        } else if let Fact::Fenced { part, site, how, says } = fact {
            if *how == FenceEnd::Done {
                self.owed.remove(&Owed::Fence { part: part.clone(), site: site.clone() });
            }
            if let Some(incident) = self.incident.as_mut().filter(|it| it.consent.lost == *site) {
                let fenced = Fenced { how: *how, at: self.now, says: says.clone() };
                incident.fence.insert(part.clone(), fenced);
            }
        } else if let (Fact::CopyCounted { counts }, Some(incident)) = (fact, &mut self.incident) {
            incident.counts.clone_from(counts);
        } else if let (Fact::LossFound { says }, Some(incident)) = (fact, &mut self.incident) {
            incident.found = Some(says.clone());
        }
    }

    fn note_run(&mut self, fact: &Fact) {
        let Some(run) = &mut self.run else { return };
        if let Fact::Stamp { stamp } = fact {
            self.last_stamp = Some(stamp.clone());
            // What was proven under another stamp proves nothing about this one.
            if run.stamp.as_ref() != Some(stamp) {
                run.backup = None;
            }
            run.stamp = Some(stamp.clone());
        } else if let Fact::Backup { key, etag, size } = fact {
            run.backup = Some((key.clone(), etag.clone(), *size));
        } else if let Fact::Waived { check, waiver } = fact {
            run.waived.insert(check.clone(), waiver.clone());
        } else if let Fact::Without { site, waiver } = fact {
            run.without.insert(site.clone(), waiver.clone());
        }
    }

    /// Users are on this site.
    fn arrived(&mut self, production: &SiteName) {
        if let Some(Roles::Moving { from, to }) = &self.roles
            && to == production
        {
            // What users left is as good a copy as there is: it holds all that was written before.
            self.loads.insert(from.clone(), Copied { of: self.now, whole: true });
            self.loads.remove(production);
        }
        // Whoever serves users is not fenced, also where people brought them back by hand.
        self.owed.retain(|it| !matches!(it, Owed::Fence { site, .. } if site == production));
        self.roles = Some(Roles::Settled { production: production.clone() });
        if let Some(it) = self.incident.as_mut().filter(|it| it.consent.lost == *production) {
            it.gone_back = true;
        }
        if self.quarantined.as_ref() == Some(production) {
            self.quarantined = None;
        }
        let Some(run) = self.run.as_ref().filter(|run| run.production != *production) else {
            return;
        };
        // Where nothing refuses writes they are accepted from here on.
        if run.kind == Kind::Failover {
            self.quarantined = Some(run.production.clone());
            self.writes_since_swap = true;
        } else if self.embargoes.is_empty() {
            self.writes_since_swap = true;
        }
    }

    /// Writes are allowed again: on the site users have moved to that is what makes going back costly.
    fn lifted(&mut self, site: &SiteName) {
        self.embargoes.remove(site);
        self.owed.remove(&Owed::Embargo { site: site.clone() });
        let moved = self.run.as_ref().is_some_and(|run| run.production != *site);
        if moved && self.production() == Some(site) {
            self.writes_since_swap = true;
        }
    }

    /// What follows from where the machine went.
    fn moved(&mut self, input: &Input, from: &State, to: &State) {
        match to {
            State::Steady => self.rest(input, from.at()),
            State::Doing { at, .. } | State::Ready { at } => {
                self.walked(from.at(), *at);
                if let Some(run) = &mut self.run {
                    run.entered.entry(at.phase).or_insert(self.now);
                }
                self.renewed |= at.way == Way::Forth && at.phase == Phase::Renew;
                if matches!(to, State::Ready { .. }) && at.phase == Phase::Renew {
                    self.renewal_done();
                }
            }
            State::Asking { .. } | State::Settling { .. } | State::Halted { .. } => (),
        }
    }

    /// A new walk begins: its phases have not been entered, and failures of another way are not its own.
    fn walked(&mut self, from: Option<At>, to: At) {
        let kind = from.is_none_or(|from| from.kind == to.kind);
        if kind && from.is_none_or(|from| from.way == to.way) {
            return;
        }
        if kind && to.way == Way::Forth {
            // Going back was given up: it is still the walk forth that had come as far as here.
            self.failures.retain(|(phase, _), _| *phase != Phase::Swap);
            return;
        }
        let path = path(to.kind, to.way);
        self.failures.retain(|(phase, _), _| !path.contains(phase));
        let here = self.production().cloned();
        let Some(run) = &mut self.run else { return };
        run.entered.retain(|phase, _| !path.contains(phase));
        if run.kind != to.kind {
            run.kind = to.kind;
            // After the swap of the interrupted run it is the new production that is given up.
            if here.as_ref() == Some(&run.standby) {
                std::mem::swap(&mut run.production, &mut run.standby);
            }
            self.epoch += 1;
            self.writes_since_swap = false;
            self.renewed = false;
            self.forget_approvals();
        }
    }

    /// The standby has production's release and data: it owes nothing, and refuses writes no longer.
    fn renewal_done(&mut self) {
        self.owed.remove(&Owed::Standby);
        let Some(production) = self.production().cloned() else { return };
        self.embargoes.retain(|site, _| *site == production);
        self.owed.retain(|it| !matches!(it, Owed::Embargo { site } if *site != production));
    }

    /// The run is over. What is owed stays.
    fn rest(&mut self, input: &Input, from: Option<At>) {
        let given_up = matches!(input, Input::Close | Input::Settled);
        if from.is_some_and(|at| at.kind == Kind::Rejoin && at.way == Way::Forth) && !given_up {
            self.quarantined = None;
        }
        if !matches!(input, Input::Close) {
            self.intents.clear();
        }
        self.run = None;
        self.forget_approvals();
        self.failures.clear();
        self.paused = false;
    }
}
