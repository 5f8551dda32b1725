//! Time, asked for in one place.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::Time;

/// The clock.
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall clock, UTC.
    fn now(&self) -> Time;
    /// A clock that never goes back, since an arbitrary point.
    fn monotonic(&self) -> Duration;
    /// Waits.
    async fn sleep(&self, lasting: Duration);
}
