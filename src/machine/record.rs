//! Everything that outlives a state: folded from the entries (see `fold`), read-only for handlers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::machine::consent::{Consent, Fenced, Seal};
use crate::machine::entry::{Embargo, Kept, Owed, Remembered};
use crate::model::{Digest, Kind, Phase, Roles, SiteName, StepId, Time, Verdict};

/// The open run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number, per system, from 1.
    pub number: u32,
    /// What it is for; a failover that interrupts it changes it.
    pub kind: Kind,
    /// The release it brings, if it does.
    pub version: Option<String>,
    /// Production when it started; after a turn into a failover, the site that is given up.
    pub production: SiteName,
    /// The other site.
    pub standby: SiteName,
    /// The release production had when it started.
    pub from_version: Option<String>,
    /// Who started it.
    pub requester: String,
    /// When.
    pub started: Time,
    /// The digest of its workflow's text.
    pub workflow: Digest,
    /// Outside addresses that are not the services' own.
    pub outside: Vec<String>,
    /// The stamp of its latest backup.
    pub stamp: Option<String>,
    /// The backup object it proved.
    pub backup: Option<(String, String, u64)>,
    /// When each phase was first entered in this walk; an abort, a way back and a failover are walks
    /// of their own. Retries do not change it.
    pub entered: BTreeMap<Phase, Time>,
    /// Checks waived for this run.
    pub waived: BTreeMap<StepId, Waiver>,
    /// Sites the run goes on without: what cannot be read there is accepted as not known.
    pub without: BTreeMap<SiteName, Waiver>,
}

/// Who waived a check, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Waiver {
    /// The person.
    pub by: String,
    /// Their reason.
    pub reason: String,
}

impl Waiver {
    /// `tls waived by rob: the certificate comes tonight`.
    pub fn sentence(&self, check: &StepId) -> String {
        format!("{check} waived by {}: {}", self.by, self.reason)
    }
}

/// What a site got of its users' requests when they were last counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// When the counting ended.
    pub at: Time,
    /// Requests for production's names.
    pub requests: u64,
    /// In this time, milliseconds.
    pub lasted_ms: u64,
}

impl Counted {
    /// Requests a minute, rounded up: one request is not none.
    pub fn per_minute(&self) -> u64 {
        self.requests.saturating_mul(60_000).div_ceil(self.lasted_ms.max(1))
    }
}

/// What resolvers remembered of production's names when they were last asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caches {
    /// When they were asked.
    pub at: Time,
    /// How long the old addresses would be remembered from then on, seconds.
    pub old: u32,
    /// The longest TTL of any answer, seconds.
    pub ttl: u32,
}

/// One approval that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Who.
    pub by: String,
    /// Their groups.
    pub groups: Vec<String>,
    /// When.
    pub at: Time,
}

/// What a site's data is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// It holds what production held then.
    pub of: Time,
    /// It holds all of it; false while it is being replaced.
    pub whole: bool,
}

/// The last failover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The run.
    pub run: u32,
    /// When it was agreed to.
    pub at: Time,
    /// What was accepted.
    pub consent: Consent,
    /// How the parts of the fence stand; those not tried yet are only owed.
    pub fence: BTreeMap<StepId, Fenced>,
    /// What was counted on the copy that users were moved to, by query.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, String>,
    /// What was really lost, once somebody could see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Users have been on the lost site again since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone_back: bool,
}

