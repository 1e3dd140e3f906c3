//! The envelope: the smallest shape of an event, `{id, kind, payload, timestamp}`.
//!
//! Applications that only tell that something was created, updated or deleted use it. It goes in
//! as the app event `envelope.created` and so on, and any event can be given in it.

use crate::{Delivery, Event, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{fmt, str::FromStr};

/// What the types of events that came in an envelope begin with.
const TYPE_PREFIX: &str = "envelope.";

/// What became of the thing that an envelope tells of.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// It came to be.
    Created,
    /// It is another than before.
    Updated,
    /// It is gone.
    Deleted,
}

/// An event in its smallest shape.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventEnvelope {
    /// The id of the event.
    pub id: String,
    /// What became of the thing.
    pub kind: EventKind,
    /// The thing: any JSON but null, token for token.
    pub payload: Box<RawValue>,
    /// When it happened: RFC 3339 with an offset.
    pub timestamp: Timestamp,
}

/// An event as it is given in an envelope; of a delivery with what settling it needs.
#[derive(Clone, Debug, Serialize)]
pub struct EnvelopeView<'a> {
    /// The application's id of the event, or else its own.
    pub id: String,
    /// What became of the thing; an event that came otherwise is something that came to be.
    pub kind: EventKind,
    /// The payload of an app event, the `data` of any other.
    pub payload: &'a RawValue,
    /// When it happened, or was received.
    pub timestamp: Timestamp,
    /// The delivery, when the event was leased or pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<&'a Delivery>,
}

/// Why something is no envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The kind is none of the three.
    #[error("`kind` is `{found}`, expected `created`, `updated` or `deleted`")]
    UnknownKind {
        /// What was found.
        found: String,
    },
    /// An envelope tells of something, so its payload is something.
    #[error("`payload` is null, expected any other JSON value")]
    NullPayload,
    /// The payload cannot be written as JSON.
    #[error("`payload` is not a value that JSON can hold")]
    Unwritable(#[source] serde_json::Error),
    /// The system gives no random bits, of which an id is made.
    #[error("there are no random bits for an id: {reason}")]
    NoRandomBits {
        /// What the system says.
        reason: String,
    },
}

/// Makes an envelope of this moment. Without an id, or with an empty one, it gets a random UUID.
///
/// This is for applications; it is the one function of this crate that looks at the clock.
///
/// ```
/// # use headgate_event::create_event;
/// let event = create_event("created", serde_json::json!({"order": 7}), Some("order-7"))?;
/// assert_eq!(event.id, "order-7");
/// # Ok::<(), headgate_event::EnvelopeError>(())
/// ```
pub fn create_event(
    kind: impl AsRef<str>,
    payload: impl Serialize,
    event_id: Option<&str>,
) -> Result<EventEnvelope, EnvelopeError> {
    #[expect(clippy::disallowed_methods, reason = "an application calls it without a time")]
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = Timestamp::default().plus(elapsed.unwrap_or_default());
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| EnvelopeError::NoRandomBits { reason: error.to_string() })?;
    EventEnvelope::new(kind.as_ref(), payload, event_id, (now, random))
}

/// The event in an envelope.
#[must_use]
pub fn envelope_of(event: &Event) -> EnvelopeView<'_> {
    let named = event.event_type().as_str().strip_prefix(TYPE_PREFIX);
    let kind = named.and_then(|name| name.parse().ok()).unwrap_or(EventKind::Created);
    let delivery = event.delivery();
    match event.app() {
        Some(app) => EnvelopeView {
            id: app.event_id.clone(),
            kind,
            payload: &app.payload,
            timestamp: app.timestamp,
            delivery,
        },
        None => EnvelopeView {
            id: event.id().to_string(),
            kind,
            payload: event.data(),
            timestamp: event.created_at(),
            delivery,
        },
    }
}

impl EventEnvelope {
    /// An envelope of this moment; of the random bits an id is made where none is given.
    pub fn new(
        kind: &str,
        payload: impl Serialize,
        event_id: Option<&str>,
        (now, random): (Timestamp, [u8; 16]),
    ) -> Result<Self, EnvelopeError> {
        let kind = kind.parse()?;
        let payload =
            serde_json::value::to_raw_value(&payload).map_err(EnvelopeError::Unwritable)?;
        if payload.get() == "null" {
            return Err(EnvelopeError::NullPayload);
        }
        let given = event_id.filter(|id| !id.is_empty()).map(str::to_owned);
        let id = given.unwrap_or_else(|| random_id(random));
        Ok(Self { id, kind, payload, timestamp: now })
    }
}

/// A UUID of random bits.
#[must_use]
pub(crate) fn random_id(random: [u8; 16]) -> String {
    uuid::Builder::from_random_bytes(random).into_uuid().to_string()
}

impl EventKind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    /// The type of an app event that came in an envelope of this kind: `envelope.created`.
    #[must_use]
    pub fn event_type(self) -> String {
        format!("{TYPE_PREFIX}{}", self.as_str())
    }
}

impl AsRef<str> for EventKind {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = EnvelopeError;

    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        let kinds = [Self::Created, Self::Updated, Self::Deleted];
        let found = kinds.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| EnvelopeError::UnknownKind { found: text.chars().take(80).collect() })
    }
}

impl PartialEq for EventEnvelope {
    fn eq(&self, other: &Self) -> bool {
        let same = self.id == other.id && self.kind == other.kind;
        same && self.timestamp == other.timestamp && self.payload.get() == other.payload.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const MOMENT: (Timestamp, [u8; 16]) = (Timestamp::from_unix_ms(1_795_222_923_456), [7; 16]);

    #[test]
    fn an_envelope_is_written_with_its_four_fields() {
        let made = EventEnvelope::new("updated", json!({"a": 1}), Some("e-1"), MOMENT);
        let text = serde_json::to_string(&made.expect("an envelope")).expect("plain data");
        let expected = r#"{"id":"e-1","kind":"updated","payload":{"a":1},"#;
        assert_eq!(text, format!("{expected}\"timestamp\":\"2026-11-21T01:02:03.456Z\"}}"));
    }

    #[test]
    fn empty_values_are_payloads_and_null_is_none() {
        for payload in [json!({}), json!(0), json!(""), json!([]), json!(false)] {
            assert!(create_event("created", &payload, None).is_ok(), "{payload}");
        }
        let error = create_event("created", Value::Null, None).expect_err("null");
        assert_eq!(error.to_string(), "`payload` is null, expected any other JSON value");
    }

    #[test]
    fn an_unknown_kind_is_named() {
        let error = create_event("Created", 1, None).expect_err("unknown");
        let expected = "`kind` is `Created`, expected `created`, `updated` or `deleted`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_empty_id_is_a_missing_id_and_a_made_one_is_a_uuid() {
        for id in [None, Some("")] {
            let made = create_event(EventKind::Deleted, 0, id).expect("an envelope");
            let uuid = uuid::Uuid::parse_str(&made.id).expect("a UUID");
            assert_eq!(uuid.get_version_num(), 4);
        }
        let two = [create_event("created", 0, None), create_event("created", 0, None)];
        let [one, other] = two.map(|made| made.expect("an envelope").id);
        assert_ne!(one, other);
    }

    #[test]
    fn an_envelope_is_read_as_it_was_written() {
        let made = create_event("created", json!({"n": 1}), Some("é")).expect("an envelope");
        let text = serde_json::to_string(&made).expect("plain data");
        assert_eq!(serde_json::from_str::<EventEnvelope>(&text).expect("read"), made);
    }
}
