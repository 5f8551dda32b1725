//! The file people write: YAML text in, a typed workflow out, with line and column for every finding.
//!
//! [`parse`] reads in this order: `tree` (what stands where; refuses what YAML allows and this file does
//! not), `yaml` (plain data), `shape` (data into `types`, each misfit at its place), `check` (steps by kind,
//! references, templates, phases, debts), `secret`. [`lint`] then applies the rules of judgement.
//! `template` fills names in, `schema` describes the file to editors, `lookup` answers small questions.

#[cfg(test)]
mod agree;
mod check;
mod draft;
mod incident;
mod limits;
mod lint;
mod lookup;
mod parts;
mod path;
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

pub use incident::{Drill, Elsewhere, Failover, Rejoin};
pub use limits::Limits;
pub use lint::{Finding, RULES, Rule, Severity, lint};
pub use parts::{Lasting, Secret};
pub use read::{Parsed, parse};
pub use schema::schema;
pub use spans::Spans;
pub use types::{
    Aws, Backup, Closing, Cloudflare, Database, DatabaseKind, Gate, Host, Job, NotWho, PerRole,
    PhaseSpec, Record, Release, Site, Soak, Switch, Sync, Target, Webhook, Workflow, Zone,
};
pub use window::Window;
pub use yaml::data;
