//! Closed windows: `03:00-06:00`, `Mon 00:00-03:00`, UTC.

use jiff::civil::Weekday;

/// A time of the day, or of one day of the week, in which nothing is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Only on this day; every day when absent.
    pub day: Option<Weekday>,
    /// Its first minute, from midnight UTC.
    pub from: u16,
    /// The minute after its last.
    pub to: u16,
}

impl Window {
    /// Reads a window. One that passes midnight is written as two.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, times) = match text.split_once(' ') {
            Some((day, times)) => (Some(weekday(day)?), times),
            None => (None, text),
        };
        let (from, to) = times.split_once('-')?;
        let window = Self { day, from: minute(from)?, to: minute(to)? };
        (window.from < window.to).then_some(window)
    }

    /// Whether this minute of this day lies inside.
    pub fn holds(self, day: Weekday, minute: u16) -> bool {
        self.day.is_none_or(|it| it == day) && (self.from..self.to).contains(&minute)
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "Mon" => Weekday::Monday,
        "Tue" => Weekday::Tuesday,
        "Wed" => Weekday::Wednesday,
        "Thu" => Weekday::Thursday,
        "Fri" => Weekday::Friday,
        "Sat" => Weekday::Saturday,
        "Sun" => Weekday::Sunday,
        _ => return None,
    })
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit());
    let two = |text: &str| digits(text).then(|| text.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= 24 * 60).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read() {
        let monday = Window { day: Some(Weekday::Monday), from: 0, to: 180 };
        assert_eq!(Window::parse("Mon 00:00-03:00"), Some(monday));
        assert_eq!(Window::parse("09:50-24:00").map(|it| (it.from, it.to)), Some((590, 1440)));
        for wrong in [
            "",
            "9:50-10:00",
            "10:00",
            "10:00-10:00",
            "23:00-01:00",
            "10:60-11:00",
            "24:01-24:02",
            "mon 01:00-02:00",
            "+1:00-02:00",
            "Mon  01:00-02:00",
        ] {
            assert_eq!(Window::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_end_is_outside() {
        let window = Window::parse("Mon 01:00-02:00").unwrap();
        assert!(window.holds(Weekday::Monday, 60) && window.holds(Weekday::Monday, 119));
        assert!(!window.holds(Weekday::Monday, 120) && !window.holds(Weekday::Tuesday, 60));
    }
}
