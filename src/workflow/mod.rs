//! The file people write: YAML text in, a typed workflow out, with line and column for every finding.
//!
//! `types` says what may stand in the file; `step` holds the parameters of each kind of step.

mod parts;
mod phase_spec;
pub mod step;
mod types;

pub use parts::{Lasting, Secret};
pub use types::{
    Aws, Backup, Closing, Cloudflare, Database, DatabaseKind, Drill, Failover, Gate, Host, Job,
    Limits, NotWho, PerRole, PhaseSpec, Record, Rejoin, Release, Site, Soak, Switch, Sync, Target,
    Webhook, Workflow, Zone,
};
