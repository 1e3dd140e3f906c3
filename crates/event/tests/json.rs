//! Documents: what is taken as JSON, and that what is read is what was written.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use headgate_event::{
    json::{Doc, DocError, DocErrorKind, Kind, Node},
    limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX},
};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::Arc;

fn doc(text: impl Into<Bytes>) -> Doc {
    Doc::parse(text.into()).expect("JSON")
}

fn fault(text: impl Into<Bytes>) -> DocError {
    Doc::parse(text.into()).expect_err("not taken")
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

#[test]
fn the_deepest_nesting_is_taken_and_one_more_is_refused() {
    assert_eq!(JSON_DEPTH_MAX, 128);
    assert_eq!(doc(nested(128)).root().kind(), Kind::Array);
    let objects = "{\"a\":".repeat(128) + "1" + &"}".repeat(128);
    assert!(Doc::parse(objects.into()).is_ok());
    let error = fault(nested(129));
    assert_eq!(error.kind, DocErrorKind::TooDeep);
    assert!(error.to_string().starts_with("nesting deeper than 128 levels at line 1 column 1"));
}

#[test]
fn a_hundred_thousand_levels_do_not_overflow_the_stack() {
    for text in [nested(100_000), "[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        assert_eq!(fault(text).kind, DocErrorKind::TooDeep);
    }
}

#[test]
fn what_other_parsers_refuse_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "{",
        "[1,]",
        "{\"a\" 1}",
        "01",
        "1 2",
        "[1] x",
        "'a'",
        "\u{feff}{}",
        r#""\ud800""#,
        r#"{"\udc00":1}"#,
        r#""\ud800A""#,
        "1e400",
        "[-1e999]",
        "\"a\nb\"",
        "NaN",
        "{\"a\":1}}",
    ] {
        let error = fault(text.to_owned());
        assert_eq!(error.kind, DocErrorKind::NotJson, "{text}");
        assert!(!error.to_string().contains("refused"), "{error}");
    }
}

#[test]
fn an_error_says_what_and_where() {
    assert_eq!(fault("{\n  \"a\": x\n}").to_string(), "expected value at line 2 column 8");
    let error = fault(&b"{\"a\":\n\"\xff\"}"[..]);
    assert_eq!(error.to_string(), "bytes that are not UTF-8 at line 2 column 2");
    assert_eq!((error.line, error.column), (2, 2));
}

#[test]
fn a_body_of_too_many_values_is_refused() {
    let text = format!("[{}0]", "0,".repeat(JSON_VALUES_MAX));
    assert_eq!(fault(text).kind, DocErrorKind::TooMany);
}

