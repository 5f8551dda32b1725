//! host.

pub(super) mod file;
pub(super) mod image;
pub(super) mod run;
