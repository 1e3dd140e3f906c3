//! Times and spans for people and programs. Not for what is due.

use chrono::{DateTime, NaiveTime, SecondsFormat};
use headgate_cron::{DstMark, Occurrence, Turn};
use headgate_event::Timestamp;

/// How many of the civil times that a gap moved to one instant are shown.
const NOMINAL_SHOWN_MAX: usize = 3;

/// An instant in whole seconds: `2026-11-26T19:00:00Z`.
pub(crate) fn instant(at: Timestamp) -> String {
    let utc = DateTime::from_timestamp(at.unix_s(), 0).unwrap_or_default();
    utc.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A span in its two largest units: `2d 3h`, `1h 5m`, `40s`.
pub(crate) fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let at = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, name) in units.into_iter().skip(at).take(2) {
        if left >= unit || parts.is_empty() {
            parts.push(format!("{}{name}", left / unit));
        }
        left %= unit;
    }
    parts.join(" ")
}

/// What the turning of the clock did to an occurrence, in one word, as events say it.
pub(crate) const fn dst(mark: DstMark) -> &'static str {
    match mark {
        DstMark::Gap => "gap",
        DstMark::FirstPass => "fold1",
        DstMark::SecondPass => "fold2",
    }
}

/// The same for people: `gap: stands for 02:30`.
pub(super) fn turned(occurrence: &Occurrence) -> Option<String> {
    let mark = occurrence.dst?;
    let times: Vec<String> = occurrence.nominal.iter().map(|civil| time(civil.time())).collect();
    let (shown, more) = times.split_at(times.len().min(NOMINAL_SHOWN_MAX));
    let shown = shown.join(", ");
    let which = match mark {
        DstMark::Gap if more.is_empty() => format!("stands for {shown}"),
        DstMark::Gap => format!("stands for {shown} and {} more", more.len()),
        DstMark::FirstPass => format!("the first {shown} of two"),
        DstMark::SecondPass => format!("the second {shown} of two"),
    };
    Some(format!("{}: {which}", dst(mark)))
}

/// A turn of the clock: `the clock goes from 02:00 to 03:00 on 2027-03-14`.
pub(super) fn turn(turn: Turn) -> String {
    let (from, to) = (turn.civil_before(), turn.civil_after());
    if from.date() == to.date() {
        let (day, from, to) = (to.date(), time(from.time()), time(to.time()));
        return format!("the clock goes from {from} to {to} on {day}");
    }
    format!("the clock goes from {from} to {to}")
}

/// A time of the day, without seconds where there are none.
fn time(time: NaiveTime) -> String {
    let text = time.to_string();
    text.strip_suffix(":00").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_two_largest_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_661, "1h 1m"),
            (3_601, "1h"),
            (86_400, "1d"),
            (90_061, "1d 1h"),
            (31 * 86_400 + 60, "31d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn instants_have_no_part_of_a_second() {
        assert_eq!(instant(Timestamp::from_unix_ms(1_999)), "1970-01-01T00:00:01Z");
    }
}
