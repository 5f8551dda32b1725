//! Virtual time: a clock with timers, and an executor that moves it on when nothing else can happen.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use changeover::model::Time;
use changeover::port::Clock;

/// Milliseconds since the world began.
pub(crate) type Ms = u64;

/// A clock that goes only while everybody waits for it. Clones are the same clock.
#[derive(Clone, Debug)]
pub(crate) struct VirtualClock {
    start: Time,
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug, Default)]
struct Hands {
    now: Ms,
    given: u64,
    timers: BTreeMap<(Ms, u64), Option<Waker>>,
}

impl VirtualClock {
    pub(crate) fn new(start: Time) -> Self {
        Self { start, hands: Arc::default() }
    }

    pub(crate) fn ms(&self) -> Ms {
        self.hands().now
    }

    /// Time passes with nobody at work.
    pub(crate) fn advance(&self, by: Ms) {
        self.hands().now += by;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap()
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

    pub(crate) fn pause(&self, ms: Ms) -> Pause {
        let mut hands = self.hands();
        hands.given += 1;
        let key = (hands.now + ms, hands.given);
        hands.timers.insert(key, None);
        Pause { clock: self.clone(), key }
    }

    /// Runs until it is ready, or until the process has died or nothing can happen any more.
    pub(crate) fn run<T>(&self, dead: &AtomicBool, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return Some(value);
                }
                if dead.load(Ordering::SeqCst) {
                    return None;
                }
            }
            if !self.tick() {
                return None;
            }
        }
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
pub(crate) struct Pause {
    clock: VirtualClock,
    key: (Ms, u64),
}

impl Future for Pause {
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

impl Drop for Pause {
    fn drop(&mut self) {
        self.clock.hands().timers.remove(&self.key);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Time {
        let micros = i64::try_from(self.ms()).unwrap() * 1000;
        Time(self.start.0 + micros)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.ms())
    }

    async fn sleep(&self, lasting: Duration) {
        self.pause(u64::try_from(lasting.as_millis()).unwrap()).await;
    }
}

#[test]
fn sleepers_sleep_side_by_side_and_the_dead_run_no_more() {
    let clock = VirtualClock::new(Time::default());
    let (long, short) = (clock.pause(3000), clock.pause(1000));
    let alive = AtomicBool::new(false);
    let both = async { futures_util::join!(long, short) };
    assert!(clock.run(&alive, both).is_some() && clock.ms() == 3000);
    assert_eq!(clock.run(&AtomicBool::new(true), std::future::pending::<()>()), None);
    assert!(clock.hands().timers.is_empty());
}
