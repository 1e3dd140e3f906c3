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
