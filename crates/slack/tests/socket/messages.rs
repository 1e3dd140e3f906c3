//! What messages say, however they are written.

use bytes::Bytes;
use headgate_slack::socket::{DisconnectReason, EnvelopeKind, Message};
use std::time::Duration;

fn read(text: impl Into<Bytes>) -> Message {
    Message::read(&text.into())
}

/// Kind, id and payload of an envelope.
fn envelope(text: impl Into<Bytes>) -> (EnvelopeKind, Option<String>, Bytes) {
    match read(text) {
        Message::Envelope(envelope) => (envelope.kind, envelope.id, envelope.payload),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_payload_is_kept_byte_for_byte() {
    let payload = r#"{"b" : 1.10, "a":[ 1,2 ], "b":12345678901234567890123, "u":"\u00e9"}"#;
    let text = format!(
        r#"{{"payload":{payload}, "envelope_id":"e1","type":"events_api","retry_attempt":2,
            "retry_reason":"timeout","accepts_response_payload":false}}"#
    );
    let Message::Envelope(read) = read(text) else { panic!("an envelope") };
    assert_eq!(read.payload, payload);
    assert_eq!((read.kind, read.id.as_deref()), (EnvelopeKind::EventsApi, Some("e1")));
    assert_eq!((read.retry_attempt, read.retry_reason.as_deref()), (Some(2), Some("timeout")));
    assert!(!read.takes_answer);
}

#[test]
fn what_is_no_object_or_breaks_off_is_kept_whole_with_the_id_that_was_read_before() {
    for (text, id) in [
        (&b"not json"[..], None),
        (b"", None),
        (b"3", None),
        (b"[{\"envelope_id\":\"e1\"}]", None),
        (b"{\"envelope_id\":\"e1\",\"payload\":{\"a\":", Some("e1")),
        (b"{\"envelope_id\":\"e1\"} trailing", Some("e1")),
        (b"{\"payload\":{},\"envelope_id\":\"e1\"", Some("e1")),
        (b"{\"payload\":{\"envelope_id\":\"inner\"", None),
        (b"{\"envelope_id\":\"e1\",\"payload\":\"\xff\"}", Some("e1")),
        (b"\x00\x01\x02", None),
    ] {
        let (kind, found, payload) = envelope(text);
        assert_eq!((kind, found.as_deref()), (EnvelopeKind::Unreadable, id), "{text:?}");
        assert_eq!(payload, text);
    }
}

#[test]
fn an_envelope_of_unknown_shape_is_an_envelope() {
    for (text, kind, payload) in [
        (
            r#"{"envelope_id":"e1","type":"from_2031","payload":{"a":1}}"#,
            EnvelopeKind::Unknown,
            r#"{"a":1}"#,
        ),
        (r#"{"envelope_id":"e1","payload":{"a":1}}"#, EnvelopeKind::Unknown, r#"{"a":1}"#),
        (r#"{"envelope_id":"e1","type":"hello"}"#, EnvelopeKind::Unknown, ""),
        (r#"{"envelope_id":"e1","type":"disconnect"}"#, EnvelopeKind::Unknown, ""),
        (
            r#"{"envelope_id":"e1","type":"interactive","payload":null}"#,
            EnvelopeKind::Interactive,
            "",
        ),
        (
            r#"{"envelope_id":"e1","type":"slash_commands","payload":"a"}"#,
            EnvelopeKind::SlashCommands,
            "",
        ),
        (r#"{"envelope_id":"e1","type":{"a":1},"payload":{}}"#, EnvelopeKind::Unknown, "{}"),
    ] {
        let expected = if payload.is_empty() { text } else { payload };
        let (found, id, payload) = envelope(text);
        assert_eq!((found, id.as_deref()), (kind, Some("e1")), "{text}");
        assert_eq!(payload, expected, "{text}");
    }
}

#[test]
fn an_id_that_cannot_be_sent_back_is_none() {
    let long = format!(r#"{{"envelope_id":"{}","payload":{{}}}}"#, "x".repeat(257));
    for text in [
        long.as_str(),
        r#"{"envelope_id":"","payload":{}}"#,
        r#"{"envelope_id":7,"payload":{}}"#,
        r#"{"envelope_id":null,"payload":{}}"#,
        r#"{"envelope_id":"\ud800","payload":{}}"#,
    ] {
        assert_eq!(envelope(text.to_owned()).1, None, "{text}");
    }
}

#[test]
fn a_megabyte_and_a_million_brackets_are_read() {
    let large = format!(r#"{{"envelope_id":"e1","payload":{{"a":"{}"}}}}"#, "x".repeat(1 << 20));
    assert_eq!(envelope(large).1.as_deref(), Some("e1"));
    let deep = format!(r#"{{"envelope_id":"e1","payload":{}"#, "{\"a\":[".repeat(500_000));
    assert_eq!(envelope(deep.clone()), (EnvelopeKind::Unreadable, Some("e1".into()), deep.into()));
}

#[test]
fn a_hello_says_how_long_the_connection_lives_within_reason() {
    for (debug, seconds) in [
        (r#"{"approximate_connection_time":18060}"#, 18_060),
        (r#"{"approximate_connection_time":360}"#, 360),
        (r#"{"approximate_connection_time":1}"#, 10),
        (r#"{"approximate_connection_time":0}"#, 18_060),
        (r#"{"approximate_connection_time":18446744073709551615}"#, 86_400),
        (r#"{"approximate_connection_time":-1}"#, 18_060),
        (r#"{"approximate_connection_time":"soon"}"#, 18_060),
        ("{}", 18_060),
        ("null", 18_060),
        ("7", 18_060),
    ] {
        let text = format!(r#"{{"type":"hello","num_connections":2,"debug_info":{debug}}}"#);
        let Message::Hello(hello) = read(text) else { panic!("{debug}") };
        assert_eq!((hello.life, hello.connections), (Duration::from_secs(seconds), Some(2)));
    }
}

#[test]
fn every_reason_of_a_disconnect_is_known_and_an_unknown_one_is_one_too() {
    for (reason, expected) in [
        ("\"warning\"", DisconnectReason::Warning),
        ("\"refresh_requested\"", DisconnectReason::RefreshRequested),
        ("\"too_many_websockets\"", DisconnectReason::TooManyWebsockets),
        ("\"link_disabled\"", DisconnectReason::LinkDisabled),
        ("\"from_2031\"", DisconnectReason::Other),
        ("null", DisconnectReason::Other),
        ("{}", DisconnectReason::Other),
    ] {
        let text = format!(r#"{{"type":"disconnect","reason":{reason}}}"#);
        assert_eq!(read(text), Message::Disconnect(expected), "{reason}");
    }
}
