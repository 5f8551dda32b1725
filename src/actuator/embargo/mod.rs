//! `embargo.on`, `embargo.off`, `embargo.holds`: the embargo is an object of the journal, and where the
//! workflow says how, it is enforced: laid on the database and the FTP server, and observed there.

mod world;

pub(super) use world::statements;

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::json;

use super::Wire;
use crate::actuator::embargo::world::Standing;
use crate::actuator::trouble::Trouble;
use crate::fault::E3821;
use crate::machine::{Embargo, Fact};
use crate::model::{Change, Evidence, SiteName, Time, Verb, Verdict};
use crate::port::{Action, Call, Check, Finding, Seen, Sent};
use crate::workflow::Enforced;
use crate::workflow::step::params::{EmbargoHolds, EmbargoOff, EmbargoOn};

pub(super) fn on(wire: Arc<Wire>, call: Call, with: EmbargoOn) -> Box<dyn Action> {
    Box::new(Order { wire, call, on: Some(with), given: Mutex::new(None) })
}

pub(super) fn off(wire: Arc<Wire>, call: Call, _: EmbargoOff) -> Box<dyn Action> {
    Box::new(Order { wire, call, on: None, given: Mutex::new(None) })
}

pub(super) fn holds(wire: Arc<Wire>, call: Call, _: EmbargoHolds) -> Box<dyn Check> {
    Box::new(Holds { wire, call })
}

#[derive(Debug)]
struct Order {
    wire: Arc<Wire>,
    call: Call,
    /// What is refused; absent when writes are allowed again.
    on: Option<EmbargoOn>,
    /// When the request was sent by this object.
    given: Mutex<Option<Time>>,
}

#[async_trait]
impl Action for Order {
    async fn observe(&self) -> Seen {
        let Some(by) = &self.call.workflow.embargo else { return self.announced() };
        let since = self.on.as_ref().and_then(|_| self.since());
        match Box::pin(world::read(&self.wire, &self.call, self.site(), by, since)).await {
            Ok(standing) => self.judge(standing),
            Err(trouble) => trouble.seen(&self.wire),
        }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        self.given
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(self.wire.clock.now());
        let says = match &self.call.workflow.embargo {
            None => "written with the outcome of this step".to_owned(),
            Some(by) => match self.enforce(by).await {
                Ok(says) => says,
                Err(trouble) => return trouble.sent(&self.wire),
            },
        };
        Sent::Accepted { evidence: vec![self.evidence(says)], facts: vec![] }
    }
}

impl Order {
    /// Production, unless the step says `on` another role.
    fn site(&self) -> &SiteName {
        self.call.on.as_ref().unwrap_or(&self.call.production)
    }

    fn lies(&self) -> Option<&Embargo> {
        self.call.record.embargoes.get(self.site())
    }

    /// From when on writes were refused: the embargo's own time, else that of the first request.
    fn since(&self) -> Option<Time> {
        let given = *self.given.lock().unwrap_or_else(PoisonError::into_inner);
        self.lies().map(|it| it.since).or(self.call.since).or(given)
    }

    async fn enforce(&self, by: &Enforced) -> Result<String, Trouble> {
        let (site, refuse) = (self.site(), self.on.is_some());
        world::make(&self.wire, &self.call, site, by, refuse).await?;
        Ok(format!("the role {} and what it had open on {site} were told", by.role))
    }

    /// What the world says decides; the journal says only whose embargo it is.
    fn judge(&self, standing: Standing) -> Seen {
        let Standing { mut evidence, refuses, takes } = standing;
        let site = self.site();
        match (&self.on, refuses.is_empty(), takes.is_empty()) {
            (Some(_), _, true) => {
                let says = format!("writes are refused on {site}: {}", refuses.join(", "));
                evidence.push(self.evidence(says));
                let facts = self.lies().is_none().then(|| self.fact()).into_iter().collect();
                Seen::Done { evidence, facts }
            }
            (None, true, _) => {
                let says = format!("writes are taken on {site}: {}", takes.join(", "));
                evidence.push(self.evidence(says));
                Seen::Done { evidence, facts: vec![self.fact()] }
            }
            (Some(_), _, false) | (None, false, _) => match self.todo() {
                Seen::Todo { changes, .. } => Seen::Todo { changes, evidence },
                other @ (Seen::Done { .. }
                | Seen::Busy { .. }
                | Seen::Failed { .. }
                | Seen::Foreign { .. }
                | Seen::Unknown { .. }) => other,
            },
        }
    }

