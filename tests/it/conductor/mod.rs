//! The conductor over a scripted world: one test for each promise, and a thousand mishaps.

mod chaos;
mod incident;
mod orders;
mod preflight;
mod rig;
mod steps;
mod world;
