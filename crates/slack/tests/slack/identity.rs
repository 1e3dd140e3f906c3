//! What makes a repeat known, what belongs together, and who did it.

use crate::gate::{Gate, NOW, Post, SECRET, spec};
use headgate_event::Timestamp;
use headgate_slack::SelfEvents;
use serde_json::{Value, json};
use std::time::Duration;

fn outer(event: Value) -> Value {
    json!({
        "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev1",
        "event_time": 1711, "event": event,
        "authorizations": [{"team_id": "T1", "user_id": "UB", "is_bot": true}],
    })
}

fn message() -> Value {
    json!({"type": "message", "user": "U1", "channel": "C1", "text": "<@UB> hi", "ts": "1712.0001"})
}

async fn data(gate: &Gate, outer: &Value) -> Value {
    let event = gate.event(&Post::json(outer.to_string())).await;
    serde_json::from_str(event.data().get()).expect("JSON")
}

/// What the last request is known by.
fn key(gate: &Gate) -> (String, Duration) {
    let dedupe = gate.sink.last_draft().dedupe.expect("a key");
    (dedupe.key, dedupe.window)
}

#[tokio::test]
async fn app_workspace_and_event_together_are_the_key_for_two_days() {
    let gate = Gate::new();
    let mut other = outer(message());
    data(&gate, &other).await;
    assert_eq!(key(&gate), ("A1/T1/Ev1".to_owned(), Duration::from_secs(48 * 3600)));
    // The same id in another app, and in another workspace of Slack Connect.
    other["api_app_id"] = "A2".into();
    data(&gate, &other).await;
    other["authorizations"][0]["team_id"] = "T2".into();
    data(&gate, &other).await;
    assert_eq!(gate.sink.len(), 3);
    assert_eq!(gate.send(&Post::json(other.to_string())).await.status, 200);
    assert_eq!(gate.sink.len(), 3);
}

#[tokio::test]
async fn a_channel_without_dedupe_stores_every_delivery() {
    let mut spec = spec();
    spec.dedupe = None;
    let gate = Gate::of(spec);
    for _ in 0..3 {
        data(&gate, &outer(message())).await;
    }
    assert_eq!(gate.sink.len(), 3);
}

#[tokio::test]
async fn a_command_is_known_by_its_trigger_and_a_captured_one_by_its_bytes_and_time() {
    let gate = Gate::new();
    let form = "command=%2Fgo&user_id=U1&trigger_id=13345.738.8088";
    gate.event(&Post::form(form)).await;
    assert!(!key(&gate).0.contains("13345"), "a trigger is a live token");
    gate.send(&Post::form(form)).await;
    gate.event(&Post::form(form.replace("8088", "8089"))).await;
    assert_eq!(gate.sink.len(), 2);
    // Without one: sent again within the window it adds nothing, done again it does.
    let bare = r#"{"type":"view_closed","user":{"id":"U1"}}"#;
    gate.event(&Post::payload(bare)).await;
    gate.send(&Post::payload(bare)).await;
    assert_eq!(gate.sink.len(), 3);
    let later = Timestamp::from_unix_s(NOW.unix_s() + 1);
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", bare);
    gate.event(&Post::signed_at(later, SECRET, form.finish())).await;
}

/// Symptom: each retry of an event that cannot be read was another event. Cause: it was known by its
/// bytes and the signed time, and a retry has a time of its own. Fix: by its bytes.
#[tokio::test]
async fn a_retry_of_what_has_no_id_or_cannot_be_read_is_the_same_event() {
    for body in [
        r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"#,
        r#"{"type":"event_callback","event":{"type":"x","user":"U1"}}"#,
        r#"{"type":"app_rate_limited","team_id":"T1"}"#,
        r#"["event_callback"]"#,
        "payload=%7Bnot",
    ] {
        let gate = Gate::new();
        gate.event(&Post::json(body)).await;
        let later = Timestamp::from_unix_s(NOW.unix_s() + 60);
        gate.clock.set(later);
        let retry = Post::signed_at(later, SECRET, body).header("x-slack-retry-num", "1");
        let answer = gate.send(&retry).await;
        assert_eq!((answer.status.as_u16(), gate.sink.len()), (200, 1), "{body}");
        gate.send(&Post::signed_at(later, SECRET, format!("{body} "))).await;
        assert_eq!(gate.sink.len(), 2, "other bytes are another event: {body}");
    }
}

