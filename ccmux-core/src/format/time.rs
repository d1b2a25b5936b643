//! Times as text.

use jiff::ZonedDateTime;
use jiff::fmt::strtime::{BrokenDownTime, Config};

use super::Variables;

/// A time in the form of strftime(3). Conversions that are unknown stay as they are.
pub fn strftime(time: &ZonedDateTime, format: &str) -> String {
    let config = Config::new().lenient(true);
    let time = BrokenDownTime::from(time);
    time.to_string_with_config(&config, format).unwrap_or_else(|_| format.to_owned())
}

/// How `#{t:...}` writes a time, as ctime(3).
pub(super) const CTIME: &str = "%a %b %e %H:%M:%S %Y";

const DAY: i64 = 24 * 60 * 60;

/// How `#{t/p:...}` writes a time: shorter the longer ago it is.
pub(super) fn pretty(variables: &dyn Variables, seconds: i64) -> String {
    let number = |when, format: &str| variables.time(when, format).parse::<i64>().unwrap_or(0);
    let now = number(None, "%s");
    let age = now.saturating_sub(seconds).max(0);
    let months = |when| number(when, "%Y") * 12 + number(when, "%m");
    let months_ago = months(None) - months(Some(seconds));
    let format = if age < DAY {
        "%H:%M"
    } else if months_ago == 0 || age < 28 * DAY {
        "%a%d"
    } else if months_ago < 12 {
        "%d%b"
    } else {
        "%h%y"
    };
    variables.time(Some(seconds), format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Subject;
    use jiff::{Timestamp, tz::TimeZone};

    struct Clock(i64);

    fn at(seconds: i64) -> ZonedDateTime {
        Timestamp::from_second(seconds).unwrap().to_zoned_datetime(TimeZone::UTC)
    }

    impl Variables for Clock {
        fn variable(&self, _: &str, _: &Subject) -> Option<String> {
            None
        }

        fn time(&self, seconds: Option<i64>, format: &str) -> String {
            strftime(&at(seconds.unwrap_or(self.0)), format)
        }
    }

    const NOW: i64 = 1_700_000_000;

    #[test]
    fn strftime_knows_what_tmux_configurations_use() {
        let time = at(NOW);
        for (format, expected) in [
            ("%H:%M %d-%b-%y", "22:13 14-Nov-23"),
            ("%Y-%m-%d %a %A %B %h", "2023-11-14 Tue Tuesday November Nov"),
            (CTIME, "Tue Nov 14 22:13:20 2023"),
            ("%I:%M %p %R %T %F", "10:13 PM 22:13 22:13:20 2023-11-14"),
            ("%s %j %u %w %%", "1700000000 318 2 2 %"),
            ("%e|%k|%l|%-d|%D", "14|22|10|14|11/14/23"),
            ("no conversions é", "no conversions é"),
            ("%", "%"),
            ("%!", "%!"),
        ] {
            assert_eq!(strftime(&time, format), expected, "{format}");
        }
    }

    #[test]
    fn pretty_times_get_shorter_with_age() {
        for (age, expected) in [
            (0, "22:13"),
            (-5 * DAY, "22:13"),
            (2 * DAY, "Sun12"),
            (20 * DAY, "Wed25"),
            (60 * DAY, "15Sep"),
            (800 * DAY, "Sep21"),
        ] {
            let expected =
                if age < 0 { strftime(&at(NOW - age), "%H:%M") } else { expected.into() };
            assert_eq!(pretty(&Clock(NOW), NOW - age), expected, "{age}");
        }
    }
}
