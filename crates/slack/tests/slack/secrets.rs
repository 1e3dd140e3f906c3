//! Live tokens stay in `raw` and reach nothing else.

use crate::gate::{Gate, Post};
use serde_json::json;

const TOKEN: &str = "Jhj5dZrVaK7ZwHHjRyZWjbDl";
const URL: &str = "https://hooks.slack.com/actions/T1/1/aaaabbbbccccddddeeeeffff000011112222";
const TRIGGER: &str = "13345224609.738474920.8088930838d88f008e0";
const ACCESS: &str = "xwfp-1-0123456789abcdef";

#[tokio::test]
async fn no_live_token_is_anywhere_but_in_raw() {
    let gate = Gate::new();
    // Of an unknown type, so that all that is in it is outlined; also where a text repeats it.
    let outer = json!({
        "type": "event_callback", "token": TOKEN, "team_id": "T1", "event_id": "Ev1",
        "event": {
            "type": "from_2031", "bot_access_token": ACCESS, "trigger_id": TRIGGER,
            "response_url": URL, "nested": {"list": [{"response_url": URL, "note": ACCESS}]},
            "note": format!("call {URL} with {TRIGGER} {TOKEN}"),
            "long": format!("{}{URL}", "a ".repeat(90)),
        },
    });
    let event = gate.event(&Post::json(outer.to_string())).await;
    let draft = gate.sink.last_draft();
    let (data, _) = draft.data.parts();
    let kept = format!("{:?} {:?} {}", draft.dedupe, draft.thread_key, event.metadata().get());
    for live in [TOKEN, URL, TRIGGER, ACCESS] {
        assert!(event.slack().expect("data").raw.get().contains(live), "{live}");
        assert!(!event.prompt_ready().contains(live), "{live}: {}", event.prompt_ready());
        assert!(!data.contains(live) && !kept.contains(live), "{live}: {data} {kept}");
    }
    assert!(!event.prompt_ready().contains("hooks.slack.com"), "{}", event.prompt_ready());
}

#[tokio::test]
async fn a_token_that_is_the_word_for_redacted_ends() {
    let gate = Gate::new();
    for token in ["redacted", "[redacted]", "[redac"] {
        let body = json!({"type": "x", "token": token, "text": "[redacted] and redacted"});
        gate.event(&Post::payload(&body.to_string())).await;
    }
}

#[tokio::test]
async fn a_token_that_stands_where_a_name_belongs_is_not_told() {
    let gate = Gate::new();
    let body = json!({
        "type": "block_actions", "trigger_id": TRIGGER, "token": TOKEN, "response_url": URL,
        "actions": [{"action_id": TRIGGER, "value": TOKEN}],
        "message": {"text": URL, "ts": "1.1"},
    });
    let event = gate.event(&Post::payload(&body.to_string())).await;
    let prompt = event.prompt_ready();
    for live in [TOKEN, URL, TRIGGER] {
        assert!(!prompt.contains(live), "{live}: {prompt}");
    }
    assert_eq!(prompt.matches("[redacted]").count(), 3, "{prompt}");
}

/// Symptom: the prompt of a signed body that could not be read showed its tokens. Cause: tokens were
/// known by the keys of a parsed body, and without one the body was outlined as text. Fix: what
/// cannot be read is told by its size.
#[tokio::test]
async fn no_live_token_of_a_body_that_cannot_be_read_is_told() {
    let whole = json!({
        "type": "event_callback", "token": TOKEN, "response_url": URL, "trigger_id": TRIGGER,
        "event": {"type": "x", "bot_access_token": ACCESS},
    });
    let whole = whole.to_string();
    let broken = whole.trim_end_matches('}').to_owned();
    let form = |name: &str, value: &str| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair(name, value).append_pair("response_url", URL);
        form.append_pair("trigger_id", TRIGGER).append_pair("token", TOKEN).finish()
    };
    let eventless =
        json!({"type": "event_callback", "token": TOKEN, "response_url": URL, "a": {"b": ACCESS}});
    let eventless = eventless.to_string().replace("\"b\"", "\"bot_access_token\"");
    for (defect, post) in [
        ("no_json", Post::json(broken.clone())),
        ("no_json", Post::form(form("payload", &broken))),
        ("no_json", Post::json([broken.as_bytes(), b"\xff"].concat())),
        ("no_object", Post::json(format!("[{whole}]"))),
        ("no_object", Post::form(form("payload", &format!("[{whole}]")))),
        ("no_payload", Post::form(form("state", &whole))),
        ("no_payload", Post::json(format!("\"{URL}\" {TRIGGER} {TOKEN} {ACCESS}"))),
        ("content_encoding", Post::json(whole.clone()).header("content-encoding", "gzip")),
        ("no_event", Post::json(eventless)),
    ] {
        let gate = Gate::new();
        let event = gate.event(&post).await;
        let prompt = event.prompt_ready();
        assert!(prompt.contains(defect), "{defect}: {prompt}");
        for live in [TOKEN, TRIGGER, ACCESS, "hooks.slack.com", "aaaabbbbccccddddeeee"] {
            assert!(!prompt.contains(live), "{defect}: {live}: {prompt}");
        }
        if defect != "no_event" {
            let size = format!("Body: {} bytes", post.body.len());
            assert!(prompt.contains(&size), "{size}: {prompt}");
        }
    }
}
