//! What Slack is answered: 2xx to all that is signed and stored, 503 when it could not be stored.

use crate::gate::{FORM, Gate, Post, spec};
use headgate_event::{StoreError, limits::SLACK_BODY_BYTES_MAX};
use headgate_slack::SlackSource;
use http::{Method, StatusCode};
use serde_json::{Value, value::RawValue};
use std::time::Duration;

const MENTION: &str = concat!(
    r#"{"type":"event_callback","api_app_id":"A1","team_id":"T1","event_id":"Ev1","#,
    r#""event":{"type":"app_mention","user":"U1","channel":"C1","text":"hi","ts":"1.000001"}}"#,
);
const FROM_2031: &str = concat!(
    r#"{"type":"event_callback","#,
    r#""event":{"type":"from_2031","channel":{"id":"C1"},"user":{"id":"U1"}}}"#,
);

fn data(gate: &Gate) -> Value {
    serde_json::from_str(gate.sink.last().data().get()).expect("JSON")
}

#[tokio::test]
async fn what_is_stored_is_answered_with_an_empty_200_and_a_repeat_like_it() {
    let gate = Gate::new();
    let first = gate.send(&Post::json(MENTION)).await;
    assert_eq!((first.status, first.body.as_str()), (StatusCode::OK, ""));
    let retry = Post::json(MENTION)
        .header("x-slack-retry-num", "1")
        .header("x-slack-retry-reason", "http_timeout");
    let second = gate.send(&retry).await;
    assert_eq!((second.status, second.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(second.headers["headgate-duplicate"], "true");
    assert!(!first.headers.contains_key("headgate-duplicate"));
    assert_eq!(gate.sink.len(), 1);
}

#[tokio::test]
async fn a_retry_whose_first_delivery_never_came_is_stored() {
    let gate = Gate::new();
    let retry = Post::json(MENTION)
        .header("x-slack-retry-num", "3")
        .header("x-slack-retry-reason", "connection_failed");
    gate.event(&retry).await;
    let data = data(&gate);
    assert_eq!(
        (&data["retry_num"], &data["retry_reason"]),
        (&3.into(), &"connection_failed".into())
    );
}

#[tokio::test]
async fn headers_of_a_retry_that_come_twice_are_no_reason_to_refuse_it() {
    let gate = Gate::new();
    let retry =
        Post::json(MENTION).header("x-slack-retry-num", "1").header("x-slack-retry-num", "2");
    let reasons = ["http_error", "http_timeout"];
    let retry =
        reasons.iter().fold(retry, |post, reason| post.header("x-slack-retry-reason", reason));
    gate.event(&retry).await;
    let data = data(&gate);
    assert_eq!((&data["retry_num"], &data["retry_reason"]), (&1.into(), &"http_error".into()));
}

/// Symptom: a proxy that writes `Content-Encoding: identity` made every event unreadable. Cause: any
/// such header counted as a coding. Fix: one that names none is none (RFC 9110, 12.5.3).
#[tokio::test]
async fn a_content_encoding_that_changes_nothing_is_none() {
    for value in ["identity", "Identity", "", " identity , identity"] {
        let gate = Gate::new();
        gate.event(&Post::json(MENTION).header("content-encoding", value)).await;
        assert_eq!(data(&gate)["event_type"], "app_mention", "`{value}`");
    }
    let gate = Gate::new();
    let post = Post::json(MENTION).header("content-encoding", "identity");
    gate.event(&post.header("content-encoding", "br")).await;
    assert_eq!(data(&gate)["event_type"], "unreadable");
}

#[tokio::test]
async fn whatever_is_signed_is_stored_and_says_what_is_wrong_with_it() {
    let deep = format!("{{\"event\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for (post, defect, event_type) in [
        (Post::json("{\"type\":\"event_callback\""), Some("no_json"), "unreadable"),
        (Post::json("[1]"), Some("no_object"), "unreadable"),
        (Post::json("nothing"), Some("no_payload"), "unreadable"),
        (Post::json(""), Some("no_payload"), "unreadable"),
        (Post::json(&b"{\"a\":\"\xff\"}"[..]), Some("no_json"), "unreadable"),
        (Post::json(deep), Some("no_json"), "unreadable"),
        (Post::form("payload=%7Bnot"), Some("no_json"), "unreadable"),
        (Post::form("payload=3"), Some("no_object"), "unreadable"),
        (Post::form("payload=%7B%22a%22%3A%22%FF%22%7D"), Some("no_json"), "unreadable"),
        (Post::form("command=%2Fgo&text=%FF"), Some("no_utf8"), "slash_command"),
        (Post::form("command=%2Fgo&text=%zz%"), None, "slash_command"),
        (Post::form("a=b"), Some("no_payload"), "unreadable"),
        (
            Post::json(MENTION).header("content-encoding", "gzip"),
            Some("content_encoding"),
            "unreadable",
        ),
        (Post::json("{\"type\":\"event_callback\"}"), Some("no_event"), "event_callback"),
        (
            Post::json("{\"type\":\"event_callback\",\"event\":null}"),
            Some("no_event"),
            "event_callback",
        ),
        (Post::json("{\"type\":null,\"event\":{\"type\":null,\"user\":null}}"), None, "unknown"),
        (Post::json("{\"type\":\"made_up\"}"), None, "made_up"),
        (Post::json("{\"type\":\"url_verification\"}"), None, "url_verification"),
        (Post::json("{}"), None, "unknown"),
        (Post::json(FROM_2031), None, "from_2031"),
    ] {
        let gate = Gate::new();
        let event = gate.event(&post).await;
        let slack = event.slack().expect("data that fits");
        assert_eq!(slack.event_type, event_type, "{post:?}");
        let metadata: Value = serde_json::from_str(event.metadata().get()).expect("JSON");
        assert_eq!(metadata["body_defects"][0].as_str(), defect, "{post:?}");
        assert_eq!(gate.sink.last_draft().raw.is_empty(), post.body.is_empty());
        assert!(!event.prompt_ready().is_empty());
    }
}

#[tokio::test]
async fn the_outer_payload_is_kept_as_it_came() {
    let spaced = concat!(
        "{\"type\" : \"event_callback\",\n \"n\":1.10, ",
        "\"n\":12345678901234567890123, \"event\":{\"type\":\"x\"}}",
    );
    let gate = Gate::new();
    let event = gate.event(&Post::json(spaced)).await;
    let expected = concat!(
        r#"{"type":"event_callback","n":1.10,"#,
        r#""n":12345678901234567890123,"event":{"type":"x"}}"#,
    );
    assert_eq!(event.slack().expect("data").raw.get(), expected);
    assert_eq!(gate.sink.last_draft().raw, spaced.as_bytes());

    let json = "{\"type\":\"shortcut\",\"callback_id\":\"a+b %2B & c\",\"n\":1.0}";
    let event = gate.event(&Post::payload(json)).await;
    assert_eq!(event.slack().expect("data").raw.get(), json);
    assert_eq!(gate.sink.last_draft().raw, json.as_bytes(), "the payload, decoded once");

    // Symptom: a payload with a byte that is no text was stored as another text. Cause: it was made
    // text before it was read. Fix: what cannot be read is kept as it came, and says so.
    let form = "payload=%7B%22type%22%3A%22shortcut%22%2C%22callback_id%22%3A%22%FF%22%7D";
    let event = gate.event(&Post::form(form)).await;
    assert_eq!(event.slack().expect("data").event_type, "unreadable");
    assert_eq!(gate.sink.last_draft().raw, form.as_bytes());

    let event = gate.event(&Post::json("not json \u{fc}")).await;
    assert_eq!(event.slack().expect("data").raw.get(), "\"not json \u{fc}\"");
}

#[tokio::test]
async fn a_command_whose_text_speaks_of_payloads_is_a_command() {
    let gate = Gate::new();
    let text = "the payload= of %7B%22type%22%7D & a+b";
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", "{\"type\":\"shortcut\"}")
        .append_pair("team_id", "T1")
        .append_pair("channel_id", "C1")
        .append_pair("user_id", "U1")
        .append_pair("command", "/deploy")
        .append_pair("is_enterprise_install", "false")
        .append_pair("text", text);
    let body = form.finish();
    let charset = format!("{FORM}; charset=utf-8");
    let post = Post::form(body.clone()).changed("content-type", Some(charset.as_bytes()));
    gate.event(&post).await;
    let data = data(&gate);
    assert_eq!(data["event_type"], "slash_command");
    assert_eq!(data["text"], text);
    assert_eq!(data["raw"]["text"], text);
    assert_eq!(data["raw"]["is_enterprise_install"], "false");
    assert_eq!(gate.sink.last_draft().raw, body.as_bytes());
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_that_slack_may_retry() {
    let faults = [
        StoreError::Unavailable { reason: "full".into(), retry_after: Duration::from_secs(1) },
        StoreError::TooLarge { bytes: 2, bytes_max: 1 },
        StoreError::TooMany { drafts: 2, drafts_max: 1 },
    ];
    for fault in faults {
        let gate = Gate::new();
        gate.sink.fail(Some(fault));
        let answer = gate.send(&Post::json(MENTION)).await;
        assert_eq!(answer.status, 503);
        assert!(!answer.headers.contains_key("x-slack-no-retry"));
        assert!(gate.refused.all().is_empty(), "a fault of ours is nothing to mend");
        gate.sink.fail(None);
        gate.event(&Post::json(MENTION)).await;
    }
}

#[tokio::test]
async fn a_check_of_the_certificate_is_answered_and_never_stored() {
    let gate = Gate::new();
    let check = "ssl_check=1&token=x&payload=%7B%22type%22%3A%22event_callback%22%7D";
    for post in [
        Post::unsigned(check).header("content-type", FORM),
        Post::unsigned(check).header("content-type", format!("{FORM}; charset=UTF-8")),
        Post::form(check),
    ] {
        let answer = gate.send(&post).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
    }
    let mut get = Post::unsigned("");
    (get.method, get.target) = (Method::GET, "/v1/slack/team?ssl_check=1".to_owned());
    assert_eq!(gate.send(&get).await.status, 200);
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn what_only_looks_like_that_check_needs_its_signature() {
    let gate = Gate::new();
    for (kind, body) in [
        (FORM, "ssl_check=0"),
        (FORM, "ssl_check=true"),
        (FORM, "ssl_check="),
        (FORM, "ssl_check=1&ssl_check=0"),
        (FORM, "xssl_check=1"),
        (FORM, "text=ssl_check=1"),
        ("application/json", "ssl_check=1"),
        ("", "ssl_check=1"),
        ("application/json", "{\"ssl_check\":1}"),
    ] {
        let answer = gate.send(&Post::unsigned(body).header("content-type", kind)).await;
        assert_eq!(answer.status, 401, "{kind} {body}");
    }
    let mut get = Post::unsigned("");
    get.method = Method::GET;
    assert_eq!(gate.send(&get).await.status, 405);
}

#[tokio::test]
async fn the_question_about_the_url_is_answered_when_it_is_signed() {
    let gate = Gate::new();
    let question = r#"{"type":"url_verification","token":"x","challenge":"a\"b<c>"}"#;
    assert_eq!(gate.send(&Post::unsigned(question)).await.status, 401);
    let answer = gate.send(&Post::json(question)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, r#"{"challenge":"a\"b<c>"}"#));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn configured_answers_go_to_whom_waits_for_them() {
    let json = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
    let mut spec = spec();
    let clear = r#"{"response_action":"clear"}"#;
    spec.answers.insert("view_submission".into(), json(clear));
    spec.answers.insert("slash_command".into(), json(r#"{"text":"On it."}"#));
    let gate = Gate::of(spec);
    let view = Post::payload(r#"{"type":"view_submission","view":{"id":"V1"},"trigger_id":"1.2"}"#);
    let answer = gate.send(&view).await;
    assert_eq!(
        (answer.body.as_str(), &answer.headers["content-type"]),
        (clear, &"application/json".parse().expect("a value"))
    );
    assert_eq!(gate.send(&view).await.body, clear, "a repeat is answered like the first");
    let command = Post::form("command=%2Fdeploy&text=now&trigger_id=9");
    assert_eq!(gate.send(&command).await.body, r#"{"text":"On it."}"#);
    assert_eq!(gate.send(&Post::payload(r#"{"type":"view_closed"}"#)).await.body, "");
    assert_eq!(gate.sink.len(), 3);
}

#[tokio::test]
async fn a_menu_gets_options_and_is_no_event() {
    let gate = Gate::new();
    for kind in ["block_suggestion", "dialog_suggestion"] {
        let post = Post::payload(&format!("{{\"type\":\"{kind}\",\"value\":\"a\"}}"));
        assert_eq!(gate.send(&post).await.body, r#"{"options":[]}"#);
    }
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let gate = Gate::new();
    let whole = |bytes: usize| {
        let frame = MENTION.replace("\"hi\"", "\"\"");
        frame.replace("\"\"", &format!("\"{}\"", "a".repeat(bytes - frame.len())))
    };
    assert_eq!(gate.send(&Post::json(whole(SLACK_BODY_BYTES_MAX))).await.status, 200);
    assert_eq!(gate.send(&Post::json(whole(SLACK_BODY_BYTES_MAX + 1))).await.status, 413);
}

#[tokio::test]
async fn a_path_without_channel_and_another_method_are_told() {
    let gate = Gate::new();
    let mut post = Post::json(MENTION);
    for target in ["/v1/slack/other", "/v1/slack/", "/v1/slack/team/more"] {
        post.target = target.to_owned();
        assert_eq!(gate.send(&post).await.code(), "unknown_channel", "{target}");
    }
    post.target = "/v1/slack/team/".to_owned();
    assert_eq!(gate.send(&post).await.status, 200);
    post.method = Method::PUT;
    assert_eq!(gate.send(&post).await.code(), "method_not_allowed");
}

#[test]
fn the_future_of_an_answer_can_be_sent_to_another_thread() {
    fn is_send(_: &impl Send) {}
    let gate = Gate::new();
    let source: &SlackSource = &gate.source;
    is_send(&source.answer(Post::json(MENTION).request()));
}

#[tokio::test]
async fn a_channel_for_sockets_alone_says_so_to_who_posts_to_it() {
    let mut spec = spec();
    spec.signing_secrets = Vec::new();
    let gate = Gate::of(spec);
    for post in [Post::json(MENTION), Post::unsigned(MENTION), Post::unsigned("ssl_check=1")] {
        let answer = gate.send(&post).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "unknown_channel"));
        assert!(answer.body.contains("receives by Socket Mode alone"), "{}", answer.body);
    }
    assert_eq!((gate.sink.len(), gate.refused.all().len()), (0, 0));
}
