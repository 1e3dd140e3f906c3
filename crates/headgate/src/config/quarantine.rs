//! `[quarantine]`: how much is kept of what is refused.

use super::{section::Section, value::Value};
use headgate_event::{
    Size, Span,
    limits::{
        QUARANTINE_AGE_MAX, QUARANTINE_BYTES_MAX, QUARANTINE_BYTES_MIN, QUARANTINE_COUNT_MAX,
    },
};
use headgate_quarantine::Bounds;
use std::time::Duration;

/// Reads the section; inner none for `quarantine = "off"`.
pub(super) fn read(root: &Section<'_>) -> Option<Option<Bounds>> {
    let Some(value) = root.optional("quarantine") else { return Some(Some(Bounds::default())) };
    if let Some(text) = value.plain_text() {
        return if text == "off" { Some(None) } else { value.wrong(EXPECTED) };
    }
    let section = value.section(EXPECTED)?;
    let usual = Bounds::default();
    let count = section.optional("count").map_or(Some(usual.count), |value| {
        value.integer(1..=u32::try_from(QUARANTINE_COUNT_MAX).unwrap_or(u32::MAX)).map(u64::from)
    });
    let bytes = section.optional("bytes").map_or(Some(usual.bytes), |value| bytes(&value));
    let age = section.optional("age").map_or(Some(usual.age), |value| age(&value));
    section.report_unknown(&[]);
    Some(Some(Bounds { count: count?, bytes: bytes?, age: age? }))
}

const EXPECTED: &str = "`off`, or a table with `count`, `bytes` and `age`";

fn bytes(value: &Value<'_>) -> Option<u64> {
    let fits = |size: &Size| (QUARANTINE_BYTES_MIN..=QUARANTINE_BYTES_MAX).contains(&size.bytes);
    value
        .parsed("a size from `1MiB` to `1TiB`", |text| text.parse().ok().filter(fits))
        .map(|size| size.bytes)
}

fn age(value: &Value<'_>) -> Option<Duration> {
    let fits = |Span(span): &Span| (Duration::from_secs(60)..=QUARANTINE_AGE_MAX).contains(span);
    value
        .parsed("a duration from `1m` to `366d`", |text| text.parse().ok().filter(fits))
        .map(|Span(span)| span)
}
