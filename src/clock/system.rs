//! The machine's clocks.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::model::Time;
use crate::port::Clock;

/// The wall clock, and the monotonic clock since this was made.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads clocks")]
    pub fn new() -> Self {
        Self { began: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads clocks")]
    fn now(&self) -> Time {
        Time(jiff::Timestamp::now().as_microsecond())
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }

    async fn sleep(&self, lasting: Duration) {
        tokio::time::sleep(lasting).await;
    }
}
