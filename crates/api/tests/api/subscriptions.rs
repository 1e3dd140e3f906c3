//! Making, showing, changing, pausing and ending subscriptions.

use crate::world::{START, World, draft, from_earliest};
use headgate_event::BoxFuture;
use headgate_push::{Configured, Pushes};
use headgate_queue::{KeptNote, Memory, QueueError, SourceNote, SourceNotes};
use headgate_testkit::ManualClock;
use insta::assert_snapshot;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const AGENT: &str = "/v1/subscriptions/agent";

#[tokio::test]
async fn a_subscription_is_made_shown_changed_and_ended() {
    let world = World::new();
    let made = world.call("PUT", AGENT, "").await;
    assert_eq!(made.status, 201);
    assert_snapshot!(serde_json::to_string_pretty(&made.json()).expect("json"));
    assert_eq!(world.get(AGENT).await.json(), made.json());
    let list = world.get("/v1/subscriptions").await.json();
    assert_eq!(list, json!({"subscriptions": [made.json()]}));

    let changed = world.call("PUT", AGENT, r#"{"channels": ["billing"], "lease": "2m"}"#).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["lease_ms"], 120_000);
    assert_eq!(changed.json()["channels"], json!(["billing"]));

    let ended = world.call("DELETE", AGENT, "").await;
    assert_eq!((ended.status.as_u16(), ended.bytes.len()), (204, 0));
    assert_eq!(ended.header("x-request-id"), "req-1");
    assert_eq!(world.get(AGENT).await.status, 404);
    assert_eq!(world.call("DELETE", AGENT, "").await.status, 404);
}

#[tokio::test]
async fn everything_a_body_can_say_is_taken() {
    let world = World::new();
    let body = json!({
        "channels": ["b", "a", "a"],
        "types": ["webhook.received", "proposal.received"],
        "providers": ["stripe"],
        "start": "earliest",
        "retry": {"attempts": 3, "first": "1s", "longest": "1h30m"},
        "lease": "90s",
        "ack": "on_send",
    });
    let status = world.call("PUT", AGENT, &body.to_string()).await.json();
    assert_eq!(status["channels"], json!(["a", "b"]));
    assert_eq!(status["types"], json!(["proposal.received", "webhook.received"]));
    assert_eq!(status["start"], "earliest");
    let retry = json!({"attempts": 3, "first_ms": 1_000, "longest_ms": 5_400_000});
    assert_eq!(status["retry"], retry);
    assert_eq!((&status["lease_ms"], &status["ack"]), (&json!(90_000), &json!("on_send")));
}

#[tokio::test]
async fn a_subscription_starts_where_it_is_asked_to() {
    let world = World::new();
    let ids = world.store_many(4).await;
    let numbers = async |name: &str, start: serde_json::Value| {
        let path = format!("/v1/subscriptions/{name}");
        let made = world.call("PUT", &path, &json!({"start": start}).to_string()).await;
        assert_eq!(made.status, 201, "{}", made.shown());
        world.post(&format!("{path}/lease"), "").await.numbers("deliveries")
    };
    assert_eq!(numbers("now", json!("now")).await, [0; 0]);
    assert_eq!(numbers("earliest", json!("earliest")).await, [0, 1, 2, 3]);
    assert_eq!(numbers("id", json!(ids[1].to_string())).await, [2, 3]);
    assert_eq!(numbers("after", json!({"after": ids[2]})).await, [3]);
    // They were received at .001 to .004 of this second.
    assert_eq!(numbers("time", json!("2026-11-21T00:00:00.003Z")).await, [2, 3]);
    assert_eq!(numbers("at", json!({"at": "2026-11-21T00:00:00.004Z"})).await, [3]);
}

#[tokio::test]
async fn one_wait_alone_brings_the_other_along() {
    let world = World::new();
    let retry = async |body: serde_json::Value| {
        let body = json!({"retry": body}).to_string();
        world.call("PUT", AGENT, &body).await.json()["retry"].clone()
    };
    assert_eq!(retry(json!({"longest": "1s"})).await["first_ms"], 1_000);
    assert_eq!(retry(json!({"first": "2h"})).await["longest_ms"], 7_200_000);
}

#[tokio::test]
async fn a_wrong_body_is_refused_with_its_place() {
    let world = World::new();
    let mut shown = String::new();
    for body in [
        r#"{"start": "yesterday"}"#,
        r#"{"start": 5}"#,
        r#"{"start": {}}"#,
        r#"{"start": {"before": "x"}}"#,
        r#"{"start": {"after": "x"}}"#,
        r#"{"start": {"at": "2026-11-21T00:00:00Z", "after": "01KAJ3V3W2N9E6W0V8R3M5T7QZ"}}"#,
        r#"{"lease": 60}"#,
        r#"{"lease": "60"}"#,
        r#"{"lease": "0s"}"#,
        r#"{"lease": "13h"}"#,
        r#"{"ack": "never"}"#,
        r#"{"channels": "billing"}"#,
        r#"{"channels": ["Billing"]}"#,
        r#"{"types": ["a b"]}"#,
        r#"{"retry": {"attempts": 0}}"#,
        r#"{"retry": {"first": "5 seconds"}}"#,
        r#"{"retry": {"first": "2h", "longest": "1h"}}"#,
        r#"{"retry": {"factor": 3}}"#,
        r#"{"retry": [null, null]}"#,
        r#"{"push": ["http://127.0.0.1/x"]}"#,
        r#"{"name": "agent"}"#,
        r#"{"paused": true}"#,
    ] {
        let answer = world.call("PUT", AGENT, body).await;
        assert_eq!(answer.status, 422, "{body}");
        let error = &answer.json()["error"];
        shown += &format!("{body}\n  {}: {}\n", error["code"], error["message"]);
    }
    assert_snapshot!(shown);
    assert_snapshot!(world.call("PUT", "/v1/subscriptions/No%20Such", "").await.shown());
    assert_eq!(world.get("/v1/subscriptions").await.json(), json!({"subscriptions": []}));
}

#[tokio::test]
async fn a_configured_subscription_is_changed_in_its_file_but_may_be_paused() {
    let world = World::new();
    let mut spec = from_earliest("agent");
    spec.configured = true;
    world.subscribe(spec).await;
    assert_snapshot!(world.call("PUT", AGENT, "").await.shown());
    assert_eq!(world.call("DELETE", AGENT, "").await.status, 409);
    let paused = world.post(&format!("{AGENT}/pause"), "{}").await.json();
    assert_eq!((&paused["paused"], &paused["configured"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_change_leaves_the_pause_and_the_place_as_they_are() {
    let world = World::new();
    world.store_many(2).await;
    world.subscribe(from_earliest("agent")).await;
    let first = world.post(&format!("{AGENT}/lease"), r#"{"max": 1}"#).await.deliveries();
    world.post(&format!("{AGENT}/settle"), &json!({"ack": first}).to_string()).await;
    world.post(&format!("{AGENT}/pause"), "").await;
    let changed = world.call("PUT", AGENT, r#"{"start": "earliest", "lease": "5s"}"#).await;
    assert_eq!(changed.json()["paused"], true);
    world.post(&format!("{AGENT}/resume"), "").await;
    assert_eq!(world.post(&format!("{AGENT}/lease"), "").await.numbers("deliveries"), [1]);
}

#[tokio::test]
async fn pausing_takes_no_body_and_an_existing_subscription() {
    let world = World::new();
    assert_eq!(world.post(&format!("{AGENT}/pause"), "").await.status, 404);
    assert_eq!(world.post(&format!("{AGENT}/resume"), "").await.status, 404);
    assert_snapshot!(world.post(&format!("{AGENT}/pause"), "{\"for\": 5}").await.shown());
}

#[tokio::test]
async fn a_subscription_is_filtered_by_every_key_of_a_list() {
    let world = World::new();
    let wanted = r#"{"start": "earliest", "thread_key": ["t", "s"], "provider_event": ["push"]}"#;
    let made = world.call("PUT", "/v1/subscriptions/agent", wanted).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["thread_key"], serde_json::json!(["s", "t"]));
    assert_eq!(world.get("/v1/subscriptions/agent").await.json()["provider_event"][0], "push");
    let with_keys = |n: u32, thread: &str, event: &str| {
        let mut draft = draft("a", None, &format!("{{\"n\":{n}}}"));
        (draft.thread_key, draft.provider_event) = (Some(thread.into()), Some(event.into()));
        draft
    };
    world
        .store([with_keys(0, "t", "pull"), with_keys(1, "s", "push"), with_keys(2, "u", "push")])
        .await;
    let leased = world.post("/v1/subscriptions/agent/lease", r#"{"max": 9}"#).await;
    assert_eq!(leased.numbers("deliveries"), [1]);
    for key in ["flow_id", "flow_type", "proposal_id", "deal_id", "session_id"] {
        let ask = format!("{{\"{key}\": [\"x\"]}}");
        let made = world.call("PUT", &format!("/v1/subscriptions/{key}"), &ask).await;
        assert_eq!(made.json()[key], serde_json::json!(["x"]), "{key}");
        let empty = format!("{{\"{key}\": [\"\"]}}");
        let refused = world.call("PUT", "/v1/subscriptions/x", &empty).await;
        assert_eq!(refused.status, 422, "{key}");
    }
}

/// Notes of sources that fail at one call, counted from 1.
struct Failing {
    notes: Arc<Memory>,
    calls: AtomicUsize,
    fails_at: usize,
}

impl SourceNotes for Failing {
    fn notes(&self, kind: &'static str) -> BoxFuture<'_, Result<Vec<KeptNote>, QueueError>> {
        self.notes.notes(kind)
    }

    fn keep_notes(&self, notes: Vec<SourceNote>) -> BoxFuture<'_, Result<(), QueueError>> {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.fails_at {
            let (reason, retry_after) = ("the disk is full".into(), Duration::from_secs(9));
            return Box::pin(async move { Err(QueueError::Unavailable { reason, retry_after }) });
        }
        self.notes.keep_notes(notes)
    }
}

/// Symptom: a change of a push that was stored was answered 503. Cause: what it was signed with before
/// could not be forgotten afterwards. Fix: the answer says what is stored, the log the rest.
#[tokio::test]
async fn a_change_that_is_stored_is_answered_as_such_whatever_is_left_to_be_forgotten() {
    let push = |path: &str| {
        let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
        let url = format!("https://example.com/{path}");
        json!({"push": {"url": url, "secrets": secrets}}).to_string()
    };
    // Made with one write, changed with two and then one; the last of them fails.
    for (change, fails_at) in [(push("new"), 3), ("{}".to_owned(), 2)] {
        let notes = Arc::new(Memory::new(Arc::new(ManualClock::at(START))));
        let failing = Failing { notes: notes.clone(), calls: AtomicUsize::new(0), fails_at };
        let pushes = Pushes::new(Arc::new(failing), Configured::default());
        let world = World::changed(|options| options.pushes = Some(pushes));
        assert_eq!(world.call("PUT", AGENT, &push("old")).await.status, 201);
        let changed = world.call("PUT", AGENT, &change).await;
        assert_eq!(changed.status, 200, "{}", changed.shown());
        assert_eq!(world.get(AGENT).await.json(), changed.json());
        // What was left goes with the next change.
        assert_eq!(world.call("PUT", AGENT, &push("last")).await.status, 200);
        let kept = notes.notes("push.credentials").await.expect("read");
        let kept = String::from_utf8_lossy(&kept[0].1).into_owned();
        assert!(kept.contains("last") && !kept.contains("old"), "{kept}");
    }
}
