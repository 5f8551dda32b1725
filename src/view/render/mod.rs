//! Pictures as text: one width, one set of signs, styles that a stream may strip.

mod embargo;
mod ledger;
mod log;
mod loss;
mod packet;
mod page;
mod plan;
mod prometheus;
mod run;
mod status;

pub use embargo::{embargoes, kept};
pub use ledger::ledger;
pub use log::{entry, log};
pub use loss::{Loss, loss};
pub use packet::packet;
pub use page::{Page, harmless};
pub use plan::{Planned, plan};
pub use prometheus::prometheus;
pub use run::{runs, timeline};
pub use status::{by_journal, outside, status};

/// How wide, and with which signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Columns.
    pub width: usize,
    /// No signs outside ASCII.
    pub ascii: bool,
}
