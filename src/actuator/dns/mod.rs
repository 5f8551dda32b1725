//! dns.

pub(super) mod confirm;
pub(super) mod delegated;
pub(super) mod ttl;
