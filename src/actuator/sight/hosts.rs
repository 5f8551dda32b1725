//! What a look sees on machines: jobs, and whether the database accepts writes.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::Looking;
use crate::actuator::ahead::{Whole, whole};
use crate::actuator::crontab::{self, Place};
use crate::actuator::database;
use crate::actuator::host::Machine;
use crate::actuator::trouble::Trouble;
use crate::fault::E3702;
use crate::model::{EntrySeen, JobSeen, JobsSeen, Part, SiteName};
use crate::workflow::{Job, Workflow};

/// What new connections of the database's role get.
const READ_ONLY: &str = "show default_transaction_read_only";

impl Looking<'_> {
    /// The jobs of every host that has one, at every site.
    pub(super) async fn jobs(self) -> BTreeMap<SiteName, BTreeMap<String, Part<JobsSeen>>> {
        let hosts: BTreeSet<&String> = self.workflow.jobs.values().map(|it| &it.host).collect();
        let each =
            self.workflow.sites.keys().flat_map(|site| hosts.iter().map(move |it| (site, *it)));
        let read = each.map(|(site, host)| async move {
            let source = self.source(site, host);
            let read =
                async { self.jobs_on(site, host).await.map_err(|it| it.evidence(self.wire)) };
            (site.clone(), host.clone(), self.part(&source, read).await)
        });
        let mut all: BTreeMap<SiteName, BTreeMap<String, Part<JobsSeen>>> = BTreeMap::new();
        for (site, host, part) in join_all(read).await {
            all.entry(site).or_default().insert(host, part);
        }
        all
    }

    /// Whether each site's database accepts writes.
    pub(super) async fn writes(self) -> BTreeMap<SiteName, Part<bool>> {
        let Some(database) = &self.workflow.database else { return BTreeMap::new() };
        let read = self.workflow.sites.keys().map(|site| async move {
            let source = self.source(site, &database.host);
            let read = async { self.accepts(site).await.map_err(|it| it.evidence(self.wire)) };
            (site.clone(), self.part(&source, read).await)
        });
        join_all(read).await.into_iter().collect()
    }

    fn source(self, site: &SiteName, host: &str) -> String {
        let machine = Machine::of(self.workflow, site, host);
        machine.map_or_else(|_| format!("host {host} of {site}"), |it| it.source())
    }

    async fn accepts(self, site: &SiteName) -> Result<bool, Trouble> {
        let (source, said) = database::ask_site(self.wire, self.workflow, site, READ_ONLY).await?;
        match said.as_str() {
            "on" => Ok(false),
            "off" => Ok(true),
            other => {
                let says = format!("{READ_ONLY}: `{other}` is neither on nor off");
                Err(Trouble::harmless(&E3702, &source, says))
            }
        }
    }

    async fn jobs_on(self, site: &SiteName, host: &str) -> Result<JobsSeen, Trouble> {
        let machine = Machine::of(self.workflow, site, host)?;
        let Whole { crontab, processes } = whole(self.wire, self.workflow, &machine).await?;
        Ok(seen(self.workflow, host, &crontab.1, &processes))
    }
}

/// Every job that this host may have, wherever the workflow wants it.
fn seen(workflow: &Workflow, host: &str, crontab: &str, processes: &str) -> JobsSeen {
    let here = workflow.jobs.iter().filter(|(_, job)| job.host == host);
    here.map(|(name, job)| {
        let others: Vec<&Job> =
            workflow.jobs.iter().filter(|(it, _)| *it != name).map(|(_, it)| it).collect();
        let line = |at: usize| crontab.lines().nth(at).unwrap_or_default().to_owned();
        let entry = |place: &Place| match *place {
            Place::Pair { at, exact } => Some(EntrySeen { line: line(at + 1), exact }),
            Place::Bare(at) | Place::Other(at) => Some(EntrySeen { line: line(at), exact: false }),
            Place::Lone(_) => None,
        };
        let entries = crontab::places(crontab, job, &others).iter().filter_map(entry).collect();
        let program = crontab::program(&job.line);
        let runs = processes.lines().filter(|it| crontab::names(it, program));
        let running = runs.map(|it| it.trim().to_owned()).collect();
        (name.clone(), JobSeen { entries, running })
    })
    .collect()
}
