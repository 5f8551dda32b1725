//! Programs are present and executable on hosts.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3706, E3712};
use crate::model::{Evidence, SiteName, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::HostFile;

const SCRIPT: &str = include_str!("file.sh");

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: HostFile) -> Box<dyn Check> {
    Box::new(File { wire, call, with })
}

#[derive(Debug)]
struct File {
    wire: Arc<Wire>,
    call: Call,
    with: HostFile,
}

#[async_trait]
impl Check for File {
    async fn look(&self) -> Finding {
        let sites: Vec<&SiteName> = match &self.call.on {
            Some(site) => vec![site],
            None => self.call.workflow.sites.keys().collect(),
        };
        let mut evidence = Vec::new();
        let (mut there, mut seen) = (true, true);
        for site in sites {
            match self.look_at(site).await {
                Ok((all, read)) => {
                    there &= all;
                    evidence.extend(read);
                }
                Err(trouble) => {
                    seen = false;
                    evidence.push(trouble.evidence(&self.wire));
                }
            }
        }
        let verdict = match (there, seen) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        };
        finding(verdict, evidence)
    }
}

impl File {
    async fn look_at(&self, site: &SiteName) -> Result<(bool, Vec<Evidence>), Trouble> {
        let machine = Machine::of(&self.call.workflow, site, &self.with.host)?;
        let source = machine.source();
        let paths: Vec<&str> = self.with.paths.iter().map(String::as_str).collect();
        let output = machine.run(&self.wire, &self.call.workflow, "file", SCRIPT, &paths).await?;
        let text = output.good(&source)?;
        let answers: Vec<&str> = text.lines().collect();
        if answers.len() != paths.len() {
            return Err(Trouble::new(&E3706, &source, "an odd answer"));
        }
        let mut there = true;
        let mut evidence = Vec::new();
        for (path, answer) in paths.into_iter().zip(answers) {
            evidence.push(match answer {
                "absent" | "plain" => {
                    there = false;
                    let what = if answer == "plain" { "is not executable" } else { "is not there" };
                    coded(&self.wire, &E3706, &source, format!("{path} {what}"))
                }
                digest if self.with.sha256.get(path).is_some_and(|it| it != digest) => {
                    there = false;
                    let data = json!({ "code": E3712.id, "sha256": digest });
                    let says = format!("{path} is another file than the one we ship");
                    self.wire.evidence_with(&source, says, data)
                }
                digest => {
                    let data = json!({ "sha256": digest });
                    self.wire.evidence_with(&source, format!("{path} is there"), data)
                }
            });
        }
        Ok((there, evidence))
    }
}
