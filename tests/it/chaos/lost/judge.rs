//! What must hold of a failover, told from the world and from what the journals claim.

use std::collections::BTreeSet;

use changeover::conductor::MayLose;
use changeover::machine::{Body, Consent, Fact, FenceEnd, Life, State};
use changeover::model::{Kind, Roles};

use crate::chaos::earth::Earth;
use crate::chaos::time::Ms;
use crate::chaos::users::Kept;

/// A failover that a person agreed to.
#[derive(Clone, Debug)]
struct Given {
    lost: usize,
    to: usize,
    at: Ms,
    /// Rows since then may be lost, by the figure the person typed.
    since: Ms,
    /// Files since then: since the last sync.
    files: Ms,
    /// Users were brought back there, or it was rebuilt.
    until: Option<Ms>,
}

/// What the oracle remembers of incidents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incidents {
    given: Vec<Given>,
    /// Sites that users left in a failover, and that were not rebuilt since.
    pub(crate) left: BTreeSet<usize>,
    fenced: BTreeSet<usize>,
    /// What the person who gives the command types.
    pub(crate) said: Option<MayLose>,
    /// Writes that a lost site took after users had been moved.
    pub(crate) beside: u64,
    /// Failovers after which users were on the other site.
    pub(crate) moved: u64,
    /// Rows lost in them, each within what was agreed to.
    pub(crate) rows: u64,
}

impl Incidents {
    pub(crate) fn agreed(&self, write: &Kept) -> bool {
        self.given.iter().any(|it| {
            let since = if write.file { it.files } else { it.since };
            // What users wrote before that may lie on production by way of the other site.
            let of_lost = it.lost == write.site && it.until.is_none_or(|end| write.at <= end);
            write.at >= since && (of_lost || write.at <= it.at)
        })
    }
}

impl Earth {
    /// Whether a write at a site that is not production is one of a lost site's that nobody could fence.
    pub(crate) fn beside(&mut self, at: usize) -> bool {
        let lost = self.incidents.given.iter().any(|it| it.lost == at && it.until.is_none());
        self.incidents.beside += u64::from(lost);
        lost
    }

    /// A write at a site whose power to take any was taken away, by the journal.
    pub(crate) fn judge_fenced(&mut self, at: usize) {
        if self.incidents.fenced.contains(&at) {
            let name = self.sites[at].name.clone();
            self.broken(format!("{name} took a write, and the journal says that it is fenced"));
        }
    }

    /// Users were moved to this site.
    pub(crate) fn judge_moved(&mut self, to: usize) {
        self.end_given(to);
    }

    fn end_given(&mut self, site: usize) {
        let now = self.now;
        let open = self.incidents.given.iter_mut().filter(|it| it.lost == site);
        open.filter(|it| it.until.is_none()).for_each(|it| it.until = Some(now));
    }

    /// One line of a journal, and what it folds to.
    pub(crate) fn judge_incident(&mut self, body: &Body, life: &Life, second: bool) {
        for fact in facts(body) {
            match fact {
                Fact::Consented { consent } => self.agrees(consent, second),
                Fact::RolesSettled { production } if fails_over(life) => {
                    let at = self.index(production.as_str());
                    self.settled(at);
                }
                Fact::RolesSettled { production } => {
                    // Nobody was moved by what was agreed to before.
                    let now = self.index(production.as_str());
                    let others = (0..self.sites.len()).filter(|it| *it != now);
                    others.for_each(|it| self.end_given(it));
                }
                _ => (),
            }
        }
        if let Body::Intent(_) = body {
            self.judge_running(body, life);
        }
        if let Body::Decided { from, to: State::Steady, input, .. } = body
            && from.at().is_some_and(|at| at.kind == Kind::Rejoin)
            && input.name() != "close"
            && life.record.quarantined.is_none()
        {
            for site in std::mem::take(&mut self.incidents.left) {
                self.end_given(site);
            }
        }
        if !second {
            self.judge_writable(life);
            self.fences(life);
        }
    }

    /// Users are about to be moved to a site whose data is just being replaced, and nobody said that they may be.
    fn judge_running(&mut self, body: &Body, life: &Life) {
        let waived = |it: &str| {
            life.record
                .run
                .as_ref()
                .is_some_and(|run| run.waived.keys().any(|id| id.as_str() == it))
        };
        for fact in facts(body) {
            if let Fact::RolesMoving { to, .. } = fact
                && fails_over(life)
                && self.sites[self.index(to.as_str())].host.fired("databaseReset")
                && !waived("f-reset")
            {
                self.broken(format!("users are moved to {to}, whose data is being replaced"));
            }
        }
    }

