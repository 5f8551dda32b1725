//! `jobs.off`: none of these jobs has an entry or a running instance.

use std::sync::Arc;

use async_trait::async_trait;

use crate::actuator::Wire;
use crate::actuator::job::Look;
use crate::actuator::trouble::{Trouble, finding};
use crate::model::{Evidence, Kind, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::JobsOff;

pub(super) fn check(wire: Arc<Wire>, call: Call, with: JobsOff) -> Box<dyn Check> {
    Box::new(AllOff { wire, call, with })
}

#[derive(Debug)]
struct AllOff {
    wire: Arc<Wire>,
    call: Call,
    with: JobsOff,
}

#[async_trait]
impl Check for AllOff {
    async fn look(&self) -> Finding {
        let jobs = &self.call.workflow.jobs;
        let names: Vec<&String> = if self.with.jobs.is_empty() {
            jobs.iter().filter(|(_, it)| it.sync.is_some()).map(|(name, _)| name).collect()
        } else {
            self.with.jobs.iter().collect()
        };
        let mut evidence = Vec::new();
        let (mut off, mut seen) = (true, true);
        for site in self.sites() {
            for name in &names {
                match self.look_at(name, site).await {
                    Ok((is_off, read)) => {
                        off &= is_off;
                        evidence.push(read);
                    }
                    Err(trouble) => {
                        seen &= self.call.goes_without(site);
                        evidence.push(trouble.evidence(&self.wire));
                    }
                }
            }
        }
        if evidence.is_empty() {
            evidence.push(self.wire.evidence("workflow", "the workflow has no sync jobs"));
        }
        let verdict = match (off, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl AllOff {
    /// Both sites; in a failover the one that users get, since nobody may wait for the other to answer.
    fn sites(&self) -> Vec<&SiteName> {
        let own =
            |site: &&SiteName| self.call.at.kind != Kind::Failover || **site == self.call.standby;
        self.call.workflow.sites.keys().filter(own).collect()
    }

    async fn look_at(&self, name: &str, site: &SiteName) -> Result<(bool, Evidence), Trouble> {
        let look = Look::at(&self.wire, &self.call, name, Some(site)).await?;
        let entry = look.own();
        let entry = entry.lines().last().or_else(|| look.strange());
        if let Some(line) = entry {
            return Ok((false, look.odd(format!("{name} has an entry at {site}: {line}"))));
        }
        let running = look.running().await?;
        Ok(match running.first() {
            Some(process) => (false, look.odd(format!("{name} runs at {site}: {process}"))),
            None => {
                let says = format!("{name} has neither an entry nor a running instance at {site}");
                (true, look.says(says))
            }
        })
    }
}
