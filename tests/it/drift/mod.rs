//! Where the world differs from the journal: the comparison by itself, and the whole program on the practice
//! cloud.

mod act;
mod adopting;
mod pure;
mod world;

pub(crate) use act::in_two_looks;
pub(crate) use world::{Paper, address, now, site, unknown};
