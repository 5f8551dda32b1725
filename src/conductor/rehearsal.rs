//! A world that is only looked at: what is read is remembered, what would be changed is taken as changed.
//!
//! With it the conductor answers what stands in the way of a command by walking the command's own way: the
//! same guards in the same order, over a journal that is thrown away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::fault::Fault;
use crate::model::{Change, Evidence, Owned, Sight, SiteName, ZoneKept};
use crate::port::{
    Action, Asked, ByHand, Call, Check, Finding, Seen, Sent, Survey, Testimony, World,
};
use crate::workflow::Workflow;

/// What was met on the way.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// What stands in the way, each with what was read for it.
    against: Mutex<Vec<(Fault, Vec<Evidence>)>>,
    /// What was read since the last guard had answered.
    read: Mutex<Vec<Evidence>>,
}

impl Met {
    fn keep(&self, evidence: &[Evidence]) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.extend_from_slice(evidence);
    }

    /// A guard answered: what was read until now was read for it.
    pub(super) fn answered(&self, held: Result<(), Fault>) {
        let read = std::mem::take(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(fault) = held {
            self.against(fault, read);
        }
    }

    /// This stands in the way, by what was read.
    pub(super) fn against(&self, fault: Fault, read: Vec<Evidence>) {
        self.against.lock().unwrap_or_else(PoisonError::into_inner).push((fault, read));
    }

    /// All that stands in the way.
    pub(super) fn taken(&self) -> Vec<(Fault, Vec<Evidence>)> {
        std::mem::take(&mut *self.against.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The world, looked at only.
pub(super) struct Looking {
    world: Arc<dyn World>,
    met: Arc<Met>,
}

impl Looking {
    pub(super) fn new(world: Arc<dyn World>, met: Arc<Met>) -> Self {
        Self { world, met }
    }
}

struct Looked {
    check: Box<dyn Check>,
    met: Arc<Met>,
}

#[async_trait]
impl Check for Looked {
    async fn look(&self) -> Finding {
        let found = self.check.look().await;
        self.met.keep(&found.evidence);
        found
    }
}

struct Supposed {
    action: Box<dyn Action>,
    met: Arc<Met>,
    /// It would have been done.
    done: AtomicBool,
}

#[async_trait]
impl Action for Supposed {
    async fn observe(&self) -> Seen {
        let seen = self.action.observe().await;
        self.met.keep(&seen.clone().into_evidence());
        match seen {
            Seen::Todo { evidence, .. } if self.done.load(Ordering::SeqCst) => {
                Seen::Done { evidence, facts: vec![] }
            }
            seen @ (Seen::Todo { .. }
            | Seen::Done { .. }
            | Seen::Busy { .. }
            | Seen::Failed { .. }
            | Seen::Foreign { .. }
            | Seen::Unknown { .. }) => seen,
        }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        self.done.store(true, Ordering::SeqCst);
        Sent::Accepted { evidence: vec![], facts: vec![] }
    }
}

#[async_trait]
impl World for Looking {
    fn check(&self, call: Call) -> Box<dyn Check> {
        Box::new(Looked { check: self.world.check(call), met: Arc::clone(&self.met) })
    }

    fn action(&self, call: Call) -> Box<dyn Action> {
        let (action, met) = (self.world.action(call), Arc::clone(&self.met));
        Box::new(Supposed { action, met, done: AtomicBool::new(false) })
    }

    async fn addresses(
        &self,
        workflow: &Workflow,
        site: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence> {
        self.world.addresses(workflow, site).await
    }

    async fn survey(&self, workflow: &Workflow) -> Result<Survey, Vec<Evidence>> {
        let survey = self.world.survey(workflow).await;
        self.met.keep(match &survey {
            Ok(survey) => &survey.evidence,
            Err(evidence) => evidence,
        });
        survey
    }

    async fn sight(&self, workflow: &Workflow, known: &Owned, deadline: Duration) -> Sight {
        let sight = self.world.sight(workflow, known, deadline).await;
        self.met.keep(&sight.unread());
        sight
    }

    async fn first_marks(
        &self,
        _: &Workflow,
        _: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        Ok(BTreeMap::new())
    }

    async fn counts(
        &self,
        workflow: &Workflow,
        site: &SiteName,
        queries: &[String],
    ) -> BTreeMap<String, String> {
        self.world.counts(workflow, site, queries).await
    }

    async fn kept(&self, workflow: &Workflow) -> Result<Vec<ZoneKept>, Evidence> {
        self.world.kept(workflow).await
    }

    fn by_hand_setup(&self, workflow: &Workflow) -> String {
        self.world.by_hand_setup(workflow)
    }

    async fn by_hand(&self, call: Call) -> Result<Option<ByHand>, Vec<Evidence>> {
        self.world.by_hand(call).await
    }

    async fn witness(&self, asked: &Asked) -> Testimony {
        let heard = self.world.witness(asked).await;
        let said: Vec<Evidence> = heard.witnesses.iter().map(Evidence::from).collect();
        self.met.keep(&said);
        heard
    }

    async fn take_marks(
        &self,
        _: &Workflow,
        _: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        Ok(BTreeMap::new())
    }
}
