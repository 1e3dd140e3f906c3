//! The acknowledgement of an envelope.

use headgate_event::limits::{SOCKET_ACK_BYTES_MAX, SOCKET_ENVELOPE_ID_BYTES_MAX};
use serde::Serialize;
use serde_json::value::RawValue;

/// An id whose every byte is escaped (`\u0000`) still fits.
const _: () = assert!(6 * SOCKET_ENVELOPE_ID_BYTES_MAX + 64 < SOCKET_ACK_BYTES_MAX);

#[derive(Serialize)]
struct Ack<'a> {
    envelope_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
}

/// What became of the answer that an acknowledgement was to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// It is in, or there was none.
    Whole,
    /// It would have made the acknowledgement so large that Slack drops it: it is left out.
    TooLarge,
}

/// The text of an acknowledgement.
pub(super) fn ack(envelope_id: &str, answer: Option<&RawValue>) -> (String, Carried) {
    let text = text(&Ack { envelope_id, payload: answer });
    if text.len() <= SOCKET_ACK_BYTES_MAX {
        return (text, Carried::Whole);
    }
    (self::text(&Ack { envelope_id, payload: None }), Carried::TooLarge)
}

#[expect(clippy::expect_used, reason = "strings and JSON can always be written as JSON")]
fn text(ack: &Ack<'_>) -> String {
    serde_json::to_string(ack).expect("JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn an_acknowledgement_names_its_envelope_and_carries_the_answer() {
        assert_eq!(ack("e\"1", None), (r#"{"envelope_id":"e\"1"}"#.to_owned(), Carried::Whole));
        let (text, _) = ack("e1", Some(&json(r#"{"options": []}"#)));
        assert_eq!(text, r#"{"envelope_id":"e1","payload":{"options": []}}"#);
    }

    #[test]
    fn an_answer_that_slack_would_drop_is_left_out() {
        let of = |length: usize| json(&format!("{{\"a\":\"{}\"}}", "x".repeat(length)));
        let around = r#"{"envelope_id":"e1","payload":{"a":""}}"#.len();
        let (text, carried) = ack("e1", Some(&of(19_999 - around)));
        assert_eq!((text.len(), carried), (19_999, Carried::Whole));
        let (text, carried) = ack("e1", Some(&of(20_000 - around)));
        assert_eq!((text.as_str(), carried), (r#"{"envelope_id":"e1"}"#, Carried::TooLarge));
    }
}
