//! Any text is taken or refused, in bounded time and memory.

use super::read;
use chrono::NaiveDateTime;
use headgate_cron::{CivilTimes, Expression, Fields};
use proptest::{collection::vec, prelude::*, sample::select};

/// What must hold of any text.
fn holds(text: &str) {
    for fields in [Fields::Five, Fields::WithSeconds] {
        match Expression::parse(text, fields, b"key") {
            Ok(expression) => {
                assert_eq!(expression.next_after(NaiveDateTime::MAX), None);
                let first = expression.next_after(NaiveDateTime::MIN).expect("one time at least");
                assert!(expression.next_after(first).is_none_or(|second| second > first));
                let words = expression.describe();
                assert!(!words.is_empty() && !words.contains("  "), "{text:?}: {words:?}");
                assert!(expression.lints().iter().all(|lint| !lint.to_string().is_empty()));
            }
            Err(error) => {
                let shown = error.to_string() + &error.report();
                assert!(shown.chars().all(|char| char == '\n' || !char.is_control()), "{shown:?}");
                assert!(shown.len() < 2_000, "{shown}");
                assert!(error.caret().lines().all(|line| line.chars().count() <= 75));
            }
        }
    }
}

/// Texts that are nearly right.
fn nearly() -> impl Strategy<Value = String> {
    let words = [
        "*", "?", "/", "-", ",", "#", "L", "W", "LW", "H", "H(", ")", "+", " ", " ", " ", "0", "1",
        "2", "5", "7", "31", "59", "60", "MON", "SUN", "fri", "JAN", "feb", "2027", "@daily",
        "TZ=", "~", "1-5", "*/2", "15W", "FRI#2", "FRIL", "5-1", "0/7", "\t",
    ];
    vec(select(words.to_vec()), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..600)) {
        holds(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_printable_text(text in "[ -~]{0,512}") {
        holds(&text);
    }

    #[test]
    fn any_text_of_the_right_words(text in nearly()) {
        holds(&text);
    }

    #[test]
    fn fields_of_the_right_words(fields in vec(nearly(), 5..=7)) {
        holds(&fields.join(" "));
    }
}

#[test]
fn a_list_of_a_million_items_is_refused_by_its_length() {
    let text = "1,".repeat(1_000_000) + "1 * * * *";
    assert!(read(&text).expect_err("too long").to_string().contains("at most 512 bytes"));
}

#[test]
fn the_longest_lists_of_days_are_taken() {
    for item in ["1W,2W,30W,31W,", "MON#1,FRIL,3,"] {
        let list = item.repeat(480 / item.len());
        let list = list.trim_end_matches(',');
        let (days, week) = if item.contains('#') { ("*/2", list) } else { (list, "*") };
        holds(&format!("0 0 {days} * {week}"));
    }
}
