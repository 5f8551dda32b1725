//! Container images are present on a host: a pruned one makes the nightly jobs and the restore fail.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::site;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3702, E3707};
use crate::model::Verdict;
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::HostImage;

const SCRIPT: &str = include_str!("image.sh");
/// Where the projects' images come from.
const REGISTRY: &str = "registry.gitlab.com";

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: HostImage) -> Box<dyn Check> {
    Box::new(Image { wire, call, with })
}

#[derive(Debug)]
struct Image {
    wire: Arc<Wire>,
    call: Call,
    with: HostImage,
}

#[async_trait]
impl Check for Image {
    async fn look(&self) -> Finding {
        self.read().await.unwrap_or_else(|trouble| trouble.finding(&self.wire))
    }
}

impl Image {
    async fn read(&self) -> Result<Finding, Trouble> {
        let workflow = &self.call.workflow;
        let on = self.call.on.as_ref().unwrap_or(&self.call.standby);
        let machine = Machine::of(workflow, on, &self.with.host)?;
        let source = machine.source();
        let project = site::variable(workflow, on, "gitlab")
            .map_err(|says| Trouble::harmless(&E3707, "workflow", says))?;
        let full = |image: &String| format!("{REGISTRY}/{project}/{image}:live");
        let names: Vec<String> = self.with.images.iter().map(full).collect();
        let args: Vec<&str> = names.iter().map(String::as_str).collect();
        let text =
            machine.run(&self.wire, workflow, "image", SCRIPT, &args).await?.good(&source)?;
        let answers: Vec<&str> = text.lines().collect();
        if answers.len() != names.len() {
            return Err(Trouble::new(&E3702, &source, "an odd answer"));
        }
        let mut verdict = Verdict::Pass;
        let mut evidence = Vec::new();
        for (name, answer) in names.iter().zip(answers) {
            evidence.push(match answer.split_once(' ') {
                Some(("present", id)) => {
                    let data = json!({ "id": id });
                    self.wire.evidence_with(&source, format!("{name} is there"), data)
                }
                Some((_, why)) => {
                    if verdict == Verdict::Pass {
                        verdict = Verdict::Unknown;
                    }
                    coded(&self.wire, &E3702, &source, format!("{name}: {why}"))
                }
                None => {
                    verdict = Verdict::Fail;
                    coded(&self.wire, &E3707, &source, format!("{name} is not there"))
                }
            });
        }
        Ok(finding(verdict, evidence))
    }
}
