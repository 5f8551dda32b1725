//! A clock that stands until it is moved.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::Time;
use crate::port::Clock;

/// Time that passes only by [`ManualClock::advance`] and by sleeping, which takes no real time. Clones
/// are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    wall: Time,
    monotonic: Duration,
}

impl Hands {
    fn advance(&mut self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.wall = Time(self.wall.0.saturating_add(micros));
        self.monotonic = self.monotonic.saturating_add(by);
    }
}

impl ManualClock {
    /// A clock that says this.
    pub fn new(wall: Time) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall, monotonic: Duration::ZERO })))
    }

    /// Sets the wall clock, also back; the monotonic one stays.
    pub fn set(&self, wall: Time) {
        self.hands().wall = wall;
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        self.hands().advance(by);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Time {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }

    /// Others that go to sleep at the same time sleep side by side: one hour and two hours are two hours.
    async fn sleep(&self, lasting: Duration) {
        let until = self.monotonic().saturating_add(lasting);
        tokio::task::yield_now().await;
        let mut hands = self.hands();
        let rest = until.saturating_sub(hands.monotonic);
        hands.advance(rest);
    }
}
