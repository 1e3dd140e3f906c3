//! Bodies and names as consumers see them.

use crate::gate::{Gate, Post, spec};
use headgate_event::{BodyEncoding, Event};
use headgate_webhook::ChannelSpec;
use proptest::prelude::*;

const TARGET: &str = "/v1/webhook/fixture";

async fn event(body: impl Into<bytes::Bytes>, content_type: Option<&str>) -> Event {
    let gate = Gate::with("none", &[]);
    let post = Post::to(TARGET, body);
    let post = match content_type {
        Some(kind) => post.header("content-type", kind),
        None => post,
    };
    gate.event(&post).await
}

#[tokio::test]
async fn a_body_without_a_type_is_json_when_it_is_an_object() {
    let event = event(r#"{ "a": 1 }"#, None).await;
    let data = event.webhook().expect("webhook data");
    assert_eq!(data.body_encoding, BodyEncoding::Json);
    assert_eq!(data.body.get(), r#"{"a":1}"#);
    assert_eq!((data.body_size_bytes, data.content_type.as_deref()), (10, None));
}

#[tokio::test]
async fn an_empty_body_is_text_of_no_bytes() {
    let event = event("", Some("application/json")).await;
    let data = event.webhook().expect("webhook data");
    assert_eq!(data.body_encoding, BodyEncoding::Text);
    assert_eq!((data.body.get(), data.body_raw_b64.as_str()), ("\"\"", ""));
    assert_eq!(data.body_size_bytes, 0);
}

#[tokio::test]
async fn json_too_deep_for_a_parser_is_text_and_takes_no_stack() {
    let deep = "[".repeat(100_000);
    let event = event(deep.clone(), Some("application/json")).await;
    let data = event.webhook().expect("webhook data");
    assert_eq!(data.body_encoding, BodyEncoding::Text);
    assert_eq!(serde_json::from_str::<String>(data.body.get()).expect("a string"), deep);
}

#[tokio::test]
async fn a_name_that_is_none_is_left_out() {
    for kind in ["with space", "ümlaut", "line\nbreak", &"x".repeat(201), ""] {
        let body = serde_json::json!({ "type": kind }).to_string();
        assert_eq!(event(body, None).await.provider_event(), None, "{kind:?}");
    }
    assert_eq!(event(r#"{"event":"a.b"}"#, None).await.provider_event(), Some("a.b"));
    assert_eq!(event(r#"{"type":{"a":1},"event":"b"}"#, None).await.provider_event(), Some("b"));
}

#[tokio::test]
async fn a_key_that_is_too_long_is_kept_by_its_digest() {
    let gate = Gate::with("none", &[]);
    let post = Post::to(TARGET, "{}").header("webhook-id", "k".repeat(513));
    let event = gate.event(&post).await;
    let key = event.dedupe_key().expect("a key");
    assert!(key.starts_with("sha256:") && key.len() == 71, "{key}");
    let post = Post::to(TARGET, "{}").header("webhook-id", "k".repeat(512));
    assert_eq!(gate.event(&post).await.dedupe_key(), Some("k".repeat(512).as_str()));
}

#[tokio::test]
async fn of_two_delivery_ids_neither_is_believed() {
    let gate = Gate::with("none", &[]);
    let post = Post::to(TARGET, "{}").header("webhook-id", "a").header("webhook-id", "b");
    let event = gate.event(&post).await;
    assert_eq!(event.dedupe_key(), None);
    assert_eq!(event.webhook().expect("webhook data").headers["webhook-id"], "a, b");
}

proptest! {
    /// Whatever comes is stored exactly, and its data can be read.
    #[test]
    fn any_body_is_taken_and_kept_exactly(
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "\\PC{0,80}".prop_map(String::into_bytes),
            "[\\[\\]{}\":,0-9eE.\\-a-c\\\\u ]{0,60}".prop_map(String::into_bytes),
        ],
        kind in prop_oneof![
            Just(None),
            Just(Some("application/json")),
            Just(Some("application/x-www-form-urlencoded")),
            Just(Some("text/plain; charset=utf-16")),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let event = runtime.block_on(event(body.clone(), kind));
        let data = event.webhook().expect("data of its shape");
        prop_assert_eq!(data.body_size_bytes, body.len() as u64);
        match data.body_encoding.known().expect("known") {
            BodyEncoding::Json => {
                let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
                let shown: serde_json::Value =
                    serde_json::from_str(data.body.get()).expect("JSON");
                prop_assert_eq!(shown, value);
            }
            BodyEncoding::Text => {
                let text: String = serde_json::from_str(data.body.get()).expect("a string");
                prop_assert_eq!(text.as_bytes(), body.as_slice());
            }
            BodyEncoding::Base64 => {
                let utf16 = kind.is_some_and(|kind| kind.ends_with("utf-16"));
                let foreign = utf16 && !body.is_ascii();
                prop_assert!(foreign || std::str::from_utf8(&body).is_err());
                prop_assert_eq!(data.body.get(), "null");
            }
        }
        prop_assert!(event.prompt_ready().len() <= 4096);
    }
}

/// Symptom: the `clientState` that proves a notification of Microsoft Graph stood in `data.body`,
/// where every consumer read it, and could be shown by an outline.
#[tokio::test]
async fn a_token_in_the_body_is_not_passed_on() {
    const SECRET: &str = "s3cr3t client state";
    for splits in [false, true] {
        let gate = Gate::of(ChannelSpec { splits, ..spec("microsoft-graph", &[SECRET]) });
        // Nothing that a template shows, so that an outline is made.
        let item = serde_json::json!({ "clientState": SECRET, "note": { "clientState": "mine" } });
        let body = serde_json::json!({ "value": [item, item] }).to_string();
        let answer = gate.send(&Post::to("/v1/webhook/fixture", body)).await;
        assert_eq!(answer.status, 202);
        for event in gate.sink.all() {
            assert!(!event.data().get().contains(SECRET), "{}", event.data());
            assert!(event.data().get().contains(r#""clientState":"[redacted]""#));
            assert!(event.data().get().contains(r#""clientState":"mine""#), "no other is one");
            assert!(!event.prompt_ready().contains(SECRET), "{}", event.prompt_ready());
        }
        let raw = gate.sink.last_draft().raw;
        assert!(raw.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
    }
}
