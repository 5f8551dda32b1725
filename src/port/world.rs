//! The world's door: checks look, actions observe, plan, apply and observe again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::machine::{At, Fact, Life, Record};
use crate::model::{
    Change, Evidence, OpId, Owned, Sight, SiteName, StepId, Time, Verdict, Witness, ZoneKept,
};
use crate::workflow::Workflow;
use crate::workflow::step::Params;

/// What a step may know of its run.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// Its number.
    pub number: u32,
    /// Its name where names are wanted: `r7`, with the journal's id shortened.
    pub id: String,
    /// The release it brings.
    pub version: Option<String>,
    /// The stamp of its backup.
    pub stamp: Option<String>,
    /// When it started.
    pub started: Time,
}

/// One step about to be worked on, with everything it may know. Roles are those the phase means.
#[derive(Clone, Debug)]
pub struct Call {
    /// The workflow the run is pinned to.
    pub workflow: Arc<Workflow>,
    /// Where.
    pub at: At,
    /// The step.
    pub step: StepId,
    /// Its parameters, templates resolved.
    pub params: Params,
    /// The site whose credentials and hosts are used.
    pub on: Option<SiteName>,
    /// The site meant by `production` in this phase.
    pub production: SiteName,
    /// The site meant by `standby` in this phase.
    pub standby: SiteName,
    /// The run.
    pub run: RunFacts,
    /// What the journal says is true.
    pub record: Arc<Record>,
    /// Names the effect; a check has one too.
    pub op: OpId,
    /// From 1; counts known failures of this effect in this run.
    pub attempt: u32,
    /// When an effect of this step may have happened for the first time: the time of its open intent.
    pub since: Option<Time>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// For the switch of an armed failover: the zones as they were kept. Its first look is at these.
    pub kept: Option<Arc<Vec<ZoneKept>>>,
}

impl Call {
    /// Whether a person goes on though nothing can be read at this site.
    pub fn goes_without(&self, site: &SiteName) -> bool {
        self.record.run.as_ref().is_some_and(|run| run.without.contains_key(site))
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it says.
    pub verdict: Verdict,
    /// What was read; never empty.
    pub evidence: Vec<Evidence>,
    /// What else is known now.
    pub facts: Vec<Fact>,
}

/// What an action sees when it looks at the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Its end is true.
    Done {
        /// What was read.
        evidence: Vec<Evidence>,
        /// What else is known now.
        facts: Vec<Fact>,
    },
    /// Its end is not true and may be made so by these changes.
    Todo {
        /// The plan.
        changes: Vec<Change>,
        /// What was read.
        evidence: Vec<Evidence>,
    },
    /// Its effect has begun and has not ended; look again.
    Busy {
        /// What was read.
        evidence: Vec<Evidence>,
    },
    /// Its effect ended badly; the world is known.
    Failed {
        /// What was read.
        evidence: Vec<Evidence>,
    },
    /// Neither the end nor what was before: somebody else changed it. Nothing is overwritten.
    Foreign {
        /// What was read.
        evidence: Vec<Evidence>,
    },
    /// It could not be read.
    Unknown {
        /// Why.
        evidence: Vec<Evidence>,
    },
}

impl Seen {
    /// What was read, whatever it says.
    pub fn into_evidence(self) -> Vec<Evidence> {
        match self {
            Self::Done { evidence, .. }
            | Self::Todo { evidence, .. }
            | Self::Busy { evidence }
            | Self::Failed { evidence }
            | Self::Foreign { evidence }
            | Self::Unknown { evidence } => evidence,
        }
    }
}

/// What became of a request that changes the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// It was accepted.
    Accepted {
        /// The answer.
        evidence: Vec<Evidence>,
        /// What else is known now.
        facts: Vec<Fact>,
    },
    /// It was refused and had no effect.
    Refused {
        /// The answer.
        evidence: Vec<Evidence>,
    },
    /// Nobody knows: it must be read back.
    Unknown {
        /// What was seen.
        evidence: Vec<Evidence>,
    },
}

impl Sent {
    /// What was answered or seen, whatever became of it.
    pub fn into_evidence(self) -> Vec<Evidence> {
        match self {
            Self::Accepted { evidence, .. }
            | Self::Refused { evidence }
            | Self::Unknown { evidence } => evidence,
        }
    }
}

/// A check.
#[async_trait]
pub trait Check: Send + Sync {
    /// Looks once.
    async fn look(&self) -> Finding;
}

/// An action.
#[async_trait]
pub trait Action: Send + Sync {
    /// Reads the world and says what is to be done; changes nothing.
    async fn observe(&self) -> Seen;

    /// Makes exactly these changes, which `observe` gave. Called after the intent is durable.
    async fn apply(&self, changes: &[Change]) -> Sent;

    /// What becomes true with the intent alone, for example that roles are moving.
    fn intends(&self) -> Vec<Fact> {
        vec![]
    }
}

