//! The life cycle: a pure state machine. No clock, network, randomness or environment below this line.
//!
//! Three doors: [`step`] decides one input, [`replay`] folds a journal, [`resume`] says what a state
//! wants now. All that changes is `(State, Record)`; [`Rules`] are fixed by a run's first entry.

mod armed;
mod by_hand;
mod consent;
mod diagnosis;
mod doors;
mod entry;
mod fold;
mod gate;
mod guard;
mod incident;
mod input;
mod life;
mod line;
mod path;
mod record;
mod rules;
mod state;

pub use armed::{Stale, read_armed, stale, write_armed};
pub use consent::{Consent, ConsentArmed, FenceEnd, Fenced, Seal};
pub use diagnosis::{Diagnosis, MAX_AGE_SECONDS, diagnose};
pub use doors::{Diverged, Effect, Life, Refused, Told, Turned, allowed, replay, resume, step};
pub use entry::{Body, Closed, Embargo, Entry, Fact, Intent, Kept, Owed, Remembered};
pub use gate::approved;
pub use guard::frozen_out;
pub use incident::{Affected, Onward, onward_of};
pub use input::{Begin, Ended, Input};
pub use life::{Turn, following};
pub use line::Line;
pub use path::{RegionName, path, region_of, turned};
pub use record::{Caches, Copied, Counted, Incident, Record, Run, Standing, Waiver};
pub use rules::{GateRule, PhaseRule, Rules};
pub use state::{At, Region, State, Steps};
