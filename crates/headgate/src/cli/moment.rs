//! Moments as people write them on a command line.

use crate::clock::SystemClock;
use headgate_event::{Clock, Span, Timestamp};

/// What is expected where a moment is asked for.
const EXPECTED: &str = "a time such as 2026-11-21T01:02:03Z, a day such as 2026-11-21 (from its \
                        midnight in UTC), or how long ago it was, such as 2h or 7d";

/// A moment that is written as such, as a day, or as how long ago it was.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    at(text, SystemClock.now())
}

fn at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(Span(ago)) = text.parse() {
        return Ok(now.minus(ago));
    }
    let day = || format!("{text}T00:00:00Z").parse().ok();
    let time = text.parse().ok().or_else(day);
    time.ok_or_else(|| format!("expected {EXPECTED}"))
}

#[cfg(test)]
mod tests {
    use super::at;
    use headgate_event::Timestamp;

    const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);

    #[test]
    fn a_moment_is_a_time_a_day_or_so_long_ago() {
        for (text, expected) in [
            ("2026-04-19T09:15:25Z", "2026-04-19T09:15:25.000Z"),
            ("2026-04-19T11:15:25+02:00", "2026-04-19T09:15:25.000Z"),
            ("2026-04-19", "2026-04-19T00:00:00.000Z"),
            ("2h", "2026-04-19T07:15:25.000Z"),
            ("7d", "2026-04-12T09:15:25.000Z"),
        ] {
            let found = at(text, NOW).unwrap().to_string();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_is_expected() {
        for text in ["", "yesterday", "2026-13-01", "2026-04-19T09:15", "-2h", "7"] {
            let error = at(text, NOW).unwrap_err();
            assert!(error.contains("2026-11-21T01:02:03Z") && error.contains("7d"), "{error}");
        }
    }
}
