//! aws.

pub(super) mod eip;
pub(super) mod identity;
pub(super) mod rds;
pub(super) mod snapshot;
