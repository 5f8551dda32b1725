//! Disagreements of scheduled jobs: where each has an entry or runs, against the role of that site.

use crate::drift::group::Group;
use crate::drift::{Difference, Known, Name};
use crate::machine::Owed;
use crate::model::{Evidence, JobSeen, JobsSeen, Part, Phase, Role, Sight, SiteName};
use crate::workflow::Job;

pub(super) fn differences(known: &Known<'_>, sight: &Sight, group: &Group<'_>) -> Vec<Difference> {
    // Whose data would be overwritten is what the switch says, not what the journal remembers.
    let Some(production) = group.whole().or_else(|| known.settled()) else { return vec![] };
    let mut found = vec![];
    for (name, job) in &known.workflow.jobs {
        let home = match job.runs_on {
            Role::Production => Some(production),
            Role::Standby | Role::Quarantined => known.other(production),
        };
        for (site, hosts) in &sight.jobs {
            let Some((part, seen)) = hosts.get(&job.host).and_then(|it| Some((it, it.known()?)))
            else {
                continue;
            };
            let nothing = JobSeen::default();
            let seen = seen.get(name).unwrap_or(&nothing);
            let here = Here { known, name, job, site, production, part, seen };
            found.extend(if home == Some(site) { here.at_home() } else { here.elsewhere() });
        }
    }
    found
}

/// One job at one site.
struct Here<'h> {
    known: &'h Known<'h>,
    name: &'h str,
    job: &'h Job,
    site: &'h SiteName,
    production: &'h SiteName,
    part: &'h Part<JobsSeen>,
    seen: &'h JobSeen,
}

impl Here<'_> {
    /// On a site whose role does not run it nothing of it may be.
    fn elsewhere(&self) -> Option<Difference> {
        let (observed, running) = self.on()?;
        if self.in_flux() {
            return None;
        }
        let (name, declared) = if self.job.sync.is_some() {
            let from = self.known.other(self.production).map_or("the standby", SiteName::as_str);
            let into = if self.site == self.production {
                format!("it writes into {}, which is production", self.site)
            } else {
                format!("it copies from {from} to {}", self.production)
            };
            (Name::SyncBackwards, format!("runs on the {} only; {into}", self.role()))
        } else {
            (Name::JobOn, format!("runs on {} only", self.role()))
        };
        Some(self.difference(name, declared, observed, self.take_out(running)))
    }

    fn at_home(&self) -> Option<Difference> {
        if self.in_flux() {
            return None;
        }
        if self.must_be_off() {
            let (observed, running) = self.on()?;
            let declared = "off until `sync_on`".to_owned();
            return Some(self.difference(Name::JobOn, declared, observed, self.take_out(running)));
        }
        let declared = || format!("an entry on {}: {}", self.role(), self.job.line);
        match self.seen.entries.as_slice() {
            [] if self.known.record().run.is_some() && self.job.sync.is_some() => None,
            [] if self.is_owed() => None,
            [] => Some(self.difference(
                Name::JobMissing,
                declared(),
                format!("no entry on {}", self.site),
                format!("{}: #Ansible: {} / {}", self.put_in(), self.job.marker, self.job.line),
            )),
            [only] if only.exact => None,
            several => {
                let lines: Vec<&str> = several.iter().map(|it| it.line.as_str()).collect();
                let turned =
                    self.job.sync.is_some() && several.iter().any(|it| turned(&it.line, self.job));
                let name = if turned { Name::SyncBackwards } else { Name::JobChanged };
                let way = if turned { " (the same words the other way round)" } else { "" };
                let observed = format!("on {}: {}{way}", self.site, lines.join("; "));
                let settle = format!(
                    "find out who changed it; then make it that entry again: {}",
                    self.put_in()
                );
                Some(self.difference(name, declared(), observed, settle))
            }
        }
    }

    /// What of it is there: an entry, else a running instance (true).
    fn on(&self) -> Option<(String, bool)> {
        if let Some(entry) = self.seen.entries.first() {
            return Some((format!("an entry on {}: {}", self.site, entry.line), false));
        }
        let running = self.seen.running.first()?;
        // The run itself starts such programs, on the site that they belong to.
        let own = self.site != self.production && self.known.in_flux("host.run", "");
        (!own).then(|| (format!("runs on {}: {running}", self.site), true))
    }

    fn role(&self) -> &'static str {
        match self.job.runs_on {
            Role::Production => "production",
            Role::Standby | Role::Quarantined => "standby",
        }
    }

    fn is_owed(&self) -> bool {
        self.known.record().owed.iter().any(|it| match it {
            Owed::Job { job, .. } => job == self.name,
            Owed::Embargo { .. } | Owed::Standby | Owed::Fence { .. } => false,
        })
    }

    /// Switched off by a run and not yet on again; a sync also where the run found it off.
    fn must_be_off(&self) -> bool {
        let run = self.known.record().run.as_ref();
        let between = run.is_some_and(|run| {
            let entered = |phase| run.entered.contains_key(&phase);
            entered(Phase::Backup) && !entered(Phase::SyncOn)
        });
        self.is_owed() || (between && self.job.sync.is_some())
    }

    /// A step may be changing its entry, or the phase that switches jobs on was left half-way.
    fn in_flux(&self) -> bool {
        let key = format!("/crontab/{}", self.name);
        let switching = self.known.working && self.known.inside(&[Phase::SyncOff, Phase::SyncOn]);
        self.known.in_flux("job.", &key) || switching
    }

    fn host(&self) -> String {
        format!("{} of {}", self.job.host, self.site)
    }

    fn take_out(&self, running: bool) -> String {
        if running {
            format!("end it on {}, then look at what it has overwritten", self.host())
        } else {
            format!("take the entry and its marker out of the crontab of {}", self.host())
        }
    }

    fn put_in(&self) -> String {
        format!("in the crontab of {}", self.host())
    }

    fn difference(
        &self,
        name: Name,
        declared: String,
        observed: String,
        settle: String,
    ) -> Difference {
        let evidence: Evidence = self.part.says(observed.clone());
        Difference {
            name,
            site: Some(self.site.clone()),
            subject: format!("job {}", self.name),
            declared,
            observed,
            since: None,
            evidence: vec![evidence],
            settle,
            command: None,
        }
    }
}

/// The same words in another order: source and target were exchanged.
fn turned(line: &str, job: &Job) -> bool {
    let (line, wanted): (Vec<&str>, Vec<&str>) =
        (line.split_whitespace().collect(), job.line.split_whitespace().collect());
    let sorted = |words: &[&str]| {
        let mut words: Vec<String> = words.iter().map(|it| (*it).to_owned()).collect();
        words.sort();
        words
    };
    line != wanted && sorted(&line) == sorted(&wanted)
}
