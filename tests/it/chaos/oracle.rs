//! What must hold, told from the world alone and from what the journal claims; shares no code with either.

use std::collections::BTreeSet;

use changeover::machine::{Body, Input, Life, State};
use changeover::model::{Kind, Phase, Roles, Way};

use super::earth::Earth;
use super::time::Ms;
use super::users::Kept;

/// What a person did by hand shortly before a look may be missed by it.
const GRACE: Ms = 30_000;

/// Something a person changed by hand and has not put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    /// Writes are allowed again at this site.
    Lifted(usize),
    /// A sync job has its entry again at this site.
    Cron(usize),
    /// `.env` at this site names the other site's database.
    Env(usize),
    /// A name leads to a stranger's address.
    Record,
}

/// A loss that a person agreed to: what users wrote there since they came.
#[derive(Clone, Copy, Debug)]
struct Consent {
    site: usize,
    since: Ms,
    until: Option<Ms>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) kept: Vec<Kept>,
    pub(crate) refused_writes: u64,
    /// What must never be and was.
    pub(crate) broken: Vec<String>,
    pub(crate) last_production: usize,
    /// Users moved to a site, by the authority.
    moves: Vec<(Ms, usize)>,
    consents: Vec<Consent>,
    pub(crate) hands: Vec<(Ms, Hand)>,
    /// When a phase that demands guards was entered last.
    entered: Ms,
    /// When a request took effect after its answer was given up.
    pub(crate) last_late: Option<Ms>,
    /// Roles as the journal had them at the last line.
    roles: Option<Roles>,
    pub(crate) excused: u64,
    /// Where the journal says that writes are refused.
    pub(crate) embargoed: BTreeSet<usize>,
    /// Where sync jobs may have their entries: no run is in the way of them.
    pub(crate) jobs_belong: Option<usize>,
    /// Marker and line of the nightly load.
    pub(crate) reset_job: (String, String),
}

impl Oracle {
    pub(crate) fn by_hand(&self, hand: Hand) -> Option<Ms> {
        self.hands.iter().find(|it| it.1 == hand).map(|it| it.0)
    }

    /// A person did this, and since then nothing was entered that should have seen it.
    fn unseen(&self, hand: Hand) -> bool {
        self.by_hand(hand).is_some_and(|at| self.entered < at + GRACE)
    }

    pub(crate) fn moves_made(&self) -> u64 {
        self.moves.len() as u64
    }

    pub(crate) fn came(&self, site: usize) -> Ms {
        self.moves.iter().rev().find(|it| it.1 == site).map_or(0, |it| it.0)
    }

    /// Another journal is looked at from here on.
    pub(crate) fn goes_on_with(&mut self, roles: Option<Roles>) {
        self.roles = roles;
    }

    pub(crate) fn agreed(&self, write: &Kept) -> bool {
        self.consents.iter().any(|it| {
            it.site == write.site
                && write.at >= it.since
                && it.until.is_none_or(|end| write.at <= end)
        })
    }
}

impl Earth {
    pub(crate) fn broken(&mut self, says: impl Into<String>) {
        let line = format!("{}: {}", self.wall().screen(), says.into());
        self.note(format!("BROKEN {line}"));
        self.oracle.broken.push(line);
    }

    /// Users write at a site. True if the write may be lost: nothing could have known.
    pub(crate) fn judge_write(&mut self, at: usize, record: &str, name: &str) -> bool {
        self.judge_fenced(at);
        let Some(there) = self.users_are_at(record, name) else { return false };
        let lifted = self.oracle.unseen(Hand::Lifted(at));
        if there == at || self.beside(at) {
            return false;
        }
        if lifted {
            self.oracle.excused += 1;
            return true;
        }
        let (name, other) = (self.sites[at].name.clone(), self.sites[there].name.clone());
        self.broken(format!("{name} accepted a {record} write after {other} took its role"));
        false
    }