/// What the journal says is true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The time of the last entry.
    pub now: Time,
    /// The journal's own id; empty before `init`.
    pub journal: String,
    /// The highest run number given.
    pub runs: u32,
    /// Rises with every run and every take-over; the marks and the journal carry it.
    pub epoch: u64,
    /// Who is production.
    pub roles: Option<Roles>,
    /// A site that lost production in a failover.
    pub quarantined: Option<SiteName>,
    /// What each site answers with.
    pub releases: BTreeMap<SiteName, String>,
    /// The highest mark seen, by zone.
    pub marks: BTreeMap<String, u64>,
    /// The addresses each site owns, by record.
    pub addresses: BTreeMap<SiteName, BTreeMap<String, String>>,
    /// Embargoes that lie, by site.
    pub embargoes: BTreeMap<SiteName, Embargo>,
    /// Copies of databases that are kept, by name; dropped when another one is made after their time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copies: BTreeMap<String, Kept>,
    /// What must be put back; outlives its run.
    pub owed: BTreeSet<Owed>,
    /// The open run.
    pub run: Option<Run>,
    /// Intents without an outcome, by phase and step.
    #[serde(with = "pairs")]
    pub intents: BTreeMap<(Phase, u8), Remembered>,
    /// How often each step of the open run failed in a known state, by phase and step.
    #[serde(with = "pairs")]
    pub failures: BTreeMap<(Phase, u8), u32>,
    /// What each check of the open run said last.
    pub verdicts: BTreeMap<StepId, Verdict>,
    /// Rows of production's database, by query, just before its latest dump was begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, u64>,
    /// The latest stamp ever given; the next one is later.
    pub last_stamp: Option<String>,
    /// What people are asked to approve.
    pub packet: Option<Digest>,
    /// The parts of the packet, by name.
    pub packet_parts: BTreeMap<String, String>,
    /// Approvals of exactly that packet.
    pub approvals: Vec<Standing>,
    /// Writes were allowed on the new production.
    pub writes_since_swap: bool,
    /// The old production's data is being replaced; there is no way back.
    pub renewed: bool,
    /// What each site got of its users' requests, as this run last counted them.
    #[serde(default)]
    pub counts: BTreeMap<SiteName, Counted>,
    /// What resolvers remember, as they last said.
    #[serde(default)]
    pub caches: Option<Caches>,
    /// Rows of production's database when this run first counted them, and when it last did.
    #[serde(default)]
    pub rows: Option<(u64, u64)>,
    /// Nothing new is started.
    pub paused: bool,
    /// Nothing moves, except rollback, fencing, closing and failover.
    pub frozen: bool,
    /// What the data of each site that is not production is a copy of, as far as it is proven.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<SiteName, Copied>,
    /// The last failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    /// The site that the names of the last drill led to before it moved them. Drill names have roles of their
    /// own: a release leaves them where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drilled: Option<SiteName>,
    /// What `arm` last put on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<Seal>,
}

impl Record {
    /// The site that is production, or that users are leaving.
    pub fn production(&self) -> Option<&SiteName> {
        self.roles.as_ref().map(|roles| match roles {
            Roles::Settled { production } => production,
            Roles::Moving { from, .. } => from,
        })
    }

    /// Whether writes are refused or a job is off on the site that is production.
    pub fn owes_on_production(&self) -> bool {
        self.owed.iter().any(|it| match it {
            Owed::Job { site, .. } | Owed::Embargo { site } => self.production() == Some(site),
            Owed::Standby | Owed::Fence { .. } => false,
        })
    }

    /// When the embargo on this site must have been lifted. `None` where none lies, and on a lost site: there it
    /// is part of the fence, and lies until the rejoin has rebuilt the site.
    pub fn lifts(&self, site: &SiteName) -> Option<Time> {
        let lost = self.quarantined.as_ref() == Some(site);
        self.embargoes.get(site).filter(|_| !lost).map(|it| it.until)
    }

    /// Whether users are between two sites.
    pub const fn moving(&self) -> bool {
        matches!(self.roles, Some(Roles::Moving { .. }))
    }

    /// Users are half-way through a failover: nothing refuses writes where they are being moved to, so going back
    /// costs what was written there.
    pub fn half_given_up(&self) -> bool {
        self.moving() && self.run.as_ref().is_some_and(|run| run.kind == Kind::Failover)
    }

    /// The failover that the open run is, once it was agreed to.
    pub fn failing_over(&self) -> Option<&Incident> {
        let run = self.run.as_ref()?;
        self.incident.as_ref().filter(|it| it.run == run.number)
    }

    /// The last failover, while users are still where it brought them: there is a way home.
    pub fn away(&self) -> Option<&Incident> {
        let away = |it: &&Incident| !it.gone_back && self.production() == Some(&it.consent.to);
        self.incident.as_ref().filter(away)
    }

    /// Parts of the fence that are not done, with the site they are owed on.
    pub fn unfenced(&self) -> Vec<(StepId, SiteName)> {
        let part = |owed: &Owed| match owed {
            Owed::Fence { part, site } => Some((part.clone(), site.clone())),
            Owed::Job { .. } | Owed::Embargo { .. } | Owed::Standby => None,
        };
        self.owed.iter().filter_map(part).collect()
    }

    /// How many rows production's database has more than when writes were first allowed; `None` when nobody
    /// has counted.
    pub fn rows_since(&self) -> Option<u64> {
        let (first, last) = self.rows?;
        Some(last.saturating_sub(first))
    }

    /// How many people of this group have approved; each fills a place in one group only.
    pub fn approvals_of(&self, group: &str) -> usize {
        self.approvals.iter().filter(|it| it.groups.iter().any(|own| own == group)).count()
    }
}

/// A map with a pair as its key, as a list: JSON has text keys only.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::Phase;

    type Map<V> = BTreeMap<(Phase, u8), V>;

    pub(super) fn serialize<V: Serialize, S: Serializer>(
        map: &Map<V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter())
    }

    pub(super) fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Map<V>, D::Error> {
        Ok(Vec::<((Phase, u8), V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
