//! File systems are mounted on hosts: without its share a copy goes into an empty folder.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3702, E3711};
use crate::model::{Evidence, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::HostMounted;

const SCRIPT: &str = include_str!("mounted.sh");

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: HostMounted) -> Box<dyn Check> {
    Box::new(Mounted { wire, call, with })
}

#[derive(Debug)]
struct Mounted {
    wire: Arc<Wire>,
    call: Call,
    with: HostMounted,
}

#[async_trait]
impl Check for Mounted {
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

impl Mounted {
    async fn look_at(&self, site: &SiteName) -> Result<(bool, Vec<Evidence>), Trouble> {
        let machine = Machine::of(&self.call.workflow, site, &self.with.host)?;
        let source = machine.source();
        let paths: Vec<&str> = self.with.paths.iter().map(String::as_str).collect();
        let output =
            machine.run(&self.wire, &self.call.workflow, "mounted", SCRIPT, &paths).await?;
        let text = output.good(&source)?;
        let answers: Vec<&str> = text.lines().collect();
        if answers.len() != paths.len() {
            return Err(Trouble::new(&E3702, &source, "an odd answer"));
        }
        let (mut good, mut evidence) = (true, vec![]);
        for (path, answer) in paths.into_iter().zip(answers) {
            evidence.push(if answer == "absent" {
                good = false;
                coded(&self.wire, &E3711, &source, format!("nothing is mounted at {path}"))
            } else {
                let says = format!("{path} is mounted");
                self.wire.evidence_with(&source, says, json!({ "mount": answer }))
            });
        }
        Ok((good, evidence))
    }
}
