//! File systems of hosts have room: a full one breaks a dump or a load half way.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3702, E3710};
use crate::model::{Evidence, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::HostDisk;

const SCRIPT: &str = include_str!("disk.sh");

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: HostDisk) -> Box<dyn Check> {
    Box::new(Disk { wire, call, with })
}

#[derive(Debug)]
struct Disk {
    wire: Arc<Wire>,
    call: Call,
    with: HostDisk,
}

#[async_trait]
impl Check for Disk {
    async fn look(&self) -> Finding {
        let sites: Vec<&SiteName> = match &self.call.on {
            Some(site) => vec![site],
            None => self.call.workflow.sites.keys().collect(),
        };
        let mut evidence = Vec::new();
        let (mut good, mut seen) = (true, true);
        for site in sites {
            match self.look_at(site).await {
                Ok((all, read)) => {
                    good &= all;
                    evidence.extend(read);
                }
                Err(trouble) => {
                    seen = false;
                    evidence.push(trouble.evidence(&self.wire));
                }
            }
        }
        let verdict = match (good, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl Disk {
    async fn look_at(&self, site: &SiteName) -> Result<(bool, Vec<Evidence>), Trouble> {
        let machine = Machine::of(&self.call.workflow, site, &self.with.host)?;
        let source = machine.source();
        let paths: Vec<&str> = self.with.paths.iter().map(String::as_str).collect();
        let output = machine.run(&self.wire, &self.call.workflow, "disk", SCRIPT, &paths).await?;
        let text = output.good(&source)?;
        let answers: Vec<&str> = text.lines().collect();
        if answers.len() != paths.len() {
            return Err(Trouble::new(&E3702, &source, "an odd answer"));
        }
        let (mut good, mut evidence) = (true, vec![]);
        for (path, answer) in paths.into_iter().zip(answers) {
            let most = self.with.used_max;
            let odd = || Trouble::new(&E3702, &source, format!("{path}: `{answer}` is no share"));
            let used: u8 = answer.trim().parse().map_err(|_| odd())?;
            evidence.push(if used > most {
                good = false;
                let says = format!("{used} % of {path} are used, more than {most} %");
                coded(&self.wire, &E3710, &source, says)
            } else {
                let says = format!("{used} % of {path} are used");
                self.wire.evidence_with(&source, says, json!({ "used": used }))
            });
        }
        Ok((good, evidence))
    }
}