#[test]
fn numbers_keep_the_digits_they_were_written_with() {
    let doc = doc(r#"[1.10, 12345678901234567890123, -0, 1E5, 7, "1", true, null]"#);
    let text = |at: usize| doc.root().at(at).and_then(|node| node.scalar()).unwrap_or_default();
    assert_eq!(
        (0..8).map(text).collect::<Vec<_>>(),
        ["1.10", "12345678901234567890123", "-0", "1E5", "7", "1", "true", ""]
    );
    let node = |at: usize| doc.root().at(at).expect("there");
    assert_eq!((node(4).as_i64(), node(4).as_f64()), (Some(7), Some(7.0)));
    assert_eq!((node(3).as_i64(), node(3).as_f64()), (None, Some(100_000.0)));
    assert_eq!((node(5).as_i64(), node(5).as_str()), (None, Some("1")));
    assert_eq!((node(6).as_bool(), node(7).as_bool()), (Some(true), None));
}

#[test]
fn of_a_repeated_key_the_last_counts_and_all_are_listed() {
    let doc = doc(r#"{"a": 1, "b": {"a": 9}, "a": 2}"#);
    assert_eq!(doc.root().get("a").and_then(|node| node.as_i64()), Some(2));
    assert_eq!(doc.root().entries().map(|(key, _)| key).collect::<Vec<_>>(), ["a", "b", "a"]);
    assert_eq!(doc.root().len(), 3);
}

#[test]
fn a_path_leads_through_objects_and_arrays() {
    let doc = doc(r#"{"a": {"b": [{"c": "x"}, [true]], "": 1, "0": "key"}}"#);
    let text = |path: &str| doc.root().path(path).and_then(|node| node.scalar());
    assert_eq!(text("a.b.0.c").as_deref(), Some("x"));
    assert_eq!(text("a.b.1.0").as_deref(), Some("true"));
    assert_eq!(text("a.0").as_deref(), Some("key"));
    for nowhere in ["", "b", "a.b.2", "a.b.c", "a.b.0.c.d", "a..b", "a.b.-1", "a.b.99999999999999"]
    {
        assert!(text(nowhere).is_none(), "{nowhere}");
    }
}

#[test]
fn escapes_are_read_in_keys_and_in_values() {
    let doc = doc(r#"{"a\u0062": "\ud83d\ude00\n", "\"": ["\\", "plain", "\\\""], "n": 5}"#);
    assert_eq!(doc.root().get("ab").and_then(|node| node.as_str()), Some("😀\n"));
    let quoted = doc.root().get("\"").expect("a key that is a quote");
    let texts: Vec<_> = quoted.items().filter_map(|item| item.as_str()).collect();
    assert_eq!(texts, ["\\", "plain", "\\\""]);
    assert_eq!(doc.root().get("n").and_then(|node| node.as_i64()), Some(5));
}

#[test]
fn a_document_and_an_index_are_a_value_that_outlives_its_request() {
    fn shared<T: Send + Sync + 'static>(value: T) -> T {
        value
    }
    let doc = shared(Arc::new(doc(r#"{"a": [10, 20]}"#)));
    let index = doc.root().path("a.1").expect("there").index();
    let kept = shared((Arc::clone(&doc), index));
    drop(doc);
    assert_eq!(kept.0.node(kept.1).and_then(|node| node.as_i64()), Some(20));
    assert!(kept.0.node(99).is_none());
    assert!(kept.0.node(usize::MAX).is_none());
}

#[test]
fn the_wrong_kind_has_nothing_in_it() {
    let doc = doc(r#"["text", {"k": 1}]"#);
    let (text, object) = (doc.root().at(0).expect("text"), doc.root().at(1).expect("object"));
    assert_eq!((text.len(), text.items().count(), text.entries().count()), (0, 0, 0));
    assert!(text.get("k").is_none() && text.at(0).is_none() && text.is_empty());
    assert_eq!((object.items().count(), object.entries().count()), (0, 1));
    assert!(doc.root().get("k").is_none() && doc.root().scalar().is_none());
}

/// The same value by way of serde_json's own tree.
fn tree(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Bool => node.as_bool().into(),
        Kind::Number => serde_json::from_str(&node.scalar().expect("digits")).expect("a number"),
        Kind::String => node.as_str().into(),
        Kind::Array => node.items().map(tree).collect(),
        Kind::Object => node.entries().map(|(key, node)| (key.to_owned(), tree(node))).collect(),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z\"\\\\\n\u{e9}{}\\[\\]:, 0-9.-]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\\\\{\\[,:\u{fc}]{0,3}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(value in values(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        prop_assert_eq!(tree(doc(text.clone()).root()), serde_json::from_str::<Value>(&text).expect("JSON"));
    }

    #[test]
    fn a_document_takes_what_serde_json_takes(text in "[\\[\\]{}\",:0-9.eE+\\- a\\\\untrlfsud]{0,24}") {
        let ours = Doc::parse(text.clone().into()).map(|doc| tree(doc.root())).ok();
        prop_assert_eq!(ours, serde_json::from_str::<Value>(&text).ok());
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = Doc::parse(bytes.into()) {
            prop_assert!(error.line >= 1);
        }
    }
}
