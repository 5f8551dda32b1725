//! Cloudflare: the switch of a group of records, one batch per zone, each batch fenced by a numbered mark.
//!
//! A batch is one transaction and posting a record that exists fails it. Every move posts the mark that
//! follows the highest seen in its zone, so of two moves that saw the same world exactly one lands.

pub(super) mod aged;
pub(super) mod by_hand;
mod client;
mod group;
mod kept;
pub(super) mod marks;
pub(super) mod proxied;
pub(super) mod records;
mod seen;
pub(super) mod swap;
pub(super) mod token;
pub(super) mod whole;

pub(super) use client::Client;
pub(super) use group::{Group, Sites, production_of, zone_of};
pub(super) use kept::kept;
pub(super) use seen::zone_seen;
