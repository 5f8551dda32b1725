//! What a journal's line means for the machine: the part of it that is folded into the record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::consent::{Consent, FenceEnd, Seal};
use crate::machine::input::{Ended, Input};
use crate::machine::record::Waiver;
use crate::machine::state::State;
use crate::model::{Change, Digest, Evidence, OpId, Phase, SiteName, StepId, Time, Verdict};

/// One line, without its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When; given from outside, never earlier than the line before.
    pub at: Time,
    /// What.
    pub body: Body,
}

/// The four kinds of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// An input and where it led.
    Decided {
        /// The input.
        input: Input,
        /// The state before.
        from: State,
        /// The state after; computed again at replay and compared.
        to: State,
        /// Why, in the words of the person who gave the input.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What was read that this relied on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Evidence>,
        /// What else became true with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        facts: Vec<Fact>,
    },
    /// A command that was understood and refused.
    Refused {
        /// The command.
        command: String,
        /// The error's code.
        code: String,
        /// The error's sentence.
        message: String,
    },
    /// An effect is about to happen.
    Intent(Intent),
    /// Anything else that became true.
    Note {
        /// One sentence.
        text: String,
        /// Why, in the words of the person who did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What was read that this relied on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Evidence>,
        /// What became true.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        facts: Vec<Fact>,
    },
}

/// An effect that is about to happen; open until its step's outcome is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The phase of its step.
    pub phase: Phase,
    /// The position of its step.
    pub step: u8,
    /// The id of its step.
    pub id: StepId,
    /// The kind of its action, for example `switch`.
    pub action: String,
    /// Names the effect across attempts.
    pub op: OpId,
    /// From 1; counts known failures of this effect.
    pub attempt: u32,
    /// What will be changed.
    pub changes: Vec<Change>,
    /// What was seen before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<Evidence>,
    /// What becomes true with the intent alone, for example that roles are moving.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
}

/// An open intent as the record keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The intent.
    pub intent: Intent,
    /// When it was first written; its effect may have happened from then on.
    pub since: Time,
}

/// How an intent was closed outside its step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Its phase.
    pub phase: Phase,
    /// Its step.
    pub step: u8,
    /// How it ended.
    pub ended: Ended,
}

/// What a run changed and must put back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "owed", rename_all = "snake_case")]
pub enum Owed {
    /// A job was switched off on this site; some site must run it again.
    Job {
        /// The job.
        job: String,
        /// Where it was switched off.
        site: SiteName,
    },
    /// Writes are refused on this site.
    Embargo {
        /// The site.
        site: SiteName,
    },
    /// The standby does not have production's release and data.
    Standby,
    /// A part of a lost site's power to act has not been taken away yet.
    Fence {
        /// The step that takes it away.
        part: StepId,
        /// The lost site.
        site: SiteName,
    },
}

/// An embargo that lies on a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embargo {
    /// Which run laid it.
    pub run: u32,
    /// Who started that run, and answers for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// What is refused, for example `content`, `schema`.
    pub scope: Vec<String>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Time,
    /// When somebody should have lifted it; passing it lifts nothing.
    pub until: Time,
}

/// A copy of a site's database that is kept: nothing of that database is lost when it is overwritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Whose database.
    pub site: SiteName,
    /// The database instance it is a copy of.
    pub instance: String,
    /// Which run made it.
    pub run: u32,
    /// When it was made, by its maker's clock.
    pub made: Time,
    /// It is not given up before.
    pub until: Time,
}

