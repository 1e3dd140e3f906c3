//! Slack's Socket Mode: what any message whatever becomes, and what acknowledges it.

use bytes::Bytes;
use headgate_event::limits::{SOCKET_ACK_BYTES_MAX, SOCKET_ENVELOPE_ID_BYTES_MAX};
use headgate_slack::socket::{
    Envelope, Message,
    pool::{Action, Input, LinkId, Pool},
};
use serde_json::Value;
use std::time::Duration;

const HELLO: &[u8] = br#"{"type":"hello"}"#;

/// A message is one of the three that there are. An envelope is stored as it came; once it is
/// stored, and not before, it is acknowledged by its id.
pub(crate) fn message(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut pool = Pool::default();
    let link = listening(&mut pool);
    let actions = pool.step(Duration::ZERO, 0, Input::Message(link, bytes.clone()));
    assert_eq!(acknowledgement(&actions), None, "acknowledged before it is stored");
    let stored = actions.iter().find_map(|action| match action {
        Action::Store(id, envelope) => Some((*id, envelope)),
        _ => None,
    });
    match (Message::read(&bytes), stored) {
        (Message::Envelope(read), Some((id, envelope))) => {
            assert_eq!(&read, envelope);
            is_as_it_came(&read, &bytes);
            let actions = pool.step(Duration::ZERO, 0, Input::Stored(id, None));
            is_acknowledged(&read, acknowledgement(&actions));
        }
        (Message::Hello(_) | Message::Disconnect(_), None) => {}
        (read, stored) => panic!("{read:?} becomes {stored:?}"),
    }
}

/// The first connection of a pool, which says `hello`.
fn listening(pool: &mut Pool) -> LinkId {
    let actions = pool.step(Duration::ZERO, 0, Input::Tick);
    let link = actions.iter().find_map(|action| match action {
        Action::Open(link) => Some(*link),
        _ => None,
    });
    let link = link.expect("it opens one");
    pool.step(Duration::ZERO, 0, Input::Connected(link));
    pool.step(Duration::ZERO, 0, Input::Message(link, Bytes::from_static(HELLO)));
    link
}

fn acknowledgement(actions: &[Action]) -> Option<&str> {
    actions.iter().find_map(|action| match action {
        Action::Acknowledge(_, text) => Some(text.as_str()),
        _ => None,
    })
}

/// Another reader of JSON says what the message holds. Where it reads no object the message breaks
/// off, or nests deeper than that reader goes: then only that nothing is made up is known.
fn is_as_it_came(envelope: &Envelope, bytes: &Bytes) {
    let Ok(Value::Object(object)) = serde_json::from_slice(bytes) else {
        let mut parts = bytes.windows(envelope.payload.len().max(1));
        assert!(envelope.payload == bytes || parts.any(|part| envelope.payload == part));
        return;
    };
    match object.get("payload") {
        Some(payload @ Value::Object(_)) => {
            let kept: Value = serde_json::from_slice(&envelope.payload).expect("JSON");
            assert_eq!(&kept, payload);
        }
        _ => assert_eq!(&envelope.payload, bytes),
    }
    let id = object.get("envelope_id").and_then(Value::as_str);
    let fits = |id: &&str| !id.is_empty() && id.len() <= SOCKET_ENVELOPE_ID_BYTES_MAX;
    assert_eq!(envelope.id.as_deref(), id.filter(fits));
}

fn is_acknowledged(envelope: &Envelope, text: Option<&str>) {
    assert_eq!(text.is_some(), envelope.id.is_some());
    let Some(text) = text else { return };
    assert!(text.len() <= SOCKET_ACK_BYTES_MAX);
    let ack: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(ack.get("envelope_id").and_then(Value::as_str), envelope.id.as_deref());
}
