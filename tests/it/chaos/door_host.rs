//! Jobs on hosts: off means no entry and no running instance; a crontab is replaced only if it is still
//! what was read.

use changeover::machine::{Fact, Owed};
use changeover::model::{Change, Kind, Role, SiteName, Verb, Verdict};
use changeover::port::{Finding, Seen, Sent};
use changeover::workflow::Job;

use super::door::{Act, Defect};
use super::earth::Earth;

const CHANGED: &str = "the crontab changed since it was read";

impl Act {
    fn job(&self, name: &str) -> Job {
        self.call.workflow.jobs[name].clone()
    }

    fn job_site(&self, job: &Job) -> (usize, SiteName) {
        let by_role = match job.runs_on {
            Role::Production => &self.call.production,
            Role::Standby | Role::Quarantined => &self.call.standby,
        };
        let name = self.call.on.as_ref().unwrap_or(by_role).clone();
        (self.site(by_role), name)
    }

    /// Whether a job has an entry on a host, whether it runs there, and the whole crontab.
    async fn look_at_job(&self, job: &Job, site: usize) -> Result<(bool, bool, String), String> {
        let (line, program) = (job.line.clone(), program(job));
        let look = move |it: &mut Earth, _: bool| {
            let host = &it.sites[site].host;
            (host.has(&line), host.runs(&program), host.crontab.join("\n"))
        };
        self.door.read(Some(site), look).await
    }

    pub(crate) async fn job_off_now(&self, name: &str) -> Seen {
        let job = self.job(name);
        let (at, site) = self.job_site(&job);
        match self.look_at_job(&job, at).await {
            Err(why) => self.unseen(why),
            Ok((true, _, text)) => self.todo(Verb::Delete, name.to_owned(), Some(text), "off"),
            Ok((false, true, _)) if self.door.defect != Defect::Running => {
                Seen::Busy { evidence: self.door.evidence("it runs") }
            }
            Ok((false, ..)) => {
                let owed = Owed::Job { job: name.to_owned(), site };
                let facts = if self.has_sent() { vec![Fact::Owe { owed }] } else { vec![] };
                self.done("neither an entry nor an instance", facts)
            }
        }
    }

    pub(crate) async fn take_out(&self, name: &str, changes: &[Change]) -> Sent {
        let job = self.job(name);
        let (site, _) = self.job_site(&job);
        let mut read = changes.first().and_then(|it| it.old.clone()).unwrap_or_default();
        loop {
            let (was, own) = (read.clone(), job.clone());
            let effect = move |it: &mut Earth| {
                let host = &mut it.sites[site].host;
                if host.crontab.join("\n") != was {
                    return Err(CHANGED.to_owned());
                }
                host.remove(&own.marker, &own.line);
                Ok(())
            };
            let sent = self.request(Some(site), Box::new(effect)).await;
            let conflict =
                matches!(&sent, Sent::Refused { evidence } if evidence[0].says == CHANGED);
            // Another entry was changed meanwhile: the same with the table as it is now.
            if !conflict {
                return sent;
            }
            match self.look_at_job(&job, site).await {
                Ok((true, _, text)) => read = text,
                Ok(_) | Err(_) => return sent,
            }
        }
    }

    pub(crate) async fn job_on_now(&self, name: &str) -> Seen {
        let job = self.job(name);
        let (at, _) = self.job_site(&job);
        match self.look_at_job(&job, at).await {
            Err(why) => self.unseen(why),
            Ok((false, _, text)) => self.todo(Verb::Create, name.to_owned(), Some(text), "on"),
            Ok((true, _, _)) => {
                let of_job = |it: &&Owed| matches!(it, Owed::Job { job, .. } if job == name);
                let owed = self.call.record.owed.iter().filter(of_job).cloned();
                self.done("it has its entry", owed.map(|owed| Fact::Pay { owed }).collect())
            }
        }
    }

    pub(crate) async fn put_in(&self, name: &str) -> Sent {
        let job = self.job(name);
        let (site, _) = self.job_site(&job);
        let effect = move |it: &mut Earth| {
            let host = &mut it.sites[site].host;
            if host.has(&job.line) {
                return Err("an entry came up since it was read".to_owned());
            }
            host.install(&job.marker, &job.line);
            Ok(())
        };
        self.request(Some(site), Box::new(effect)).await
    }

    /// Each job has its one entry where its role demands it, and none elsewhere.
    pub(crate) async fn jobs_placed(&self) -> Finding {
        let mut wrong = vec![];
        for (name, job) in &self.call.workflow.jobs {
            for (site, role) in
                [(self.production(), Role::Production), (self.standby(), Role::Standby)]
            {
                match self.look_at_job(job, site).await {
                    Err(why) => return self.dark(why),
                    // Nobody has put it anywhere since production was lost, and what came back has its backup.
                    Ok((there, _, _))
                        if self.call.at.kind == Kind::Rejoin && (!there || job.sync.is_none()) => {}
                    Ok((there, _, _)) if there != (job.runs_on == role) => wrong.push(name.clone()),
                    Ok(_) => (),
                }
            }
        }
        self.found(wrong.is_empty(), format!("not where they belong: {wrong:?}"))
    }

    pub(crate) async fn jobs_off(&self, named: &[String]) -> Finding {
        if self.door.defect == Defect::JobsOff {
            return self.found(true, "taken on trust");
        }
        let jobs = self.call.workflow.jobs.iter().filter(|(name, job)| {
            if named.is_empty() { job.sync.is_some() } else { named.contains(name) }
        });
        let (mut on, mut dark) = (vec![], vec![]);
        for (name, job) in jobs {
            for site in 0..2 {
                // The lost site cannot be asked.
                if self.call.at.kind == Kind::Failover && site != self.standby() {
                    continue;
                }
                match self.look_at_job(job, site).await {
                    Ok((false, false, _)) => (),
                    Ok((false, true, _)) if self.door.defect == Defect::Running => (),
                    Ok(_) => on.push(name.clone()),
                    Err(_) if self.goes_without(site) => (),
                    Err(why) => dark.push(why),
                }
            }
        }
        let verdict = match (on.is_empty(), dark.is_empty()) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        let evidence = self.door.evidence(format!("on: {on:?}; not seen: {dark:?}"));
        Finding { verdict, evidence, facts: vec![] }
    }
}

/// The program a job runs, without its folder.
fn program(job: &Job) -> String {
    let command = job.line.split(' ').nth(5).unwrap_or_default();
    command.rsplit('/').next().unwrap_or_default().to_owned()
}
