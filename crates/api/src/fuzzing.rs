//! A door for fuzzers and for nobody else: the cursors of lists.

use crate::cursor::{self, CursorError, ListDigest};
use headgate_queue::ListQuery;

/// Reads a cursor of two lists.
///
/// # Panics
///
/// When a text is a cursor that nobody wrote, or one of two lists.
pub fn read(text: &str) {
    let events = ListDigest::of_events(&ListQuery::default());
    let letters = ListDigest::of_dead_letters("agent");
    for (list, other) in [(events, letters), (letters, events)] {
        if let Ok(place) = cursor::read(text, list) {
            assert_eq!(cursor::write(place, list), text, "one text for one cursor");
            assert_eq!(cursor::read(text, other), Err(CursorError::OtherFilters));
        }
    }
}

/// Writes a cursor, reads it back, and reads it with one character changed.
///
/// # Panics
///
/// When a place is lost or a changed cursor is taken.
pub fn round_trip(place: u64, subscription: &str, at: usize, byte: u8) {
    let list = ListDigest::of_dead_letters(subscription);
    let text = cursor::write(place, list);
    assert_eq!(cursor::read(&text, list), Ok(place));
    let mut changed = text.clone().into_bytes();
    let at = at % changed.len().max(1);
    if let Some(char) = changed.get_mut(at) {
        *char = byte;
    }
    if let Ok(changed) = String::from_utf8(changed) {
        assert!(changed == text || cursor::read(&changed, list).is_err(), "{changed} for {text}");
    }
}
