//! The pure machine: its table, its charts, and everything that can be reached in it.

mod guards;
mod table;
mod walk;
mod world;
