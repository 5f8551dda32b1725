//! What was seen of the world at one look: each part with its source and its time, or why it is not known.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Evidence, SiteName, Time};

/// The addresses each site owns, by record.
pub type Owned = BTreeMap<SiteName, BTreeMap<String, String>>;

/// One part of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// Where it was read, for example `cloudflare gigadb.org`.
    pub source: String,
    /// When the answer was there, or was given up.
    pub at: Time,
    /// What it said.
    pub read: Read<T>,
}

/// What one part said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Read<T> {
    /// This.
    Known(T),
    /// It could not be read, and why; never the same as "nothing there".
    Unknown(String),
}

impl<T> Part<T> {
    /// What it said, if it could be read.
    pub const fn known(&self) -> Option<&T> {
        match &self.read {
            Read::Known(it) => Some(it),
            Read::Unknown(_) => None,
        }
    }

    /// Why it is not known.
    pub fn unknown(&self) -> Option<&str> {
        match &self.read {
            Read::Known(_) => None,
            Read::Unknown(why) => Some(why),
        }
    }

    /// A sentence on it as evidence.
    pub fn says(&self, says: impl Into<String>) -> Evidence {
        let data = serde_json::Value::Null;
        Evidence { source: self.source.clone(), at: self.at, says: says.into(), data }
    }
}

/// One record of a zone that leads somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSeen {
    /// Its whole name, in lower case.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, `HTTPS`, `SVCB`.
    pub kind: String,
    /// Where it leads.
    pub content: String,
    /// The provider answers for it with its own addresses.
    pub proxied: bool,
    /// When it was last changed, if the provider says so.
    pub changed: Option<Time>,
}

/// The highest mark of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkSeen {
    /// Its number.
    pub number: u64,
    /// The journal it belongs to; absent when its comment was changed.
    pub journal: Option<String>,
    /// When it was made, if the provider says so.
    pub made: Option<Time>,
}

/// A zone as its provider has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneSeen {
    /// Records that lead somewhere.
    pub rows: Vec<RowSeen>,
    /// The highest mark of the group.
    pub mark: Option<MarkSeen>,
}

/// What one authoritative server answers, by name; a name it does not have has no addresses.
pub type Answers = BTreeMap<String, BTreeSet<String>>;

/// One entry of a crontab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntrySeen {
    /// The line.
    pub line: String,
    /// It stands under its marker, letter by letter as the workflow says.
    pub exact: bool,
}

/// A job on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSeen {
    /// Its entries.
    pub entries: Vec<EntrySeen>,
    /// Running instances, as `PID COMMAND LINE`.
    pub running: Vec<String>,
}

/// The jobs of one host, by name; a job that is not there has neither entries nor instances.
pub type JobsSeen = BTreeMap<String, JobSeen>;

/// The world at one look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// When the look began.
    pub began: Time,
    /// The addresses each site owns now, by record.
    pub addresses: BTreeMap<SiteName, Part<BTreeMap<String, String>>>,
    /// The zones as their provider has them.
    pub zones: BTreeMap<String, Part<ZoneSeen>>,
    /// The zones as their authoritative servers answer, one part a server.
    pub answers: BTreeMap<String, Vec<Part<Answers>>>,
    /// Whether each site's database accepts writes of new connections.
    pub writes: BTreeMap<SiteName, Part<bool>>,
    /// Jobs, by site and host.
    pub jobs: BTreeMap<SiteName, BTreeMap<String, Part<JobsSeen>>>,
    /// The release each site answers with at its own address; `None`: it answers without one.
    pub releases: BTreeMap<SiteName, Part<Option<String>>>,
}

impl Sight {
    /// Every part that could not be read: what it is, and the part's source, time and reason.
    pub fn unread(&self) -> Vec<Evidence> {
        let mut all = vec![];
        for (site, part) in &self.addresses {
            all.extend(missed(part, &format!("the addresses that {site} owns")));
        }
        for (zone, part) in &self.zones {
            all.extend(missed(part, &format!("the records of {zone}")));
        }
        for (zone, parts) in &self.answers {
            all.extend(parts.iter().filter_map(|it| missed(it, &format!("answers for {zone}"))));
        }
        for (site, part) in &self.writes {
            all.extend(missed(part, &format!("whether the database of {site} accepts writes")));
        }
        for (site, hosts) in &self.jobs {
            let each = hosts.iter();
            all.extend(
                each.filter_map(|(host, it)| missed(it, &format!("the jobs on {host} of {site}"))),
            );
        }
        for (site, part) in &self.releases {
            all.extend(missed(part, &format!("the release of {site}")));
        }
        all
    }
}

fn missed<T>(part: &Part<T>, what: &str) -> Option<Evidence> {
    part.unknown().map(|why| part.says(format!("{what}: {why}")))
}
