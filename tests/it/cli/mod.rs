//! The commands, from what is typed to what is printed.

mod answers;
mod binary;
mod consent;
mod desk;
mod drift;
mod dry_run;
mod incident;
mod look;
mod screens;
mod telling;
mod whynot;