    fn agrees(&mut self, consent: &Consent, second: bool) {
        let (lost, to) = (self.index(consent.lost.as_str()), self.index(consent.to.as_str()));
        let said = match self.incidents.said.filter(|_| !second) {
            Some(MayLose::Seconds(most)) => Some(most),
            Some(MayLose::Unknown) | None => consent.accepted,
        };
        let asked = u64::try_from((consent.asked.0 - self.start.0) / 1000).unwrap_or(0);
        let least = |most: i64| asked.saturating_sub(u64::try_from(most).unwrap_or(0) * 1000);
        let since = said.map_or(0, least);
        let files = self.sites[to].synced;
        self.note(format!("agreed to lose {lost} since {}", self.at(since).screen()));
        self.incidents.given.push(Given { lost, to, at: self.now, since, files, until: None });
    }

    /// Users are on a site now, by the journal: what the other one had and this one has not is lost.
    fn settled(&mut self, at: usize) {
        self.incidents.left.remove(&at);
        let Some(given) = self.incidents.given.iter().rev().find(|it| it.until.is_none()).cloned()
        else {
            return;
        };
        if given.to != at {
            return;
        }
        if self.incidents.left.insert(given.lost) {
            self.incidents.moved += 1;
        }
        let here: BTreeSet<u32> = self.sites[at].db.rows.iter().copied().collect();
        let gone = |it: &&Kept| it.site == given.lost && !it.file && !here.contains(&it.number);
        let lost: Vec<Kept> = self.oracle.kept.iter().filter(gone).copied().collect();
        let mine: Vec<&Kept> = lost.iter().filter(|it| !it.forgiven).collect();
        self.incidents.rows += mine.len() as u64;
        let agreed = |it: &Kept| self.incidents.agreed(it) || self.oracle.agreed(it);
        let unsaid = mine.iter().find(|it| !agreed(it));
        if let Some(first) = unsaid {
            let (when, since) = (self.at(first.at).screen(), self.at(given.since).screen());
            self.broken(format!("a row of {when} is lost; agreed to was what came after {since}"));
        }
    }

    /// Two sites that one journal calls writable: production, and one that users left and nobody may write to.
    fn judge_writable(&mut self, life: &Life) {
        let record = &life.record;
        let Some(Roles::Settled { production }) = &record.roles else { return };
        if record.quarantined.as_ref() == Some(production) {
            self.broken(format!("{production} is production and quarantined"));
        }
        let at = self.index(production.as_str());
        for left in self.incidents.left.clone() {
            let name = self.sites[left].name.clone();
            let named = record.quarantined.as_ref().is_some_and(|it| it.as_str() == name)
                || record.embargoes.keys().any(|it| it.as_str() == name);
            if left != at && !named {
                self.broken(format!("the journal calls {production} writable, and {name} too"));
            }
        }
    }

    /// Where the journal says that nothing is written any more.
    fn fences(&mut self, life: &Life) {
        self.incidents.fenced.clear();
        let record = &life.record;
        let rebuilds = record.run.as_ref().is_some_and(|it| it.kind == Kind::Rejoin);
        let Some(incident) = record.incident.as_ref().filter(|_| !rebuilds) else { return };
        let site = self.index(incident.consent.lost.as_str());
        let held = |part: &str| {
            incident.fence.iter().any(|(id, it)| id.as_str() == part && it.how == FenceEnd::Done)
        };
        let refuses = held("f-embargo") && record.embargoes.contains_key(&incident.consent.lost);
        if record.production() != Some(&incident.consent.lost)
            && (refuses || held("f-stop"))
            && self.incidents.left.contains(&site)
        {
            self.incidents.fenced.insert(site);
        }
    }

    /// A site that users left and that still takes writes of whoever comes, beside production.
    pub(crate) fn second_writer(&self) -> Option<usize> {
        let takes = |it: usize| {
            let site = &self.sites[it];
            site.serves() && site.db.tables && !site.db.refuses
        };
        let production = self.production();
        let lost = |it: &usize| {
            self.incidents.given.iter().any(|given| given.lost == *it && given.until.is_none())
        };
        (0..self.sites.len())
            .find(|it| *it != production && lost(it) && takes(*it) && takes(production))
    }
}

fn fails_over(life: &Life) -> bool {
    life.record.run.as_ref().is_some_and(|it| it.kind == Kind::Failover)
}

fn facts(body: &Body) -> &[Fact] {
    match body {
        Body::Decided { facts, .. } | Body::Note { facts, .. } => facts,
        Body::Intent(intent) => &intent.facts,
        Body::Refused { .. } => &[],
    }
}
