//! DNS: asks given servers, one by one; decides by authoritative ones only.

pub(super) mod asking;
pub(super) mod confirm;
pub(super) mod delegated;
pub(super) mod dnssec;
mod reach;
mod seen;
pub(super) mod ttl;

pub(super) use reach::{reach, split};
pub(super) use seen::answers;
