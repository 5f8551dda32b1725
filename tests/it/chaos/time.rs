//! Virtual time in milliseconds since the world began.

use std::time::Duration;

use async_trait::async_trait;
use changeover::clock::StagedClock;
use changeover::model::Time;
use changeover::port::Clock;

/// Milliseconds since the world began.
pub(crate) type Ms = u64;

/// A clock that goes only while everybody waits for it. Clones are the same clock.
#[derive(Clone, Debug)]
pub(crate) struct VirtualClock(StagedClock);

impl VirtualClock {
    pub(crate) fn new(start: Time) -> Self {
        Self(StagedClock::new(start))
    }

    pub(crate) fn ms(&self) -> Ms {
        self.0.monotonic().as_millis().try_into().unwrap()
    }

    /// Time passes with nobody at work.
    pub(crate) fn advance(&self, by: Ms) {
        self.0.advance(Duration::from_millis(by));
    }

    pub(crate) async fn pause(&self, ms: Ms) {
        self.0.sleep(Duration::from_millis(ms)).await;
    }

    /// Runs until it is ready, or until nothing can happen any more.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.0.run(future)
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Time {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, lasting: Duration) {
        self.0.sleep(lasting).await;
    }
}