#[tokio::test]
async fn a_notice_of_the_limit_is_known_by_its_minute() {
    let gate = Gate::new();
    let notice = |minute: u32| {
        let body = json!({
            "type": "app_rate_limited", "team_id": "T1", "api_app_id": "A1",
            "minute_rate_limited": minute,
        });
        Post::json(body.to_string())
    };
    gate.event(&notice(1_518_467_820)).await;
    assert_eq!(key(&gate).0, "A1/T1/rate_limited/1518467820");
    gate.send(&notice(1_518_467_820)).await;
    gate.event(&notice(1_518_467_880)).await;
    assert_eq!(gate.sink.len(), 2);
}

#[tokio::test]
async fn a_message_and_its_mention_are_two_events_of_one_message() {
    let gate = Gate::new();
    let first = data(&gate, &outer(message())).await;
    let mut mention = outer(message());
    mention["event"]["type"] = "app_mention".into();
    mention["event_id"] = "Ev2".into();
    let second = data(&gate, &mention).await;
    assert_eq!(gate.sink.len(), 2);
    assert_eq!(first["message_key"], "A1/C1/1712.0001");
    assert_eq!(first["message_key"], second["message_key"]);
    assert_eq!((&first["is_mention"], &second["is_mention"]), (&true.into(), &true.into()));
}

#[tokio::test]
async fn a_thread_is_one_whichever_workspace_its_authors_are_of() {
    let gate = Gate::new();
    data(&gate, &outer(message())).await;
    assert_eq!(gate.sink.last().thread_key(), Some("T1/C1/1712.0001"));
    let mut reply = outer(message());
    reply["event"]["thread_ts"] = "1712.0001".into();
    reply["event"]["ts"] = "1713.0001".into();
    (reply["event_id"], reply["team_id"]) = ("Ev2".into(), "T9".into());
    let found = data(&gate, &reply).await;
    assert_eq!(gate.sink.last().thread_key(), Some("T1/C1/1712.0001"));
    assert_eq!((&found["team_id"], &found["installation_team_id"]), (&"T9".into(), &"T1".into()));
    let reaction = json!({
        "type": "reaction_added", "user": "U1", "reaction": "eyes",
        "item": {"type": "message", "channel": "C1", "ts": "1712.0001"},
    });
    let mut reaction = outer(reaction);
    reaction["event_id"] = "Ev3".into();
    data(&gate, &reaction).await;
    assert_eq!(gate.sink.last().thread_key(), Some("T1/C1/1712.0001"));
    let mut joined = outer(json!({"type": "member_joined_channel", "user": "U1", "channel": "C1"}));
    joined["event_id"] = "Ev4".into();
    data(&gate, &joined).await;
    assert_eq!(gate.sink.last().thread_key(), None);
}

#[tokio::test]
async fn a_key_that_is_too_long_is_told_by_its_digest() {
    let gate = Gate::new();
    let mut long = outer(message());
    long["event_id"] = "E".repeat(100_000).into();
    long["event"]["channel"] = "C".repeat(100_000).into();
    data(&gate, &long).await;
    assert!(key(&gate).0.starts_with("sha256:"));
    assert!(gate.sink.last().thread_key().expect("a key").starts_with("sha256:"));
}

