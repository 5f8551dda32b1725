//! Scheduled jobs on hosts. *Off* means no entry in the crontab and no running instance, waited for to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::ahead::{Ahead, BETWEEN, TAKE, Whole, whole};
use crate::actuator::crontab::{self, Place};
use crate::actuator::host::Machine;
use crate::actuator::trouble::{Trouble, coded};
use crate::fault::{E3708, E3709, E3801};
use crate::machine::{Fact, Owed};
use crate::model::{Change, Evidence, Kind, Role, SiteName, Verb};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::Job;
use crate::workflow::step::params::{JobOff, JobOn};

/// Reads a crontab, or replaces it if it is still what was read.
const CRONTAB: &str = include_str!("host/crontab.sh");
/// Lists all processes by command line.
const PROCESSES: &str = include_str!("host/processes.sh");

pub(super) fn off(wire: Arc<Wire>, call: Call, with: JobOff, ahead: Arc<Ahead>) -> Box<dyn Action> {
    Box::new(Off { wire, call, job: with.job, ahead, sent: AtomicBool::new(false) })
}

pub(super) fn on(wire: Arc<Wire>, call: Call, with: JobOn) -> Box<dyn Action> {
    Box::new(On { wire, call, job: with.job })
}

/// How a job stands on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// Not at all.
    Absent,
    /// Once, letter by letter, under its marker.
    Right,
    /// Otherwise; a line of it.
    Odd(String),
}

/// A job as it stands on one host.
pub(super) struct Look<'a> {
    wire: &'a Wire,
    call: &'a Call,
    name: &'a str,
    pub(super) job: &'a Job,
    site: SiteName,
    machine: Machine,
    /// The digest of the crontab as the host itself computed it.
    digest: String,
    text: String,
    places: Vec<Place>,
}

impl<'a> Look<'a> {
    /// Reads the crontab of the job's host at a site; without one, at the site of the step or the job's role.
    pub(super) async fn at(
        wire: &'a Wire,
        call: &'a Call,
        name: &'a str,
        site: Option<&SiteName>,
    ) -> Result<Self, Trouble> {
        let (site, machine) = place(call, name, site)?;
        let crontab = read(wire, call, &machine).await?;
        Self::of(wire, call, name, &site, crontab)
    }

    /// The job in a crontab that was read on its host at this site.
    pub(super) fn of(
        wire: &'a Wire,
        call: &'a Call,
        name: &'a str,
        site: &SiteName,
        (digest, text): (String, String),
    ) -> Result<Self, Trouble> {
        let jobs = &call.workflow.jobs;
        let missing = || Trouble::harmless(&E3801, "workflow", format!("there is no job {name}"));
        let job = jobs.get(name).ok_or_else(missing)?;
        let machine = Machine::of(&call.workflow, site, &job.host)?;
        let others: Vec<&Job> =
            jobs.iter().filter(|(it, _)| *it != name).map(|(_, it)| it).collect();
        let places = crontab::places(&text, job, &others);
        let site = site.clone();
        Ok(Self { wire, call, name, job, site, machine, digest, text, places })
    }

    fn key(&self) -> String {
        format!("host/{}/crontab/{}", self.machine.alias, self.name)
    }

    pub(super) fn says(&self, says: String) -> Evidence {
        let data = json!({ "crontab": self.digest });
        self.wire.evidence_with(&self.machine.source(), says, data)
    }

    pub(super) fn odd(&self, says: String) -> Evidence {
        coded(self.wire, &E3709, &self.machine.source(), says)
    }

    /// What stands at this line.
    fn line(&self, at: usize) -> &str {
        self.text.lines().nth(at).unwrap_or_default()
    }

    /// An entry that runs the job's program and is not the job's own.
    pub(super) fn strange(&self) -> Option<&str> {
        self.places.iter().find_map(|it| match it {
            Place::Other(at) => Some(self.line(*at)),
            Place::Pair { .. } | Place::Bare(_) | Place::Lone(_) => None,
        })
    }

    /// How it stands here; a marker with nothing under it runs nothing.
    pub(super) fn stands(&self) -> Stands {
        let mut running = self.places.iter().filter_map(|it| match it {
            Place::Pair { at, exact } => Some((at + 1, *exact)),
            Place::Bare(at) | Place::Other(at) => Some((*at, false)),
            Place::Lone(_) => None,
        });
        match (running.next(), running.next()) {
            (None, _) => Stands::Absent,
            (Some((_, true)), None) => Stands::Right,
            (Some((_, true)), Some((at, _))) | (Some((at, false)), _) => {
                Stands::Odd(self.line(at).to_owned())
            }
        }
    }