/// One thing that became true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The system was put under this journal.
    Initialised {
        /// The journal's own id, random, for marks.
        journal: String,
        /// Which site the switch says is production.
        production: SiteName,
        /// The release each site answers with.
        releases: BTreeMap<SiteName, String>,
    },
    /// This journal has an id of its own.
    Born {
        /// The id, random; marks carry it.
        journal: String,
    },
    /// A check was looked at.
    Looked {
        /// The check.
        check: StepId,
        /// What it said.
        verdict: Verdict,
    },
    /// Users are being moved.
    RolesMoving {
        /// From here.
        from: SiteName,
        /// To here.
        to: SiteName,
    },
    /// Every authoritative server agrees.
    RolesSettled {
        /// The site that is production.
        production: SiteName,
    },
    /// A site answers with this release.
    Release {
        /// The site.
        site: SiteName,
        /// The release.
        version: String,
    },
    /// Something must be put back.
    Owe {
        /// What.
        #[serde(flatten)]
        owed: Owed,
    },
    /// It was put back.
    Pay {
        /// What.
        #[serde(flatten)]
        owed: Owed,
    },
    /// Writes are refused on a site.
    EmbargoOn {
        /// The site.
        site: SiteName,
        /// How.
        embargo: Embargo,
    },
    /// Writes are allowed again on a site.
    EmbargoOff {
        /// The site.
        site: SiteName,
    },
    /// A zone's mark was seen or set.
    Mark {
        /// The zone.
        zone: String,
        /// Its number.
        number: u64,
    },
    /// The addresses a site owns, by record.
    Addresses {
        /// The site.
        site: SiteName,
        /// Address by record id.
        addresses: BTreeMap<String, String>,
    },
    /// What a site got of its users' requests.
    Counted {
        /// The site.
        site: SiteName,
        /// Requests for production's names.
        requests: u64,
        /// In this time, milliseconds.
        lasted_ms: u64,
    },
    /// Rows of production's database, counted once users had been moved.
    Rows {
        /// How many, over all tables that are counted.
        rows: u64,
    },
    /// What resolvers remember of production's names.
    Remembered {
        /// Until the last of those asked has forgotten the old addresses, seconds; 0: it has.
        old: u32,
        /// The longest TTL of any answer, seconds: what a move now would have to wait out.
        ttl: u32,
    },
    /// What people are asked to approve.
    Packet {
        /// Its digest; approvals are bound to it.
        digest: Digest,
        /// What it covers, by name.
        parts: BTreeMap<String, String>,
    },
    /// The stamp under which this run's backups are kept.
    Stamp {
        /// `YYYYMMDDHHMM`, UTC.
        stamp: String,
    },
    /// The exact backup object that this run proved.
    Backup {
        /// Its key.
        key: String,
        /// Its `ETag`.
        etag: String,
        /// Its size, bytes.
        size: u64,
    },
    /// Rows of production's database, by query, just before a dump: what is loaded from it has as many.
    Held {
        /// How many, by query.
        rows: BTreeMap<String, u64>,
    },
    /// A copy of a site's database exists and is kept.
    Copied {
        /// Its name.
        name: String,
        /// What it is.
        kept: Kept,
    },
    /// A kept copy was given up by a person, with the reason in the line.
    GivenUp {
        /// Its name.
        name: String,
    },
    /// An intent was closed outside its step.
    Settled(Closed),
    /// Nothing new is started until `run resume`.
    Paused {
        /// On or off.
        on: bool,
    },
    /// Nothing moves for this system, except rollback, fencing, closing and failover.
    Frozen {
        /// On or off.
        on: bool,
    },
    /// Somebody took over; what an older conductor still does is void.
    Epoch {
        /// The new epoch.
        epoch: u64,
    },
    /// A check was waived by a person.
    Waived {
        /// The check.
        check: StepId,
        /// Who and why; lines of an earlier build say it beside the fact only.
        #[serde(flatten)]
        waiver: Waiver,
    },
    /// A person goes on without a site that does not serve.
    Without {
        /// The site.
        site: SiteName,
        /// Who and why.
        #[serde(flatten)]
        waiver: Waiver,
    },
    /// Production is given up, and what that costs was accepted.
    Consented {
        /// By whom is in the line; what is here.
        consent: Box<Consent>,
    },
    /// A part of the fence was tried.
    Fenced {
        /// The step.
        part: StepId,
        /// The lost site.
        site: SiteName,
        /// How it ended.
        how: FenceEnd,
        /// What was seen.
        says: String,
    },
    /// A site's data is being replaced: until that has ended it holds no whole copy.
    Loading {
        /// The site.
        site: SiteName,
    },
    /// A site's data is a proven copy of production's as it was then.
    Loaded {
        /// The site.
        site: SiteName,
        /// When it was copied.
        of: Time,
    },
    /// Users were moved away from this site by hand, outside any run: it lost production.
    LeftByHand {
        /// The site.
        site: SiteName,
    },
    /// What was counted on the copy that users were moved to, by query.
    CopyCounted {
        /// Query and answer.
        counts: BTreeMap<String, String>,
    },
    /// A drill is about to move its names: where they lead is where it moves them back to.
    Drilled {
        /// The site that the drill's production names lead to.
        from: SiteName,
    },
    /// A failover was made ready.
    Armed(Seal),
    /// What the failover really lost, found out when the lost site came back.
    LossFound {
        /// One sentence.
        says: String,
    },
}
