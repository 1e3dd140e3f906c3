//! The small texts: ids, times, durations, sizes, cursors.

use crate::{Parts, prompt::cleaned};
use headgate_api::fuzzing;
use headgate_event::{EventId, EventType, Size, Span, Timestamp};
use headgate_queue::DeliveryId;
use std::fmt::{Debug, Display};

/// A text that is one of these is written as one that is the same.
pub(crate) fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(id) = text.parse::<EventId>() {
        assert!(id.to_string().eq_ignore_ascii_case(text), "{text}");
        assert_eq!(EventId::from_bytes(id.to_bytes()), id);
    }
    if let Ok(id) = text.parse::<DeliveryId>() {
        assert_eq!(id.to_string(), text, "one text for one delivery");
    }
    told(text, |text| text.parse::<Timestamp>());
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string().parse().ok(), Some(time), "{text}");
    }
    told(text, |text| text.parse::<Span>());
    told(text, |text| text.parse::<Size>());
    if let Ok(name) = text.parse::<EventType>() {
        assert_eq!(name.as_str(), text);
    }
    cleaned(text);
}

/// What is wrong is said in one line that a terminal can show.
fn told<T: Debug, E: Display>(text: &str, parse: impl Fn(&str) -> Result<T, E>) {
    if let Err(error) = parse(text) {
        assert!(!error.to_string().is_empty());
    }
}

/// A cursor is one that we wrote for this list, or none.
pub(crate) fn cursor(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let (at, byte) = (usize::from(parts.byte()), parts.byte());
    let place = u64::from_le_bytes(std::array::from_fn(|_| parts.byte()));
    let text = parts.text();
    fuzzing::round_trip(place, &text, at, byte);
    fuzzing::read(&text);
}
