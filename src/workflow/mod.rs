//! The file people write: YAML text in, a typed workflow out, with line and column for every finding.
//!
//! [`parse`] reads in this order: `tree` (what stands where; refuses what YAML allows and this file does
//! not), `yaml` (plain data), `shape` (data into `types`, each misfit at its place), `check` (steps by kind,
//! references, templates, phases, debts), `secret`. [`inspect`] stops before what holds between places, so
//! that [`lint`], the rules of judgement, can say that too, and everything else beside it.
//! `template` fills names in, `schema` describes the file to editors, `lookup` answers small questions.

#[cfg(test)]
mod agree;
mod check;
mod counter;
mod draft;
mod enforced;
mod incident;
mod judged;
mod limits;
mod lint;
mod lookup;
mod nightly;
mod parts;
mod path;
mod people;
mod phase_spec;
mod read;
mod report;
mod schema;
mod secret;
mod shape;
mod spans;
pub mod step;
mod suggest;
pub mod template;
mod tree;
mod types;
mod window;
mod yaml;

pub use counter::{Column, Counter, CountingCommand, CountingPage};
pub use enforced::{Enforced, Ftp};
pub use incident::{Drill, Elsewhere, Failover, Rejoin};
pub use judged::{Allow, Judged, Script};
pub use limits::Limits;
pub use lint::{Finding, RULES, Related, Rule, Severity, lint};
pub use nightly::data_of;
pub use parts::{Lasting, Secret, Share};
pub use people::{Gate, NotWho, Webhook};
pub use read::{Parsed, inspect, parse};
pub use schema::schema;
pub use spans::Spans;
pub use types::{
    Aws, Backup, Closing, Cloudflare, Database, DatabaseKind, Host, Job, PerRole, PhaseSpec,
    Record, Release, Site, Soak, Switch, Sync, Target, Workflow, Zone,
};
pub use window::Window;
pub use yaml::data;