    /// Entries of the job, as they stand; empty if it has none.
    pub(super) fn own(&self) -> String {
        crontab::own(&self.text, &self.places)
    }

    /// Running instances, as `PID COMMAND LINE`.
    pub(super) async fn running(&self) -> Result<Vec<String>, Trouble> {
        let workflow = &self.call.workflow;
        let answer = self.machine.run(self.wire, workflow, "processes", PROCESSES, &[]).await?;
        Ok(self.among(&answer.good(&self.machine.source())?))
    }

    /// Those of these processes that are instances of the job.
    fn among(&self, text: &str) -> Vec<String> {
        // Looked for here: a question that held the program's name would find itself.
        let program = crontab::program(&self.job.line);
        let runs = text.lines().filter(|it| crontab::names(it, program));
        runs.map(|it| it.trim().to_owned()).collect()
    }

    /// Changes the crontab that was read, by a script that does. Sent once. What the script said.
    async fn write(
        &self,
        script: &'static str,
        (verb, what): (&str, &str),
    ) -> Result<String, Trouble> {
        let args = [verb, &self.digest, what, BETWEEN];
        let workflow = &self.call.workflow;
        let source = self.machine.source();
        let answer = self.machine.run(self.wire, workflow, "crontab-write", script, &args).await?;
        if answer.code == 5 {
            let says = "the crontab changed since it was read";
            return Err(Trouble::harmless(&E3708, &source, says));
        }
        answer.good(&source)
    }

    fn written(&self) -> Evidence {
        self.wire.evidence(&self.machine.source(), "the crontab is written")
    }
}

/// The site of a job's step, and the job's machine there.
fn place(call: &Call, name: &str, site: Option<&SiteName>) -> Result<(SiteName, Machine), Trouble> {
    let missing = || Trouble::harmless(&E3801, "workflow", format!("there is no job {name}"));
    let job = call.workflow.jobs.get(name).ok_or_else(missing)?;
    let by_role = match job.runs_on {
        Role::Production => &call.production,
        Role::Standby | Role::Quarantined => &call.standby,
    };
    let site = site.or(call.on.as_ref()).unwrap_or(by_role).clone();
    let machine = Machine::of(&call.workflow, &site, &job.host)?;
    Ok((site, machine))
}

/// The digest of a host's crontab as the host itself computed it, and its text.
pub(super) async fn read(
    wire: &Wire,
    call: &Call,
    machine: &Machine,
) -> Result<(String, String), Trouble> {
    let answer = machine.run(wire, &call.workflow, "crontab", CRONTAB, &["read"]).await?;
    let answer = answer.good(&machine.source())?;
    let odd = || Trouble::new(&E3709, &machine.source(), "the crontab is not text");
    let (digest, text) = answer
        .split_once('\n')
        .filter(|(_, text)| !text.contains(char::REPLACEMENT_CHARACTER))
        .ok_or_else(odd)?;
    Ok((digest.to_owned(), text.to_owned()))
}

#[derive(Debug)]
struct Off {
    wire: Arc<Wire>,
    call: Call,
    job: String,
    ahead: Arc<Ahead>,
    /// This object has sent a request that may have had its effect.
    sent: AtomicBool,
}

#[async_trait]
impl Action for Off {
    async fn observe(&self) -> Seen {
        self.look().await.unwrap_or_else(|trouble| trouble.seen(&self.wire))
    }

    async fn apply(&self, changes: &[Change]) -> Sent {
        match crontab::again(|| self.send(changes)).await {
            Ok(evidence) => Sent::Accepted { evidence: vec![evidence], facts: vec![] },
            Err(trouble) => trouble.sent(&self.wire),
        }
    }
}

impl Off {
    async fn look(&self) -> Result<Seen, Trouble> {
        let (site, machine) = place(&self.call, &self.job, None)?;
        let failing = self.call.at.kind == Kind::Failover && self.call.since.is_none();
        let known = if failing || self.sent.load(Ordering::SeqCst) {
            self.ahead.answer(&self.wire, &machine, &self.job).await
        } else {
            None
        };
        let Whole { crontab, processes } = match known {
            Some(known) => known?,
            None => whole(&self.wire, &self.call.workflow, &machine).await?,
        };
        let look = Look::of(&self.wire, &self.call, &self.job, &site, crontab)?;
        let job = &self.job;
        if let Some(line) = look.strange() {
            let says = format!("another entry runs {job} at {site}: {line}");
            return Ok(Seen::Foreign { evidence: vec![look.odd(says)] });
        }
        let own = look.own();
        if !own.is_empty() {
            let sentence = format!("Takes {job} out of the crontab of {}", look.machine.alias);
            let (key, old) = (look.key(), Some(own));
            let changes = vec![Change { verb: Verb::Delete, key, old, new: None, sentence }];
            let evidence = vec![look.says(format!("{job} has an entry at {site}"))];
            return Ok(Seen::Todo { changes, evidence });
        }
        if let Some(process) = look.among(&processes).first() {
            let says = format!("{job} has no entry at {site}, but runs: {process}");
            return Ok(Seen::Busy { evidence: vec![look.says(says)] });
        }
        // Only who took it out must put it back.
        let took = self.sent.load(Ordering::SeqCst) || self.call.since.is_some();
        let evidence =
            vec![look.says(format!("{job} has neither an entry nor a running instance at {site}"))];
        let owed = Owed::Job { job: job.clone(), site };
        let facts = if took { vec![Fact::Owe { owed }] } else { vec![] };
        Ok(Seen::Done { evidence, facts })
    }

