//! `dedupe` of a channel: what makes a sender's retry known, and for how long.

use crate::config::{section::Section, value::Value};
use headgate_event::limits::{DEDUPE_WINDOW_DEFAULT, DEDUPE_WINDOW_MAX};
use headgate_webhook::DedupePolicy;
use std::time::Duration;

pub(super) fn read(section: &Section<'_>, tolerance: Option<Duration>) -> Option<DedupePolicy> {
    let Some(value) = section.optional("dedupe") else {
        return Some(DedupePolicy::default());
    };
    let expected = "`\"off\"`, `{ window = \"7d\" }` or `{ by = \"digest\" }`";
    if value.plain_text() == Some("off") {
        return Some(DedupePolicy::Off);
    }
    let table = value.plain_section().or_else(|| value.wrong(expected))?;
    let window = match table.optional("window") {
        Some(value) => window(&value, tolerance),
        None => Some(DEDUPE_WINDOW_DEFAULT),
    };
    let by_digest = table.optional("by").map(|value| value.word(&[("digest", ())]));
    table.report_unknown(&[]);
    match by_digest {
        None => Some(DedupePolicy::Window(window?)),
        Some(digest) => digest.and(Some(DedupePolicy::Digest(window?))),
    }
}

fn window(value: &Value<'_>, tolerance: Option<Duration>) -> Option<Duration> {
    let window = value.duration()?;
    if window.is_zero() || window > DEDUPE_WINDOW_MAX {
        return value.wrong("a duration from 1ms to 90d");
    }
    // A signed request that is still believed must still be known.
    if tolerance.is_some_and(|tolerance| window < tolerance) {
        return value.wrong("a window that is not shorter than `tolerance`");
    }
    Some(window)
}
