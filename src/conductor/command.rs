//! What people tell the conductor, and what it answers.

use serde::{Deserialize, Serialize};

use crate::fault::Exit;
use crate::machine::{At, Diagnosis, Ended, State};
use crate::model::{Change, Digest, Evidence, SiteName, StepId, Time, Witness};
use crate::view::WayBack;

/// One command. The same for the CLI and for the socket of a working conductor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Put a system under a journal.
    Init,
    /// Open a release and do its preflight.
    Start {
        /// The release.
        version: String,
        /// Go on to the gate by itself.
        auto: bool,
        /// The consent to swap given in advance, with `auto`.
        confirm: Option<SiteName>,
        /// Checks waived, by step id.
        waive: Vec<StepId>,
    },
    /// Do exactly one phase.
    Next {
        /// Go on to the next gate, swap or soak.
        auto: bool,
        /// The typed consent: the site that will be production. Needed for `swap`.
        confirm: Option<SiteName>,
        /// Checks waived, by step id.
        waive: Vec<StepId>,
    },
    /// Approve what was shown.
    Approve {
        /// What the person saw.
        comment: Option<String>,
        /// The digest that was shown; the current one when absent.
        packet: Option<Digest>,
    },
    /// Refuse what was shown.
    Reject,
    /// The release stays.
    Accept,
    /// Go back.
    Rollback {
        /// The typed consent: the site that will be production.
        confirm: Option<SiteName>,
        /// The consent to lose writes made since.
        accept_data_loss: bool,
    },
    /// Give up before the swap.
    Abort,
    /// Look again, try again.
    Retry,
    /// Go on without a step.
    Skip {
        /// Which.
        step: StepId,
    },
    /// A person found out how a step ended.
    Resolve {
        /// Which.
        step: StepId,
        /// Whether its end is true.
        done: bool,
    },
    /// Start nothing new.
    Pause,
    /// Go on after a pause.
    Resume,
    /// New rules for what has not begun.
    Amend {
        /// The workflow's text.
        text: String,
        /// The file's name, for findings.
        file: String,
    },
    /// Take over a run that nobody drives, or a foreign mark.
    Adopt,
    /// End a run with something owed.
    Close,
    /// Go on though a site that users have left does not serve.
    Without {
        /// Which.
        site: SiteName,
    },
    /// Let an embargo last longer.
    Extend {
        /// Which; all that lie when absent.
        site: Option<SiteName>,
        /// Until then.
        until: Option<Time>,
        /// Or this many seconds from now.
        seconds: Option<i64>,
    },
    /// Give a kept copy up before its time.
    GiveUp {
        /// Its name.
        copy: String,
    },
    /// The world is right: record who is production, addresses, releases and marks as they are.
    DriftAdopt {
        /// The typed consent: the site that is production by the world.
        confirm: Option<SiteName>,
    },
    /// Write the page with which people do the switch by hand.
    Runbook,
    /// Open a planned change of roles: a release without deploy.
    Switchover {
        /// Go on to the gate by itself.
        auto: bool,
        /// The consent to swap given in advance, with `auto`.
        confirm: Option<SiteName>,
        /// Checks waived, by step id.
        waive: Vec<StepId>,
    },
    /// Keep a failover ready.
    Arm,
    /// Give production up and move users.
    Failover(GivenUp),
    /// Make the lost site a standby again.
    Rejoin {
        /// Go on to the end by itself.
        auto: bool,
        /// Checks waived, by step id.
        waive: Vec<StepId>,
    },
    /// Move the drill names there and back.
    Drill {
        /// Checks waived, by step id.
        waive: Vec<StepId>,
        /// The digest of the plan that was shown, or its first digits.
        plan: Option<String>,
    },
    /// Rejoin, then, as a command of its own, switch back.
    Failback {
        /// Go on by itself as far as that goes.
        auto: bool,
        /// Checks waived, by step id.
        waive: Vec<StepId>,
        /// Why so soon after the failover.
        acknowledge: Option<String>,
    },
}

/// How much may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MayLose {
    /// At most this many seconds of writes.
    Seconds(i64),
    /// Nobody knows how much; accepted as that.
    Unknown,
}

/// Giving production up: what the person saw and accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// The typed consent: the site that will be production.
    pub confirm: Option<SiteName>,
    /// The consent to the loss.
    pub accept_data_loss: Option<MayLose>,
    /// The digest of the plan that was shown, or its first digits.
    pub plan: Option<String>,
    /// Why, in spite of a failover just before or of what is not known.
    pub acknowledge: Option<String>,
    /// Since when production is down, as the person says.
    pub down: Option<Time>,
    /// When the plan was shown to the person.
    pub shown: Option<Time>,
    /// Only from an armed plan; refused rather than read the world first.
    #[serde(default)]
    pub armed: bool,
}

