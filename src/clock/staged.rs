//! A clock for a world in memory: it goes only while everybody waits for it.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::Time;
use crate::port::Clock;

/// Virtual time with timers: hours pass at once, and in the right order. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct StagedClock {
    start: Time,
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug, Default)]
struct Hands {
    now: Duration,
    given: u64,
    timers: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl StagedClock {
    /// A clock that begins with this time.
    pub fn new(start: Time) -> Self {
        Self { start, hands: Arc::default() }
    }

    /// Time passes with nobody at work.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.now = hands.now.saturating_add(by);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes to the next timer; false if there is none.
    fn tick(&self) -> bool {
        let mut hands = self.hands();
        let Some((&(at, _), _)) = hands.timers.first_key_value() else { return false };
        hands.now = hands.now.max(at);
        let now = hands.now;
        let due = hands.timers.range_mut(..=(now, u64::MAX));
        due.filter_map(|(_, waker)| waker.take()).for_each(Waker::wake);
        true
    }

    /// Runs this to its end, moving time on whenever nothing else can happen. `None`: it waits for something that
    /// no time brings.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return Some(value);
                }
            }
            if !self.tick() {
                return None;
            }
        }
    }

    fn timer(&self, lasting: Duration) -> Timer {
        let mut hands = self.hands();
        hands.given += 1;
        let key = (hands.now.saturating_add(lasting), hands.given);
        hands.timers.insert(key, None);
        Timer { clock: self.clone(), key }
    }
}

#[derive(Debug)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One timer; gone with the one who waits for it.
#[derive(Debug)]
struct Timer {
    clock: StagedClock,
    key: (Duration, u64),
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut hands = self.clock.hands();
        if hands.now >= self.key.0 {
            hands.timers.remove(&self.key);
            return Poll::Ready(());
        }
        hands.timers.insert(self.key, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clock.hands().timers.remove(&self.key);
    }
}

#[async_trait]
impl Clock for StagedClock {
    fn now(&self) -> Time {
        let micros = i64::try_from(self.monotonic().as_micros()).unwrap_or(i64::MAX);
        Time(self.start.0.saturating_add(micros))
    }

    fn monotonic(&self) -> Duration {
        self.hands().now
    }

    async fn sleep(&self, lasting: Duration) {
        self.timer(lasting).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::StagedClock;
    use crate::model::Time;
    use crate::port::Clock;

    #[test]
    fn sleepers_sleep_side_by_side_and_wake_in_order() {
        let clock = StagedClock::new(Time::default());
        let first = clock.run(async {
            tokio::select! {
                () = clock.sleep(Duration::from_hours(2)) => "two hours",
                () = clock.sleep(Duration::from_hours(1)) => "one hour",
            }
        });
        assert_eq!(first, Some("one hour"));
        assert_eq!(clock.monotonic(), Duration::from_hours(1));
        assert_eq!(clock.run(std::future::pending::<()>()), None);
    }
}