    pub(crate) fn judge_drop(&mut self, target: usize, host: usize, asked: bool) {
        if target != self.production() {
            return;
        }
        // Nobody can look later than the moment before.
        let edited = self.oracle.by_hand(Hand::Env(host)).is_some_and(|at| self.now < at + GRACE);
        if edited || !asked && self.oracle.unseen(Hand::Cron(host)) {
            self.oracle.excused += 1;
            return;
        }
        let (name, host) = (self.sites[target].name.clone(), self.sites[host].name.clone());
        self.broken(format!("the production database, {name}'s, is dropped from {host}"));
    }

    pub(crate) fn judge_deploy(&mut self, site: usize, job: &str, tag: &str) {
        let name = self.sites[site].name.clone();
        if site == self.production() {
            self.broken(format!("{job} of {tag} deploys to {name}, which is production"));
        }
        let other = &self.sites[1 - site];
        if other.gitlab.deploys() {
            self.broken(format!("{name} and {} are deployed at once", other.name));
        }
    }

    pub(crate) fn judge_move(&mut self) {
        let (before, now) = (self.oracle.last_production, self.production());
        if before == now {
            return;
        }
        self.note(format!("users are sent to {}", self.sites[now].name));
        let at = self.now;
        self.judge_moved(now);
        let left = |it: &&mut Consent| it.site == before && it.until.is_none();
        self.oracle.consents.iter_mut().filter(left).for_each(|it| it.until = Some(at));
        self.oracle.last_production = now;
        self.oracle.moves.push((at, now));
    }

    /// One line of the journal, and what it folds to.
    pub(crate) fn judge_line(&mut self, body: &Body, life: &Life) {
        if let Body::Decided { input: Input::Rollback { loss_accepted: true }, .. } = body
            && let Some(run) = &life.record.run
        {
            let site = self.index(run.standby.as_str());
            let since = if self.production() == site { self.oracle.came(site) } else { self.now };
            self.oracle.consents.push(Consent { site, since, until: None });
        }
        self.oracle.embargoed =
            life.record.embargoes.keys().map(|it| self.index(it.as_str())).collect();
        let closing = life.state.at().is_none_or(|it| it.phase == Phase::SyncOn);
        self.oracle.jobs_belong = closing.then(|| 1 - self.production());
        if let Some(site) = self.oracle.jobs_belong {
            // What stands there now is no longer that person's alone.
            self.oracle.hands.retain(|it| it.1 != Hand::Cron(site));
        }
        if self.oracle.roles != life.record.roles {
            self.oracle.roles.clone_from(&life.record.roles);
            self.judge_roles(life);
        }
        if let Body::Decided { input: Input::Next | Input::Accept, from, to, .. } = body
            && from.at().map(|it| it.phase) != to.at().map(|it| it.phase)
        {
            self.judge_entry(life, to);
        }
    }

    /// The journal says who is production: then all servers must have said so.
    fn judge_roles(&mut self, life: &Life) {
        let Some(Roles::Settled { production }) = &life.record.roles else { return };
        let site = self.index(production.as_str());
        let strange = self.oracle.by_hand(Hand::Record).is_some();
        for (record, name) in [
            ("web", "gigadb.org"),
            ("files", "files.gigadb.org"),
            ("bastion", "bastion.gigadb.host"),
        ] {
            if self.users_are_at(record, name) != Some(site) && !strange {
                self.broken(format!(
                    "the journal says {production} is production; {name} leads elsewhere"
                ));
            }
        }
    }

    fn judge_entry(&mut self, life: &Life, to: &State) {
        let (Some(at), Some(run)) = (to.at(), &life.record.run) else { return };
        if at.kind == Kind::Failover {
            return;
        }
        let loads = [
            Phase::Backup,
            Phase::Reset,
            Phase::Validate,
            Phase::Swap,
            Phase::Sanity,
            Phase::Lift,
            Phase::Renew,
        ];
        if !loads.contains(&at.phase) {
            return;
        }
        let (production, standby) =
            (self.index(run.production.as_str()), self.index(run.standby.as_str()));
        if run.entered.contains_key(&Phase::Backup) && !self.just_late() {
            for site in 0..2 {
                self.judge_jobs(site, at.phase);
            }
        }
        if at.way == Way::Forth
            && matches!(at.phase, Phase::Backup | Phase::Reset | Phase::Validate | Phase::Swap)
        {
            self.judge_embargo(production, at.phase);
        }
        if at.way == Way::Forth && at.phase == Phase::Swap {
            self.judge_embargo(standby, at.phase);
        }
        self.oracle.entered = self.now;
    }

