//! Cron expressions.

use crate::Parts;
use chrono::{DateTime, NaiveDateTime, Timelike};
use headgate_cron::{CivilTimes, Expression, ExpressionError, Fields};

/// An expression names times in order, and says in words what it does; or it is refused in one
/// line and a caret, which a terminal can show.
pub(crate) fn expression(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let text = parts.text();
    // Any second of 135 years.
    let second = parts.number() as i64 * 65_537 + parts.number() as i64;
    let from = DateTime::from_timestamp(second, 0).expect("a time").naive_utc();
    for fields in [Fields::Five, Fields::WithSeconds] {
        match Expression::parse(&text, fields, b"one") {
            Ok(expression) => named(&expression, fields, from),
            Err(error) => refused(&error, &text),
        }
    }
}

fn named(expression: &Expression, fields: Fields, from: NaiveDateTime) {
    assert!(expression.next_after(NaiveDateTime::MIN).is_some(), "it never fires");
    assert_eq!(expression.next_after(NaiveDateTime::MAX), None);
    let times = times(expression, from);
    assert!(times.iter().zip(times.iter().skip(1)).all(|(one, next)| one < next));
    assert!(times.iter().all(|time| *time > from && time.nanosecond() == 0));
    let again = |key| Expression::parse(expression.text(), fields, key).expect("read before");
    assert_eq!(times, self::times(&again(b"one"), from));
    if !expression.depends_on_key() {
        assert_eq!(times, self::times(&again(b"another"), from));
    }
    let words = expression.describe();
    shown(&words);
    assert!(!words.contains("  ") && words.starts_with(['A', 'E']), "{words:?}");
    expression.lints().iter().for_each(|lint| shown(&lint.to_string()));
}

fn times(expression: &Expression, from: NaiveDateTime) -> Vec<NaiveDateTime> {
    let next = |time: &NaiveDateTime| expression.next_after(*time);
    std::iter::successors(Some(from), next).skip(1).take(5).collect()
}

fn refused(error: &ExpressionError, text: &str) {
    shown(&error.to_string());
    error.report().lines().filter(|line| !line.is_empty()).for_each(shown);
    assert_eq!(error.caret().lines().count(), 2);
    assert!((1..=text.chars().count() + 1).contains(&error.column()), "{error}");
}

/// One line that a terminal can show, and not too long.
fn shown(line: &str) {
    assert!(!line.is_empty() && line.len() < 2_000, "{line:?}");
    assert_eq!(line.chars().find(|char| char.is_control()), None, "{line:?}");
}
