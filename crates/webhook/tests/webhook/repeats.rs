//! Repeats: of batches, of what is in them, and of senders that give nothing to know one by, where
//! equal bodies are events that name each other.

use crate::gate::{Gate, Post, Read, spec};
use headgate_event::Secret;
use headgate_webhook::{ChannelSpec, DedupePolicy};
use serde_json::{Value, json};
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

/// Posts of LINE with these ids, to a channel that makes one event of each body.
async fn batches(gate: &Gate, ids: &[&str]) -> Read {
    let event = |id| json!({ "type": "follow", "webhookEventId": id });
    let body = json!({ "events": ids.iter().map(event).collect::<Vec<_>>() }).to_string();
    gate.send(&Post::signed_by("line", body)).await
}

/// Symptom: a batch that began with an event which had come before was answered as a repeat, and
/// the events behind it were lost. Cause: its key was that of its first event.
#[tokio::test]
async fn a_batch_is_no_repeat_of_its_first_event() {
    let gate = Gate::with("line", &["a"]);
    assert_eq!(batches(&gate, &["1"]).await.status, 200);
    assert_eq!(batches(&gate, &["1", "2"]).await.status, 200);
    assert_eq!(batches(&gate, &["1", "3"]).await.status, 200);
    assert_eq!(gate.sink.len(), 3, "each batch brings something that has not come before");
    for repeat in [&["1"][..], &["1", "2"], &["1", "3"]] {
        let answer = batches(&gate, repeat).await;
        assert_eq!(answer.headers["headgate-duplicate"], "true", "{repeat:?}");
    }
    assert_eq!(gate.sink.len(), 3);
}

/// Okta's and Xero's batches have ids of their own, which may come with another body.
#[tokio::test]
async fn a_batch_with_an_id_of_its_own_is_known_by_that() {
    let gate = Gate::with("xero", &["a"]);
    for extra in [1, 2] {
        let event = json!({"eventCategory": "INVOICE", "eventType": "UPDATE"});
        let body = json!({
            "events": [event, event],
            "firstEventSequence": 7, "lastEventSequence": 8, "entropy": "S0m3", "extra": extra,
        });
        assert_eq!(gate.send(&Post::signed_by("xero", body.to_string())).await.status, 200);
    }
    assert_eq!(gate.sink.len(), 1);
}

/// A channel of Meta with the setting that it asks for.
fn meta() -> ChannelSpec {
    let settings = [("verify_token".to_owned(), Secret::new("a token"))].into();
    ChannelSpec { settings, ..spec("meta", &["a"]) }
}

fn whatsapp(messages: &[&str], statuses: &[(&str, &str)]) -> String {
    let message = |id: &&str| json!({"from": "1650555", "id": id, "text": {"body": id}});
    let status = |(id, status): &(&str, &str)| json!({"id": id, "status": status});
    let value = json!({
        "metadata": {"phone_number_id": "1065"},
        "contacts": [{"wa_id": "999", "profile": {"name": "Someone Else"}},
                     {"wa_id": "1650555", "profile": {"name": "Kim Rivers"}}],
        "messages": messages.iter().map(message).collect::<Vec<_>>(),
        "statuses": statuses.iter().map(status).collect::<Vec<_>>(),
    });
    let changes = json!([{"field": "messages", "value": value}]);
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102", "changes": changes}]})
        .to_string()
}

#[tokio::test]
async fn every_message_and_every_state_of_one_is_an_event_that_comes_once() {
    let gate = Gate::of(ChannelSpec { splits: true, ..meta() });
    let first = whatsapp(&["wamid.1", "wamid.2"], &[("wamid.0", "sent")]);
    assert_eq!(gate.send(&Post::signed_by("meta", first)).await.status, 200);
    // Meta puts what was not taken into bodies of other sizes.
    let second = whatsapp(&["wamid.2", "wamid.3"], &[("wamid.0", "sent"), ("wamid.0", "read")]);
    assert_eq!(gate.send(&Post::signed_by("meta", second)).await.status, 200);
    let events = gate.sink.all();
    let keys: Vec<_> = events.iter().filter_map(|event| event.dedupe_key()).collect();
    assert_eq!(keys, ["wamid.1", "wamid.2", "wamid.0:sent", "wamid.3", "wamid.0:read"]);
    let prompt = events[1].prompt_ready();
    assert!(prompt.contains("From: \"Kim Rivers\" 1650555"), "{prompt}");
    assert!(prompt.contains("wamid.2") && !prompt.contains("wamid.1"), "{prompt}");
    let name = events[4].provider_event();
    assert_eq!(name, Some("whatsapp_business_account.messages"));
    assert!(events[4].prompt_ready().starts_with("WhatsApp message read"));
    assert_eq!(events[0].thread_key(), Some("1065:1650555"));
}

#[tokio::test]
async fn an_unsplit_body_of_several_messages_is_no_repeat_of_its_first() {
    let gate = Gate::of(meta());
    for messages in [&["wamid.1"][..], &["wamid.1", "wamid.2"], &["wamid.1", "wamid.2"]] {
        let post = Post::signed_by("meta", whatsapp(messages, &[]));
        assert_eq!(gate.send(&post).await.status, 200);
    }
    assert_eq!(gate.sink.len(), 2);
}
