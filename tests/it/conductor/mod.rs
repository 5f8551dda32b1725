//! The conductor over a scripted world: one test for each promise, and a thousand mishaps.

mod chaos;
mod consent;
mod home;
mod incident;
mod orders;
mod outlived;
mod preflight;
pub(crate) mod rig;
mod steps;
pub(crate) mod world;
