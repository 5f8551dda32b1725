//! What witnesses of an incident amount to: one named diagnosis. Pure; the same witnesses, the same name.
//!
//! Silence counts against production only while other things answer from the same place, and one kind of
//! witness alone never decides: that would be a timer with another name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{About, Says, Seer, Time, Witness};

/// How old a witness may be and still count, seconds.
pub const MAX_AGE_SECONDS: i64 = 60;

/// How many kinds of witness must agree that production is gone.
const KINDS_MIN: usize = 2;

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diagnosis {
    /// Everything is silent: it is this machine that is cut off.
    CutOff,
    /// The records cannot be read, so nobody can be moved.
    LeverUnreachable,
    /// Users' names lead to neither site: somebody else moved them.
    DnsNotOurs,
    /// The standby does not serve.
    StandbyNotReady,
    /// Production serves its users.
    Healthy,
    /// Production serves, and users do not reach it from here.
    UnreachableButServing,
    /// Nobody sees production serve, but its machines answer.
    PartitionSuspected,
    /// Nobody sees production serve, nothing of it answers, and several kinds of witness agree.
    ProductionDead,
    /// Too few witnesses could say anything.
    CannotTell,
}

impl Diagnosis {
    /// All, in the order in which they are looked for: the first that fits is the one.
    pub const ALL: [Self; 9] = [
        Self::CutOff,
        Self::LeverUnreachable,
        Self::DnsNotOurs,
        Self::StandbyNotReady,
        Self::Healthy,
        Self::UnreachableButServing,
        Self::PartitionSuspected,
        Self::ProductionDead,
        Self::CannotTell,
    ];

    /// Its name on screens, in documents and in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CutOff => "cut_off",
            Self::LeverUnreachable => "lever_unreachable",
            Self::DnsNotOurs => "dns_not_ours",
            Self::StandbyNotReady => "standby_not_ready",
            Self::Healthy => "healthy",
            Self::UnreachableButServing => "unreachable_but_serving",
            Self::PartitionSuspected => "partition_suspected",
            Self::ProductionDead => "production_dead",
            Self::CannotTell => "cannot_tell",
        }
    }

    /// Whether a failover may follow from it; `Err` says what is to be done instead.
    ///
    /// # Errors
    /// The nearest way on.
    pub const fn actionable(self) -> Result<(), &'static str> {
        match self {
            Self::UnreachableButServing | Self::PartitionSuspected | Self::ProductionDead => Ok(()),
            Self::CutOff => Err("look from another place: nothing at all answers here"),
            Self::LeverUnreachable => {
                Err("wait for the provider of the records, or move them by hand and adopt that")
            }
            Self::DnsNotOurs => Err("find out who moved the records before anything else is moved"),
            Self::StandbyNotReady => Err("bring the standby up first: there is nowhere to go"),
            Self::Healthy => Err("production serves; a planned move is `changeover switchover`"),
            Self::CannotTell => {
                Err("look again, or say what you know yourself with --acknowledge \"REASON\"")
            }
        }
    }

    /// Whether a person who knows more may go on all the same, with a reason.
    pub const fn may_be_acknowledged(self) -> bool {
        matches!(self, Self::CannotTell)
    }

    /// Whether the lost site must be fenced before users are moved: it may still take writes.
    pub const fn fence_first(self) -> bool {
        matches!(self, Self::UnreachableButServing | Self::PartitionSuspected)
    }

    /// What makes it, in one sentence.
    pub const fn made_by(self) -> &'static str {
        match self {
            Self::CutOff => {
                "neither production, nor the standby, nor the lever, nor DNS answers from here"
            }
            Self::LeverUnreachable => {
                "the records cannot be read at their provider, or nobody could ask there while production is not seen to serve well"
            }
            Self::DnsNotOurs => {
                "the provider or an authority says that users' names lead to neither site"
            }
            Self::StandbyNotReady => "no witness sees the standby serve, or one sees it fail",
            Self::Healthy => {
                "users' names answer, and no witness says that production does not serve"
            }
            Self::UnreachableButServing => {
                "some witness sees production serve, while its name does not answer here or another witness sees it fail"
            }
            Self::PartitionSuspected => {
                "no witness sees production serve, but its machines or its account answer"
            }
            Self::ProductionDead => {
                "at least two kinds of witness see production failing or silent, nothing of it answers, and the standby and the lever do"
            }
            Self::CannotTell => "fewer than two kinds of witness could say anything of production",
        }
    }
}

/// What these witnesses amount to now. What is older than [`MAX_AGE_SECONDS`] says nothing.
pub fn diagnose(witnesses: &[Witness], now: Time) -> Diagnosis {
    let fresh: Vec<&Witness> =
        witnesses.iter().filter(|it| now.seconds_since(it.at) <= MAX_AGE_SECONDS).collect();
    let any = |abouts: &[About], says: Says| {
        fresh.iter().any(|it| abouts.contains(&it.about) && it.says == says)
    };
    let serves = [About::Users, About::Production];
    let up = any(&serves, Says::Up);
    let down = any(&serves, Says::Down);
    if !any(
        &[
            About::Users,
            About::Production,
            About::Machines,
            About::Standby,
            About::Names,
            About::Lever,
        ],
        Says::Up,
    ) {
        return Diagnosis::CutOff;
    }
    // Whoever has no token may still see that all is well.
    let lever_in_vain = any(&[About::Lever], Says::Down) || !up || down;
    if !any(&[About::Lever], Says::Up) && lever_in_vain {
        return Diagnosis::LeverUnreachable;
    }
    if any(&[About::Names], Says::Down) {
        return Diagnosis::DnsNotOurs;
    }
    if up && !down {
        return Diagnosis::Healthy;
    }
    if !any(&[About::Standby], Says::Up) || any(&[About::Standby], Says::Down) {
        return Diagnosis::StandbyNotReady;
    }
    if up {
        return Diagnosis::UnreachableButServing;
    }
    let against: BTreeSet<Seer> = fresh
        .iter()
        .filter(|it| it.says == Says::Down)
        .filter(|it| matches!(it.about, About::Users | About::Production | About::Machines))
        .map(|it| it.seer)
        .collect();
    if down && any(&[About::Machines], Says::Up) {
        return Diagnosis::PartitionSuspected;
    }
    if down && against.len() >= KINDS_MIN {
        return Diagnosis::ProductionDead;
    }
    Diagnosis::CannotTell
}
