//! Pictures of the machine: the table of its transitions, state charts in Mermaid, drawings in plain text.
//!
//! All of them are made from the machine itself: the table runs every shape of state against every
//! input, the charts are drawn from that table and from the one table of order.

mod failover;
mod mermaid;
mod sample;
mod table;
mod text;

pub use failover::{demand, demands, diagnoses, in_the_way};
pub use mermaid::{mermaid, mermaid_kind, mermaid_run};
pub use table::{Cell, INPUTS, Lead, Row, lead_of, legend, row_of, table, table_text};
pub use text::{Letters, text};
