//! Time: the one place that reads clocks, and a clock that tests turn by hand.

mod manual;
mod system;

pub use manual::ManualClock;
pub use system::SystemClock;