    /// Where nothing enforces it, the embargo is what the journal says: whoever writes asks for it.
    fn announced(&self) -> Seen {
        let site = self.site();
        if self.given.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            let says = if self.on.is_some() { "writes are refused" } else { "writes are allowed" };
            return self.done(format!("{says} on {site} from now on"), true);
        }
        match (&self.on, self.lies()) {
            (Some(_), Some(it)) => {
                let since = it.since.screen();
                self.done(format!("run {} laid an embargo on {site} at {since}", it.run), false)
            }
            // The fact is given again: after a swap it is what makes going back cost writes.
            (None, None) => self.done(format!("no embargo lies on {site}"), true),
            (Some(_), None) | (None, Some(_)) => self.todo(),
        }
    }

    fn evidence(&self, says: String) -> Evidence {
        self.wire.evidence("journal", says)
    }

    fn done(&self, says: String, new: bool) -> Seen {
        let facts = new.then(|| self.fact()).into_iter().collect();
        Seen::Done { evidence: vec![self.evidence(says)], facts }
    }

    fn fact(&self) -> Fact {
        let site = self.site().clone();
        match &self.on {
            Some(it) => Fact::EmbargoOn { site, embargo: self.embargo(it) },
            None => Fact::EmbargoOff { site },
        }
    }

    fn embargo(&self, with: &EmbargoOn) -> Embargo {
        let since = self.since().unwrap_or_else(|| self.wire.clock.now());
        let until = since.plus_seconds(with.expires.as_seconds());
        let (kind, run) = (self.call.at.kind.name(), self.call.run.number);
        let reason = match &self.call.run.version {
            Some(version) => format!("{kind} {version}"),
            None => format!("{kind} {run}"),
        };
        let owner = self.call.record.run.as_ref().map(|it| it.requester.clone());
        let owner = owner.unwrap_or_default();
        Embargo { run, owner, scope: with.scope.clone(), reason, since, until }
    }

    fn todo(&self) -> Seen {
        let (site, key) = (self.site(), format!("embargo/{}", self.site()));
        let lies = self.lies().map(|it| it.scope.join(", "));
        let (verb, old, new, sentence) = match &self.on {
            Some(it) => {
                let what = it.scope.join(", ");
                let sentence = format!("writes are refused on {site}: {what}");
                (Verb::Create, None, Some(what), sentence)
            }
            None => (Verb::Delete, lies, None, format!("writes are allowed on {site}")),
        };
        let evidence = vec![self.evidence("as the journal has it".to_owned())];
        Seen::Todo { changes: vec![Change { verb, key, old, new, sentence }], evidence }
    }
}

/// Whether every embargo that the journal has is enforced; nothing to look at where none is declared.
#[derive(Debug)]
struct Holds {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Check for Holds {
    async fn look(&self) -> Finding {
        let (mut evidence, mut verdict) = (vec![], Verdict::Pass);
        let Some(by) = &self.call.workflow.embargo else {
            let says = "the workflow does not say how an embargo is enforced";
            return Finding { verdict, evidence: vec![self.note(says)], facts: vec![] };
        };
        let wanted = |site: &SiteName| self.call.on.as_ref().is_none_or(|on| on == site);
        for (site, embargo) in self.call.record.embargoes.iter().filter(|(site, _)| wanted(site)) {
            let since = Some(embargo.since);
            match world::read(&self.wire, &self.call, site, by, since).await {
                Ok(standing) => {
                    evidence.extend(standing.evidence);
                    if !standing.takes.is_empty() {
                        verdict = Verdict::Fail;
                        let says = format!(
                            "the embargo on {site} does not hold: {}",
                            standing.takes.join(", ")
                        );
                        let data = json!({ "code": E3821.id, "site": site });
                        evidence.push(self.wire.evidence_with("embargo", says, data));
                    }
                }
                Err(trouble) => {
                    evidence.push(trouble.evidence(&self.wire));
                    if verdict == Verdict::Pass && !self.call.goes_without(site) {
                        verdict = Verdict::Unknown;
                    }
                }
            }
        }
        if evidence.is_empty() {
            evidence.push(self.note("no embargo lies"));
        }
        Finding { verdict, evidence, facts: vec![] }
    }
}

impl Holds {
    fn note(&self, says: &str) -> Evidence {
        self.wire.evidence("journal", says.to_owned())
    }
}
