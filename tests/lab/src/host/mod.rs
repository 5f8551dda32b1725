//! Practice hosts: folders with programs, reached through a practice ssh.

mod crontab;
mod files;
mod paths;
mod process;
mod program;
mod session;
mod ssh;

pub(crate) use files::{folder, listing, quoted, write as write_files};
pub(crate) use program::{answer as run, main as program_main};
pub(crate) use session::answer as session;
pub(crate) use ssh::main as ssh_main;

/// The variable that tells a program on which host it runs.
pub(crate) const HOST_VARIABLE: &str = "CHANGEOVER_LAB_HOST";
/// The variable that tells a program where the practice cloud is.
pub(crate) const CONTROL_VARIABLE: &str = "CHANGEOVER_LAB_CONTROL";

/// Programs in a host's own `bin`.
pub(crate) const SYSTEM_PROGRAMS: [&str; 8] =
    ["crontab", "docker", "psql", "ps", "pgrep", "df", "mount", "sha256sum"];
/// Programs under `/usr/local/bin`.
pub(crate) const SITE_PROGRAMS: [&str; 5] =
    ["s3backup", "databaseReset", "sync_dropbox", "site_stop", "site_requests"];