#[tokio::test]
async fn who_wrote_is_told_without_a_token_where_the_payload_tells_it() {
    let author = |fields: Value| {
        let mut event = message();
        let event_fields = event.as_object_mut().expect("an object");
        event_fields.extend(fields.as_object().expect("an object").clone());
        event
    };
    let within = |of: &str, fields: Value| {
        json!({"type": "message", "subtype": of, "channel": "C1", "ts": "1713.0001",
            "message": fields, "previous_message": {"text": "x"}})
    };
    let own = json!({"user": "UB", "bot_id": "B1", "app_id": "A1", "text": "x", "ts": "1712.0001"});
    for (event, is_bot, is_self) in [
        (message(), false, Some(false)),
        (author(json!({"bot_id": "B1", "app_id": "A1", "user": "UB"})), true, Some(true)),
        (author(json!({"bot_id": "B1", "app_id": "A1", "user": null})), true, Some(true)),
        (author(json!({"bot_id": "B1", "bot_profile": {"app_id": "A1"}})), true, Some(true)),
        (author(json!({"bot_id": "B2", "app_id": "A2"})), true, Some(false)),
        (author(json!({"bot_id": "B2", "subtype": "bot_message", "user": null})), true, None),
        (author(json!({"user": "USLACKBOT"})), true, Some(false)),
        (within("message_changed", own.clone()), true, Some(true)),
        (
            json!({"type": "message", "subtype": "message_deleted", "channel": "C1",
            "ts": "1713.0001", "previous_message": own}),
            true,
            Some(true),
        ),
        (json!({"type": "reaction_added", "user": "UB", "item": {}}), true, Some(true)),
        (json!({"type": "reaction_added", "user": "U1", "item": {}}), false, Some(false)),
        (json!({"type": "channel_left", "channel": "C1"}), false, None),
    ] {
        let gate = Gate::new();
        let found = data(&gate, &outer(event.clone())).await;
        assert_eq!(found["is_bot"], is_bot, "{event}");
        assert_eq!(found["is_self"], json!(is_self), "{event}");
    }
    // A payload that names no bot user does not tell whose reaction it is.
    let gate = Gate::new();
    let mut reaction = outer(json!({"type": "reaction_added", "user": "UB", "item": {}}));
    reaction["authorizations"] = json!([{"user_id": "UB", "is_bot": false}]);
    assert_eq!(data(&gate, &reaction).await["is_self"], Value::Null);
}

#[tokio::test]
async fn what_the_app_did_itself_is_dropped_where_the_channel_says_so() {
    let mut spec = spec();
    spec.self_events = SelfEvents::Drop;
    let gate = Gate::of(spec);
    let mut own = outer(message());
    own["event"]["user"] = "UB".into();
    let answer = gate.send(&Post::json(own.to_string())).await;
    assert_eq!((answer.status.as_u16(), gate.sink.len()), (200, 0));
    data(&gate, &outer(message())).await;
    let mut joined = outer(json!({"type": "member_joined_channel", "user": "UB", "channel": "C1"}));
    joined["event_id"] = "Ev2".into();
    data(&gate, &joined).await;
    let mut unknown = outer(message());
    unknown["event"]["bot_id"] = "B9".into();
    unknown["event_id"] = "Ev3".into();
    data(&gate, &unknown).await;
}

#[tokio::test]
async fn an_edit_without_another_text_says_so() {
    let edit = |text: &str, edited: Value| {
        let message = json!({"user": "U1", "text": text, "ts": "1712.0001", "edited": edited});
        let before = json!({"user": "U1", "text": "see <https://example.com>", "ts": "1712.0001"});
        outer(json!({"type": "message", "subtype": "message_changed", "channel": "C1",
            "ts": "1713.0001", "message": message, "previous_message": before}))
    };
    for (outer, expected) in [
        (edit("see <https://example.com>", Value::Null), true),
        (edit("see <https://example.com>", json!({"user": "U1", "ts": "1713"})), false),
        (edit("see", Value::Null), false),
        (self::outer(message()), false),
    ] {
        let gate = Gate::new();
        assert_eq!(data(&gate, &outer).await["no_text_change"], expected, "{outer}");
    }
}

#[tokio::test]
async fn a_workspace_has_a_name_where_one_is_configured() {
    let mut spec = spec();
    spec.team_names.insert("T1".into(), "Acme".into());
    let gate = Gate::of(spec);
    assert_eq!(data(&gate, &outer(message())).await["team_name"], "Acme");
    let mut other = outer(message());
    (other["team_id"], other["event_id"]) = ("T2".into(), "Ev2".into());
    assert_eq!(data(&gate, &other).await["team_name"], Value::Null);
}
