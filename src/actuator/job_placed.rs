//! `jobs.placed`: each job has its one entry, as written, on the host of its role, and none on the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::job::{self, Look, Stands};
use crate::actuator::trouble::{Trouble, finding};
use crate::machine::Owed;
use crate::model::{Evidence, Kind, Role, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::Job;
use crate::workflow::step::params::JobsPlaced;

pub(super) fn check(wire: Arc<Wire>, call: Call, _: JobsPlaced) -> Box<dyn Check> {
    Box::new(Placed { wire, call })
}

#[derive(Debug)]
struct Placed {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Placed {
    async fn look(&self) -> Finding {
        let mut evidence = Vec::new();
        let (mut right, mut seen) = (true, true);
        // Each crontab is read once, whatever the number of jobs in it.
        let mut crontabs = BTreeMap::new();
        for site in self.call.workflow.sites.keys() {
            for (name, job) in &self.call.workflow.jobs {
                match self.look_at(name, job, site, &mut crontabs).await {
                    Ok((good, read)) => {
                        right &= good;
                        evidence.push(read);
                    }
                    Err(trouble) => {
                        seen = false;
                        evidence.push(trouble.evidence(&self.wire));
                    }
                }
            }
        }
        if evidence.is_empty() {
            evidence.push(self.wire.evidence("workflow", "the workflow has no jobs"));
        }
        let verdict = match (right, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl Placed {
    async fn look_at(
        &self,
        name: &str,
        job: &Job,
        site: &SiteName,
        crontabs: &mut BTreeMap<String, Result<(String, String), Trouble>>,
    ) -> Result<(bool, Evidence), Trouble> {
        let machine = Machine::of(&self.call.workflow, site, &job.host)?;
        let crontab = match crontabs.get(&machine.alias).cloned() {
            Some(known) => known,
            None => {
                let read = job::read(&self.wire, &self.call, &machine).await;
                crontabs.insert(machine.alias.clone(), read.clone());
                read
            }
        }?;
        let look = Look::of(&self.wire, &self.call, name, site, crontab)?;
        let role = if *site == self.call.production { Role::Production } else { Role::Standby };
        let wanted = look.job.runs_on == role;
        Ok(match (wanted, look.stands()) {
            (true, Stands::Right) => (true, look.says(format!("{name} stands at {site}"))),
            (false, Stands::Absent) => (true, look.says(format!("{name} has no entry at {site}"))),
            (true, Stands::Absent) if self.may_be_off(name) => {
                (true, look.says(format!("{name} is off at {site}, and closing puts it on")))
            }
            (true, Stands::Absent) => {
                (false, look.odd(format!("{name} has no entry at {site}, where it must run")))
            }
            (true, Stands::Odd(line)) => {
                (false, look.odd(format!("{name} stands at {site}, but not as it should: {line}")))
            }
            // The site that came back still has its backup; nothing is overwritten by that.
            (false, _) if self.call.at.kind == Kind::Rejoin && look.job.sync.is_none() => {
                (true, look.says(format!("{name} still stands at {site}")))
            }
            (false, Stands::Right | Stands::Odd(_)) => {
                (false, look.odd(format!("{name} has an entry at {site}, where it must not run")))
            }
        })
    }

    /// Somebody took it out and owes it, or nobody has put it anywhere since production was lost.
    fn may_be_off(&self, name: &str) -> bool {
        let of_job = |owed: &Owed| match owed {
            Owed::Job { job, .. } => job == name,
            Owed::Embargo { .. } | Owed::Standby | Owed::Fence { .. } => false,
        };
        self.call.at.kind == Kind::Rejoin || self.call.record.owed.iter().any(of_job)
    }
}
