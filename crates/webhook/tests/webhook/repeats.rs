//! Senders that give nothing to know a repeat by: equal bodies are events that name each other.

use crate::gate::{Gate, Post, spec};
use headgate_webhook::{ChannelSpec, DedupePolicy};
use serde_json::Value;
use std::time::Duration;

fn post(body: &str) -> Post {
    Post::to("/v1/webhook/fixture", body.to_owned())
}

/// Sends it, and gives the id of its event and the one that it may repeat.
async fn sent(gate: &Gate, post: &Post) -> (String, Value) {
    let before = gate.sink.len();
    let answer = gate.send(post).await;
    assert_eq!(answer.status, 200);
    let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(gate.sink.len(), before + 1, "nothing is dropped");
    let event = gate.sink.last();
    let metadata: Value = serde_json::from_str(event.metadata().get()).expect("JSON");
    (answer["id"].as_str().expect("an id").to_owned(), metadata["possible_duplicate_of"].clone())
}

#[tokio::test]
async fn an_equal_body_names_the_one_before_it_for_ten_minutes() {
    let gate = Gate::with("none", &[]);
    let (first, named) = sent(&gate, &post(r#"{"a":1}"#)).await;
    assert_eq!(named, Value::Null);
    assert_eq!(sent(&gate, &post(r#"{"a":2}"#)).await.1, Value::Null, "another body");
    gate.clock.advance(Duration::from_secs(600));
    let (second, named) = sent(&gate, &post(r#"{"a":1}"#)).await;
    assert_eq!(named, first.as_str());
    // The latest is the one to look at.
    gate.clock.advance(Duration::from_secs(599));
    let (_, named) = sent(&gate, &post(r#"{"a":1}"#)).await;
    assert_eq!(named, second.as_str());
    gate.clock.advance(Duration::from_secs(601));
    assert_eq!(sent(&gate, &post(r#"{"a":1}"#)).await.1, Value::Null);
}

#[tokio::test]
async fn what_has_an_id_of_its_own_is_no_repeat_of_an_equal_body() {
    let gate = Gate::with("none", &[]);
    sent(&gate, &post("{}").header("webhook-id", "msg_1")).await;
    let (_, named) = sent(&gate, &post("{}").header("webhook-id", "msg_2")).await;
    assert_eq!(named, Value::Null);
}

#[tokio::test]
async fn a_channel_that_wants_no_dedupe_is_told_nothing() {
    let off = ChannelSpec { dedupe: DedupePolicy::Off, ..spec("none", &[]) };
    let gate = Gate::of(off);
    sent(&gate, &post("{}")).await;
    assert_eq!(sent(&gate, &post("{}")).await.1, Value::Null);
}
