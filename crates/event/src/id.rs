//! The id of an event: a ULID, for ever the same.

use crate::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr};
use ulid::Ulid;

/// The id of an event: a bare 26-character ULID, upper case.
///
/// The queue's writer gives it in commit order, so the order of ids is the order of events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Ulid);

/// A text that is not an event id.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{text}` is not an event id: expected a ULID of 26 characters, 0-9 and A-Z without I, L, O, U"
)]
pub struct EventIdError {
    text: String,
}

impl EventId {
    /// The id with this time and these 80 random bits.
    ///
    /// A time before 1970 counts as 1970, one beyond the 48 bits of a ULID as the last it can hold.
    #[must_use]
    pub fn from_parts(time: Timestamp, random: u128) -> Self {
        let ms = u64::try_from(time.unix_ms()).unwrap_or(0).min((1 << 48) - 1);
        Self(Ulid::from_parts(ms, random & ((1 << 80) - 1)))
    }

    /// The time in the id.
    #[must_use]
    pub fn time(self) -> Timestamp {
        Timestamp::from_unix_ms(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }

    /// The next id of the same millisecond, or of the next one when its random bits are used up.
    #[must_use]
    pub fn next(self) -> Self {
        match self.0.increment() {
            Ok(next) | Err(next) => Self(next),
        }
    }

    /// The sixteen bytes of the id, in the order in which ids sort.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// The id of these sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Ulid::from_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; ulid::ULID_LEN];
        f.write_str(self.0.array_to_str(&mut text))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        // 26 characters hold two bits more than an id: the parser drops what is beyond 128 bits,
        // and another text would be the id of somebody else's event.
        let fits = matches!(text.as_bytes().first(), Some(b'0'..=b'7'));
        let id = Ulid::from_string(text).ok().filter(|_| fits).map(Self);
        id.ok_or_else(|| EventIdError { text: text.chars().take(64).collect() })
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for EventId {
    fn schema_name() -> Cow<'static, str> {
        "EventId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
            "description": "ULID"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Symptom: `/v1/events/KAJ3...` showed the event `3AJ3...`. Cause: bits beyond 128 were
    // dropped in silence. Fix: such a text is no id.
    #[test]
    fn a_text_of_more_than_128_bits_is_no_id() {
        assert!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<EventId>().is_ok());
        for text in ["80000000000000000000000000", "KAJ3V3W2N9E6W0V8R3M5T7QZ00", ""] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_of_one_millisecond_keep_their_order() {
        let first = EventId::from_parts(Timestamp::from_unix_ms(5), 7);
        assert!(first.next() > first);
        assert_eq!(first.next().time(), first.time());
    }

    #[test]
    fn an_id_whose_random_bits_are_used_up_goes_on_later() {
        let last = EventId::from_parts(Timestamp::from_unix_ms(5), u128::MAX);
        assert!(last.next() > last);
    }

    #[test]
    fn text_and_bytes_give_the_same_id_back() {
        let id = EventId::from_parts(Timestamp::from_unix_ms(1_763_687_123_456), 0xabcdef);
        assert_eq!(id.to_string().parse::<EventId>().expect("valid"), id);
        assert_eq!(EventId::from_bytes(id.to_bytes()), id);
        assert_eq!(id.to_string().len(), 26);
    }

    #[test]
    fn a_text_that_is_no_id_is_refused_by_name() {
        let error = "evt_1".parse::<EventId>().expect_err("invalid");
        assert!(error.to_string().starts_with("`evt_1` is not an event id: expected a ULID"));
    }
}
