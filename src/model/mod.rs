//! The words of this project as types; no behaviour beyond reading and writing them.

mod armed;
mod digest;
mod evidence;
mod life;
mod names;
mod sight;
mod time;
mod witness;

pub use armed::{Armed, CheckKept, MoveKept, RowKept, ZoneKept};
pub use digest::{Digest, OpId};
pub use evidence::{Change, Evidence, Nature, Verb, Verdict, telling};
pub use life::{Kind, Phase, Role, Roles, Way};
pub use names::{Actor, Identity, RecordId, SiteName, StepId, SystemName};
pub use sight::{
    Answers, EntrySeen, JobSeen, JobsSeen, MarkSeen, Owned, Part, Read, RowSeen, Sight, ZoneSeen,
};
pub use time::Time;
pub use witness::{About, Says, Seer, Witness};
