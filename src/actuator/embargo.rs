//! `embargo.on`, `embargo.off`: the embargo is an object of the journal. It is announced and not enforced:
//! whoever writes asks for it. Its effect is the fact in the line that ends the step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::Wire;
use crate::machine::{Embargo, Fact};
use crate::model::{Change, Evidence, SiteName, Verb};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::step::params::{EmbargoOff, EmbargoOn};

pub(super) fn on(wire: Arc<Wire>, call: Call, with: EmbargoOn) -> Box<dyn Action> {
    let on = Some(with);
    Box::new(Order { wire, call, on, given: AtomicBool::new(false) })
}

pub(super) fn off(wire: Arc<Wire>, call: Call, _: EmbargoOff) -> Box<dyn Action> {
    Box::new(Order { wire, call, on: None, given: AtomicBool::new(false) })
}

#[derive(Debug)]
struct Order {
    wire: Arc<Wire>,
    call: Call,
    /// What is refused; absent when writes are allowed again.
    on: Option<EmbargoOn>,
    given: AtomicBool,
}

#[async_trait]
impl Action for Order {
    async fn observe(&self) -> Seen {
        let site = self.site();
        let lies = self.call.record.embargoes.get(site);
        if self.given.load(Ordering::SeqCst) {
            let says = if self.on.is_some() { "writes are refused" } else { "writes are allowed" };
            return self.done(format!("{says} on {site} from now on"));
        }
        match (&self.on, lies) {
            (Some(_), Some(it)) => {
                let says =
                    format!("run {} laid an embargo on {site} at {}", it.run, it.since.screen());
                Seen::Done { evidence: vec![self.evidence(says)], facts: vec![] }
            }
            // The fact is given again: after a swap it is what makes going back cost writes.
            (None, None) => self.done(format!("no embargo lies on {site}")),
            (Some(it), None) => {
                let what = it.scope.join(", ");
                self.todo(
                    Verb::Create,
                    None,
                    Some(what.clone()),
                    format!("writes are refused on {site}: {what}"),
                )
            }
            (None, Some(it)) => {
                let what = it.scope.join(", ");
                self.todo(Verb::Delete, Some(what), None, format!("writes are allowed on {site}"))
            }
        }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        self.given.store(true, Ordering::SeqCst);
        let says = "written with the outcome of this step".to_owned();
        Sent::Accepted { evidence: vec![self.evidence(says)], facts: vec![] }
    }
}

impl Order {
    /// Production, unless the step says `on` another role.
    fn site(&self) -> &SiteName {
        self.call.on.as_ref().unwrap_or(&self.call.production)
    }

    fn evidence(&self, says: String) -> Evidence {
        self.wire.evidence("journal", says)
    }

    fn done(&self, says: String) -> Seen {
        let site = self.site().clone();
        let fact = match &self.on {
            Some(it) => Fact::EmbargoOn { site, embargo: self.embargo(it) },
            None => Fact::EmbargoOff { site },
        };
        Seen::Done { evidence: vec![self.evidence(says)], facts: vec![fact] }
    }

    fn embargo(&self, with: &EmbargoOn) -> Embargo {
        let since = self.wire.clock.now();
        let until = since.plus_seconds(with.expires.as_seconds());
        let (kind, run) = (self.call.at.kind.name(), self.call.run.number);
        let reason = match &self.call.run.version {
            Some(version) => format!("{kind} {version}"),
            None => format!("{kind} {run}"),
        };
        Embargo { run, scope: with.scope.clone(), reason, since, until }
    }

    fn todo(&self, verb: Verb, old: Option<String>, new: Option<String>, sentence: String) -> Seen {
        let key = format!("embargo/{}", self.site());
        let evidence = vec![self.evidence("as the journal has it".to_owned())];
        Seen::Todo { changes: vec![Change { verb, key, old, new, sentence }], evidence }
    }
}