/// What `init` reads of the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Which site the switch says is production.
    pub production: SiteName,
    /// The release each site answers with, where it could be read.
    pub releases: BTreeMap<SiteName, String>,
    /// The addresses each site owns, by record.
    pub addresses: BTreeMap<SiteName, BTreeMap<String, String>>,
    /// The highest mark of each zone, with the journal it belongs to.
    pub marks: BTreeMap<String, (u64, String)>,
    /// What was read.
    pub evidence: Vec<Evidence>,
}

/// An incident to be witnessed.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The workflow.
    pub workflow: Arc<Workflow>,
    /// What the journal says is true; the addresses of the sites among it.
    pub record: Arc<Record>,
    /// The site that would be given up.
    pub production: SiteName,
    /// The site that users would be moved to.
    pub standby: SiteName,
    /// By when all must have answered.
    pub deadline: Duration,
}

/// What was seen of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Testimony {
    /// Every witness that was asked, whatever it says.
    pub witnesses: Vec<Witness>,
    /// Writes at stake, where the workflow has a counter and it could be read.
    pub writes: Option<u64>,
    /// Zones without a mark: somebody's tool may have taken it away.
    pub unmarked: Vec<String>,
}

/// A step as people do it in a shell, without this program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// What it is, one sentence.
    pub says: String,
    /// Lines for a POSIX shell in which the set-up was run; none where there is nothing to type.
    pub shell: Vec<String>,
}

/// All actuators.
#[async_trait]
pub trait World: Send + Sync {
    /// The check of this call.
    ///
    /// # Panics
    /// Never; a call whose parameters are an action's gives a check that is unknown.
    fn check(&self, call: Call) -> Box<dyn Check>;

    /// The action of this call.
    fn action(&self, call: Call) -> Box<dyn Action>;

    /// The addresses a site owns, by record id.
    ///
    /// # Errors
    /// What was seen when they could not be read.
    async fn addresses(
        &self,
        workflow: &Workflow,
        site: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence>;

    /// Reads roles, releases, addresses and marks.
    ///
    /// # Errors
    /// What was seen when they could not be read or do not agree.
    async fn survey(&self, workflow: &Workflow) -> Result<Survey, Vec<Evidence>>;

    /// Looks at everything at once: owned addresses, the switch at its provider and at its authority, where
    /// writes are accepted, jobs, releases, marks. Each source has this deadline; what does not answer in it
    /// is a part that is not known. `known` are the addresses the journal has, for sites of which nobody
    /// says what they own now. Takes no lock and changes nothing.
    async fn sight(&self, workflow: &Workflow, known: &Owned, deadline: Duration) -> Sight;

    /// Writes the table of sites and roles where the workflow wants it: a rendering of what is so, like the
    /// store; nothing waits for it and nothing is decided by it. `ask` reads the world first.
    ///
    /// # Errors
    /// What stood in the way, for people.
    async fn publish(&self, _: &Workflow, _: &Life, _ask: bool) -> Result<(), Evidence> {
        Ok(())
    }

    /// Sets the first mark of this journal in every zone that has none: the number after the one the survey
    /// gives for that zone, else 1. Only `init`, `run adopt` and `drift adopt` do.
    ///
    /// # Errors
    /// What was seen when one could not be set.
    async fn first_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        survey: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>>;

    /// What each of these queries answers on this site's database; nothing where it cannot be asked.
    async fn counts(&self, _: &Workflow, _: &SiteName, _: &[String]) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// The zones of the switch with the records of the group and the marks, to be kept for a failover.
    ///
    /// # Errors
    /// What was seen when one could not be read.
    async fn kept(&self, _: &Workflow) -> Result<Vec<ZoneKept>, Evidence> {
        Ok(vec![])
    }

    /// What people run first in a shell in which they do steps by hand. It names where secrets are, never one.
    fn by_hand_setup(&self, _: &Workflow) -> String {
        String::new()
    }

    /// A step as people do it by hand, with the values of this moment; nothing for a step that has no such form.
    /// Reads the world and changes nothing.
    ///
    /// # Errors
    /// What was seen when its values could not be read.
    async fn by_hand(&self, _: Call) -> Result<Option<ByHand>, Vec<Evidence>> {
        Ok(None)
    }

    /// A failover with this record is about to begin: starts to read the jobs of the site that would be production
    /// and to make ready what sends requests. Changes nothing, asks no provider, answers at once; what was read is
    /// used by the first look at each job, and by what takes a job out, whose digest the machine compares.
    fn ahead(&self, _: &Arc<Workflow>, _: &Record) {}

    /// Asks all witnesses of an incident side by side; changes nothing. A world without any says nothing.
    async fn witness(&self, _: &Asked) -> Testimony {
        Testimony::default()
    }

    /// Sets the next mark in every zone as this journal's, whoever the last one belonged to. Only
    /// `run adopt` does.
    ///
    /// # Errors
    /// What was seen when one could not be set.
    async fn take_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        survey: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>>;
}
