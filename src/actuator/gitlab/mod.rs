//! GitLab: tags, pipelines, deployments, variables, and the manual job that deploys.

mod account;
mod client;
mod fence;
pub(super) mod idle;
pub(super) mod names;
pub(super) mod pipeline;
pub(super) mod play;
pub(super) mod rights;
pub(super) mod runner;
pub(super) mod signed;
pub(super) mod tag;
pub(super) mod variables;

/// The environment that is deployed to and the scope of its variables.
const LIVE: &str = "live";
