//! Events as text, and the JSON in them.

use crate::Parts;
use bytes::Bytes;
use headgate_event::{
    Event, EventId, StoredEvent, Timestamp,
    json::{Doc, DocErrorKind, Kind, Node},
};
use serde_json::Value;

/// An event of the wire is read as it is written.
pub(crate) fn wire(bytes: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Event>(bytes) else { return };
    // Each of the shapes is there or not, and never an error.
    let shapes = [
        event.webhook().is_some(),
        event.email().is_some(),
        event.slack().is_some(),
        event.cron().is_some(),
        event.app().is_some(),
    ];
    assert!(shapes.iter().filter(|is| **is).count() <= 1, "an event of two types");
    let text = serde_json::to_string(&event).expect("an event is JSON");
    let again: Event = serde_json::from_str(&text).expect("what is written is read");
    assert_eq!(again, event);
    assert_eq!(serde_json::to_string(&again).expect("JSON"), text);
}

/// Stored bytes that nobody wrote are an error, and what can be read can be written.
pub(crate) fn stored(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let (stored, raw) = (parts.bytes(), parts.rest());
    let id = EventId::from_parts(Timestamp::from_unix_s(1_795_219_200), 7);
    let Ok(event) = StoredEvent::decode(id, stored, raw) else { return };
    let text = serde_json::to_string(&event).expect("an event is JSON");
    assert!(!text.contains('\n'), "a frame stays one line");
    assert_eq!(serde_json::from_str::<Event>(&text).expect("read"), event);
}

/// The tape takes what every parser takes, and says the same of it.
pub(crate) fn json(bytes: &[u8]) {
    let ours = Doc::parse(Bytes::copy_from_slice(bytes));
    let theirs = serde_json::from_slice::<Value>(bytes);
    match (&ours, &theirs) {
        (Ok(doc), Ok(value)) => same(doc.root(), value),
        (Ok(_), Err(error)) => {
            // It is a limit of this parser, not of JSON, to nest one level less.
            assert!(error.to_string().contains("recursion limit"), "taken by us alone: {error}");
        }
        (Err(error), Ok(_)) => assert!(
            matches!(error.kind, DocErrorKind::TooDeep | DocErrorKind::TooMany),
            "refused by us alone: {error}"
        ),
        (Err(error), Err(_)) => assert!(error.line > 0, "{error}"),
    }
}

/// The same number: this parser of floats does not round the last bit as exactly as ours does.
fn close(ours: Option<f64>, theirs: Option<f64>) {
    let (Some(ours), Some(theirs)) = (ours, theirs) else { panic!("{ours:?} is {theirs:?}") };
    let same = (ours - theirs).abs() <= ours.abs() * 4.0 * f64::EPSILON;
    assert!(same || ours.to_bits() == theirs.to_bits(), "{ours} is {theirs}");
}

fn same(node: Node<'_>, value: &Value) {
    match (node.kind(), value) {
        (Kind::Null, Value::Null) => {}
        (Kind::Bool, Value::Bool(is)) => assert_eq!(node.as_bool(), Some(*is)),
        (Kind::Number, Value::Number(number)) => close(node.as_f64(), number.as_f64()),
        (Kind::String, Value::String(text)) => assert_eq!(node.as_str(), Some(text.as_str())),
        (Kind::Array, Value::Array(items)) => {
            assert_eq!(node.len(), items.len());
            node.items().zip(items).for_each(|(node, item)| same(node, item));
        }
        (Kind::Object, Value::Object(fields)) => {
            let mut keys: Vec<&str> = node.entries().map(|(key, _)| key).collect();
            keys.sort_unstable();
            let repeats = keys.windows(2).any(|two| two.first() == two.last());
            keys.dedup();
            assert!(keys.into_iter().eq(fields.keys().map(String::as_str)));
            // Of a key that is there twice they keep the last and we keep both.
            if !repeats {
                node.entries().for_each(|(key, node)| same(node, &fields[key]));
            }
        }
        (kind, value) => panic!("{kind:?} is {value}"),
    }
}
