//! `site.marker`: at its own address a site answers with its own marker, under a certificate for its name.
//!
//! A status says that somebody answers. An address that was given back may belong to a stranger, who answers too.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::Wire;
use super::http::{Missing, get};
use super::wire::NoAnswer;
use crate::model::{Evidence, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::step::params::SiteMarker;

pub(super) fn check(wire: Arc<Wire>, call: Call, with: SiteMarker) -> Box<dyn Check> {
    Box::new(Marker { wire, call, with })
}

#[derive(Debug)]
struct Marker {
    wire: Arc<Wire>,
    call: Call,
    with: SiteMarker,
}

#[async_trait]
impl Check for Marker {
    async fn look(&self) -> Finding {
        let (verdict, seen) = self.found().await;
        Finding { verdict, evidence: vec![seen], facts: vec![] }
    }
}

impl Marker {
    async fn found(&self) -> (Verdict, Evidence) {
        let SiteMarker { url, address, marker } = &self.with;
        let source = format!("http {url} at {address}");
        let deadline = self.call.workflow.limits.call.0.min(self.call.timeout);
        let wrong = |says: String| {
            let data = json!({ "code": "E3302" });
            (Verdict::Fail, self.wire.evidence_with(&source, says, data))
        };
        if marker.trim().is_empty() {
            return (Verdict::Unknown, self.wire.evidence(&source, "no marker is declared"));
        }
        match get(&self.wire, url, Some(address), deadline).await {
            Ok(answer) if !answer.is_success() => {
                wrong(format!("answered {} and not its marker", answer.status))
            }
            Ok(answer) if answer.text().trim() == marker.trim() => {
                (Verdict::Pass, self.wire.evidence(&source, format!("it is {marker}")))
            }
            Ok(answer) => {
                let shown: String = answer.text().trim().chars().take(60).collect();
                wrong(format!("somebody answers, and it is not {marker}: `{shown}`"))
            }
            Err(Missing::NoAnswer(NoAnswer::Untrusted(why))) => wrong(format!("TLS: {why}")),
            Err(why) => (Verdict::Unknown, self.wire.evidence(&source, why.to_string())),
        }
    }
}
