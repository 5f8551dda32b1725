//! Outside addresses, credentials and the tap on outside calls; read once, given to the actuators.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::SecretString;

/// curl's `HOST:PORT:ADDR:PORT`; an empty part on the left means any, on the right the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The name asked for.
    pub host: Option<String>,
    /// The port asked for.
    pub port: Option<u16>,
    /// The name or address used instead.
    pub to_host: Option<String>,
    /// The port used instead.
    pub to_port: Option<u16>,
}

/// Where the outside is.
#[derive(Clone, Debug)]
pub struct Outside {
    /// `CLOUDFLARE_BASE_URL`, without a slash at the end.
    pub cloudflare: String,
    /// `CI_SERVER_URL`, without a slash at the end.
    pub gitlab: String,
    /// `CHANGEOVER_CONNECT_TO`.
    pub connect_to: Vec<ConnectTo>,
    /// `CHANGEOVER_RESOLVERS`; the well-known public ones when empty.
    pub resolvers: Vec<SocketAddr>,
    /// `CHANGEOVER_AUTHORITY`; the zone's own name servers when empty.
    pub authority: Vec<SocketAddr>,
    /// `CHANGEOVER_SSH`; `ssh` when absent.
    pub ssh: String,
    /// The folder that relative files of a workflow are in.
    pub folder: PathBuf,
    /// The process's environment, for references to secrets.
    pub env: BTreeMap<String, SecretString>,
    /// What differs from the services' own addresses, for the run's first entry and every screen.
    pub differs: Vec<String>,
}

/// Told before and after every outside call; tests stop the world here.
#[async_trait]
pub trait Tap: Send + Sync + std::fmt::Debug {
    /// About to call.
    async fn before(&self, call: &str);
    /// The call has answered or failed.
    async fn after(&self, call: &str);
}

/// Does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTap;

#[async_trait]
impl Tap for NoTap {
    async fn before(&self, _: &str) {}
    async fn after(&self, _: &str) {}
}