impl GivenUp {
    /// The reason that was given; a blank one is none.
    pub fn acknowledged(&self) -> Option<&str> {
        self.acknowledge.as_deref().filter(|it| !it.trim().is_empty())
    }
}

/// Whether a failover is carried out from a plan on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromArmed {
    /// The armed plan.
    pub plan: Option<Digest>,
    /// When it was made.
    pub at: Option<Time>,
    /// Why it is of no use, or that there is none.
    pub not: Option<String>,
}

/// What a failover would do and cost, before anything moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The site that would be given up.
    pub lost: SiteName,
    /// The site users would be moved to.
    pub to: SiteName,
    /// What the witnesses amount to.
    pub diagnosis: Diagnosis,
    /// What makes that diagnosis.
    pub says: String,
    /// Why it would be refused, and the nearest way on.
    pub refused: Option<String>,
    /// The lost site is fenced before users are moved, not beside it.
    pub fence_first: bool,
    /// Who said what.
    pub witnesses: Vec<Witness>,
    /// What the other site's data is a copy of.
    pub data_of: Option<Time>,
    /// How much is lost at most, seconds; absent when nothing proves it.
    pub loss_seconds: Option<i64>,
    /// Writes at stake, where a counter could be read.
    pub writes: Option<u64>,
    /// What else will be missing.
    pub missing: Vec<String>,
    /// The release that users will get.
    pub release: Option<String>,
    /// How long it is going to take, seconds, by earlier runs.
    pub expected_seconds: Option<i64>,
    /// What is not known and is accepted together with the loss.
    pub asked: Vec<String>,
    /// The armed plan it would be carried out from, or why from none.
    #[serde(default)]
    pub armed: FromArmed,
    /// The command that accepts exactly this.
    pub command: String,
}

/// A command with its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What.
    pub command: Command,
    /// Why; some commands demand it.
    pub reason: Option<String>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What a dry run shows, and what a person confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The command's name.
    pub command: String,
    /// One sentence: what would happen.
    pub sentence: String,
    /// What would be done, step by step.
    pub steps: Vec<PlannedStep>,
    /// What going back would cost afterwards.
    pub way_back: WayBack,
    /// What a failover would do and cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Box<Preview>>,
    /// Over all of the above.
    pub digest: Digest,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its phase's name.
    pub phase: String,
    /// Its id.
    pub id: StepId,
    /// Its kind.
    pub kind: String,
    /// `pass`, `fail`, `unknown`, `waived` for checks; `done`, `todo`, `later` for actions.
    pub verdict: String,
    /// What it would change.
    pub changes: Vec<Change>,
    /// What was read.
    pub evidence: Vec<Evidence>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The exit status it ends with.
    pub exit: Exit,
    /// One sentence of what happened and why.
    pub sentence: String,
    /// One sentence on what happens next, with the command.
    pub next: String,
    /// Where the machine stands.
    pub state: State,
    /// The code of the error, when it did not end well.
    pub code: Option<String>,
    /// The plan, of a dry run.
    pub plan: Option<Plan>,
}

/// What is told while a command is worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "snake_case")]
pub enum Progress {
    /// A phase is entered.
    Phase {
        /// Where.
        at: At,
        /// When.
        time: Time,
    },
    /// A step is started.
    Started {
        /// Where.
        at: At,
        /// Which.
        step: StepId,
        /// Its kind.
        kind: String,
        /// When.
        time: Time,
        /// Its usual duration, seconds, from earlier runs.
        expected: Option<i64>,
    },
    /// Something was seen meanwhile.
    Seen {
        /// Which.
        step: StepId,
        /// One sentence.
        says: String,
    },
    /// A step ended.
    Ended {
        /// Where.
        at: At,
        /// Which.
        step: StepId,
        /// How.
        ended: Ended,
        /// One sentence.
        says: String,
        /// When.
        time: Time,
        /// How long it took, milliseconds.
        took_ms: u64,
    },
    /// Anything else.
    Said {
        /// One sentence.
        says: String,
    },
}

/// Is told how a command goes on.
pub trait Watcher: Send + Sync {
    /// Something happened.
    fn tell(&self, progress: &Progress);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWatcher;

impl Watcher for NoWatcher {
    fn tell(&self, _: &Progress) {}
}
