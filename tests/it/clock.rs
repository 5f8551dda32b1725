//! The clock that tests turn by hand.

use std::time::Duration;

use changeover::clock::{ManualClock, SystemClock};
use changeover::model::Time;
use changeover::port::Clock;

#[tokio::test]
async fn sleeping_takes_no_time_and_sleepers_sleep_side_by_side() {
    let clock = ManualClock::new(Time(0));
    let hours = |count: u64| Duration::from_secs(3600 * count);
    tokio::join!(clock.sleep(hours(2)), clock.sleep(hours(1)), clock.sleep(hours(2)));
    assert_eq!((clock.monotonic(), clock.now()), (hours(2), Time(0).plus_seconds(7200)));
    clock.set(Time(-5));
    assert_eq!((clock.monotonic(), clock.now()), (hours(2), Time(-5)));
    clock.clone().advance(hours(1));
    assert_eq!((clock.monotonic(), clock.now()), (hours(3), Time(-5).plus_seconds(3600)));
}

#[tokio::test]
async fn the_machines_clock_goes_on() {
    let clock = SystemClock::new();
    let (wall, monotonic) = (clock.now(), clock.monotonic());
    clock.sleep(Duration::from_millis(5)).await;
    assert!(clock.monotonic() >= monotonic + Duration::from_millis(5));
    assert!(
        clock.now() > wall && wall.seconds_since(Time::parse("2026-01-01T00:00:00Z").unwrap()) > 0
    );
}