    /// Takes the entry out of the crontab as this machine last said it, else as it is read now.
    async fn send(&self, changes: &[Change]) -> Result<Evidence, Trouble> {
        let (site, machine) = place(&self.call, &self.job, None)?;
        let _turn = self.ahead.turn(&machine).await;
        let crontab = match self.ahead.newest(&self.wire, &machine) {
            Some(crontab) => crontab,
            None => read(&self.wire, &self.call, &machine).await?,
        };
        let look = Look::of(&self.wire, &self.call, &self.job, &site, crontab)?;
        let written = if changes.first().and_then(|it| it.old.as_ref()) == Some(&look.own()) {
            look.write(TAKE, ("take", &crontab::lines(&look.places))).await
        } else {
            let says = "the entry changed since it was planned to be taken out";
            Err(Trouble::harmless(&E3708, &machine.source(), says))
        };
        self.ahead.forget(&machine);
        if !written.as_ref().is_err_and(|it| it.harmless) {
            self.sent.store(true, Ordering::SeqCst);
        }
        if let Some(said) = Whole::of(&written?) {
            self.ahead.put(&self.wire, &machine, said);
        }
        Ok(look.written())
    }
}

#[derive(Debug)]
struct On {
    wire: Arc<Wire>,
    call: Call,
    job: String,
}

#[async_trait]
impl Action for On {
    async fn observe(&self) -> Seen {
        self.look().await.unwrap_or_else(|trouble| trouble.seen(&self.wire))
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        match crontab::again(|| self.send()).await {
            Ok(evidence) => Sent::Accepted { evidence: vec![evidence], facts: vec![] },
            Err(trouble) => trouble.sent(&self.wire),
        }
    }
}

impl On {
    async fn look(&self) -> Result<Seen, Trouble> {
        let look = Look::at(&self.wire, &self.call, &self.job, None).await?;
        let (job, site) = (&self.job, &look.site);
        Ok(match look.places[..] {
            [Place::Pair { exact: true, .. }] => {
                let evidence = vec![look.says(format!("{job} has its entry at {site}"))];
                Seen::Done { evidence, facts: self.paid() }
            }
            [] => {
                let sentence = format!("Puts {job} into the crontab of {}", look.machine.alias);
                let (key, new) = (look.key(), Some(look.job.line.clone()));
                let changes = vec![Change { verb: Verb::Create, key, old: None, new, sentence }];
                let evidence = vec![look.says(format!("{job} has no entry at {site}"))];
                Seen::Todo { changes, evidence }
            }
            [Place::Pair { at, .. } | Place::Bare(at) | Place::Lone(at) | Place::Other(at), ..] => {
                let lines = look.places.len();
                let line = look.line(at);
                let says = format!("{job} stands otherwise at {site}, {lines} times: {line}");
                Seen::Foreign { evidence: vec![look.odd(says)] }
            }
        })
    }

    async fn send(&self) -> Result<Evidence, Trouble> {
        let look = Look::at(&self.wire, &self.call, &self.job, None).await?;
        if !look.places.is_empty() {
            let says = "an entry came up since it was planned to be put in";
            return Err(Trouble::harmless(&E3708, &look.machine.source(), says));
        }
        look.write(CRONTAB, ("write", &crontab::with(&look.text, look.job))).await?;
        Ok(look.written())
    }

    /// The job runs again on some site: whatever was owed of it is paid.
    fn paid(&self) -> Vec<Fact> {
        let of_job = |owed: &&Owed| match owed {
            Owed::Job { job, .. } => *job == self.job,
            Owed::Embargo { .. } | Owed::Standby | Owed::Fence { .. } => false,
        };
        let owed = self.call.record.owed.iter().filter(of_job).cloned();
        owed.map(|owed| Fact::Pay { owed }).collect()
    }
}