    fn just_late(&self) -> bool {
        self.oracle.last_late.is_some_and(|at| self.now < at + GRACE)
    }

    fn judge_jobs(&mut self, site: usize, phase: Phase) {
        let (host, name) = (&self.sites[site].host, self.sites[site].name.clone());
        let entry = ["databaseReset latest", "sync_dropbox --apply"]
            .iter()
            .find(|it| host.crontab.iter().any(|line| line.contains(*it)));
        let running = ["databaseReset", "sync_dropbox"].iter().find(|it| host.fired(it));
        let by_hand = self.oracle.by_hand(Hand::Cron(site));
        let fresh = by_hand.is_some_and(|at| self.now < at + GRACE);
        if let Some(job) = entry.or(running).filter(|_| !fresh) {
            self.broken(format!("{} was entered while `{job}` is on at {name} (V4)", phase.name()));
        }
    }

    fn judge_embargo(&mut self, site: usize, phase: Phase) {
        let fresh = self.oracle.by_hand(Hand::Lifted(site)).is_some_and(|at| self.now < at + GRACE);
        if !self.sites[site].db.refuses && !fresh && !self.just_late() {
            let name = self.sites[site].name.clone();
            self.broken(format!("{} was entered while {name} accepts writes (V5)", phase.name()));
        }
    }

    /// A system without a run, and with nothing wrong in the world any more.
    pub(crate) fn judge_rest(&mut self, life: &Life) -> Vec<String> {
        let mut wrong = vec![];
        let production = self.production();
        let name = self.sites[production].name.clone();
        if life.record.production().map(changeover::model::SiteName::as_str) != Some(name.as_str())
        {
            wrong.push(format!("users are at {name}, the journal has {:?}", life.record.roles));
        }
        let site = &self.sites[production];
        if site.db.refuses {
            wrong.push(format!("{name} is production and refuses writes"));
        }
        if !site.db.tables {
            wrong.push(format!("{name} is production and its database is gone"));
        }
        let has = |site: usize, program: &str| {
            self.sites[site]
                .host
                .crontab
                .iter()
                .filter(|it| !it.starts_with('#') && it.contains(program))
                .count()
        };
        for (program, at) in [
            ("s3backup", production),
            ("databaseReset", 1 - production),
            ("sync_dropbox", 1 - production),
        ] {
            if (has(at, program), has(1 - at, program)) != (1, 0) {
                wrong.push(format!("{program} has not its one entry at {}", self.sites[at].name));
            }
        }
        wrong.extend(self.lost_writes());
        wrong
    }

    /// What users were told is kept, and is not in production.
    pub(crate) fn lost_writes(&self) -> Option<String> {
        let site = &self.sites[self.production()];
        let (rows, files): (BTreeSet<_>, BTreeSet<_>) =
            (site.db.rows.iter().collect(), site.files.iter().collect());
        let lost: Vec<&Kept> = self
            .oracle
            .kept
            .iter()
            .filter(|it| !it.forgiven && !self.oracle.agreed(it) && !self.incidents.agreed(it))
            .filter(
                |it| !if it.file { files.contains(&it.number) } else { rows.contains(&it.number) },
            )
            .collect();
        let first = lost.first()?;
        let (what, when) = (if first.file { "file" } else { "row" }, self.at(first.at).screen());
        let at = &self.sites[first.site].name;
        Some(format!(
            "{} acknowledged writes are lost: first {what} {} of {when} at {at}",
            lost.len(),
            first.number
        ))
    }
}
