//! Time: the one place that reads clocks, a clock that tests turn by hand, and one for a world in memory.

mod manual;
mod staged;
mod system;

pub use manual::ManualClock;
pub use staged::StagedClock;
pub use system::SystemClock;
