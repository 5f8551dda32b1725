//! `announce`: people are told through a webhook. It cannot be read back and may repeat; it carries the op id.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Wire;
use crate::model::{Change, Verb};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::step::params::Announce;

pub(super) fn action(wire: Arc<Wire>, call: Call, with: Announce) -> Box<dyn Action> {
    Box::new(Telling { wire, call, with, told: AtomicBool::new(false) })
}

#[derive(Debug)]
struct Telling {
    wire: Arc<Wire>,
    call: Call,
    with: Announce,
    /// The webhook took it; known only to the attempt that sent it.
    told: AtomicBool,
}

#[async_trait]
impl Action for Telling {
    async fn observe(&self) -> Seen {
        let source = self.source();
        if self.told.load(Ordering::SeqCst) {
            let evidence = vec![self.wire.evidence(&source, "the webhook took the message")];
            return Seen::Done { evidence, facts: vec![] };
        }
        let says = match self.call.since {
            None => "nothing was sent",
            Some(_) => "it may have been sent before; it is sent again with the same op id",
        };
        let change = Change {
            verb: Verb::Tell,
            key: format!("webhook/{}", self.with.to),
            old: None,
            new: Some(self.with.text.clone()),
            sentence: format!("{} is told: {}", self.with.to, self.with.text),
        };
        Seen::Todo { changes: vec![change], evidence: vec![self.wire.evidence(&source, says)] }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        let source = self.source();
        let refused =
            |why: String| Sent::Refused { evidence: vec![self.wire.evidence(&source, why)] };
        let Some(webhook) = self.call.workflow.webhooks.get(&self.with.to) else {
            return refused(format!("there is no webhook `{}`", self.with.to));
        };
        let url = match self.wire.secret(&webhook.url) {
            Ok(url) => url,
            Err(why) => return refused(why),
        };
        let http = match self.wire.http() {
            Ok(http) => http,
            Err(why) => return refused(why.to_string()),
        };
        let request = http.post(url.expose_secret()).json(&self.message());
        let deadline = self.call.workflow.limits.call.0.min(self.call.timeout);
        let call = format!("announce {}", self.with.to);
        match self.wire.send(&call, deadline, request).await {
            Ok(answer) => {
                let says = format!("answered {}", answer.status);
                let evidence = vec![self.wire.evidence(&source, says)];
                if answer.is_success() {
                    self.told.store(true, Ordering::SeqCst);
                    Sent::Accepted { evidence, facts: vec![] }
                } else if answer.status < 500 && answer.status != 408 {
                    Sent::Refused { evidence }
                } else {
                    Sent::Unknown { evidence }
                }
            }
            Err(why) if why.without_effect() => refused(why.to_string()),
            Err(why) => {
                Sent::Unknown { evidence: vec![self.wire.evidence(&source, why.to_string())] }
            }
        }
    }
}

impl Telling {
    fn source(&self) -> String {
        format!("webhook {}", self.with.to)
    }

    fn message(&self) -> Value {
        json!({
            "text": self.with.text,
            "op_id": self.call.op,
            "system": self.call.workflow.system,
            "run": self.call.run.number,
            "phase": self.call.at.phase.name(),
        })
    }
}
