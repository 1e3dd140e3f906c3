//! Who is believed to be Slack.

use crate::gate::{FORM, Gate, NOW, Post, SECRET, secret, spec};
use headgate_event::{Secret, Timestamp};
use headgate_slack::{ClientCertificate, SigningSecret, SlackChannelSpec, sign};
use serde::Deserialize;
use std::time::Duration;

const BODY: &str = concat!(
    r#"{"type":"event_callback","api_app_id":"A1","team_id":"T1","event_id":"Ev1","#,
    r#""event":{"type":"commands_changed"}}"#,
);

#[derive(Deserialize)]
struct Vector {
    of: String,
    secret: String,
    timestamp: i64,
    content_type: String,
    body: String,
    signature: String,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../fixtures/slack/vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).expect("vectors");
    assert_eq!(vectors.len(), 5);
    vectors
}

fn post(vector: &Vector) -> Post {
    Post::unsigned(vector.body.clone())
        .header("x-slack-signature", &vector.signature)
        .header("x-slack-request-timestamp", vector.timestamp.to_string())
        .header("content-type", &vector.content_type)
}

#[tokio::test]
async fn published_signatures_are_taken_and_are_what_we_sign() {
    for vector in vectors() {
        let mut spec = spec();
        spec.signing_secrets = vec![secret(&vector.secret)];
        let gate = Gate::of(spec);
        gate.clock.set(Timestamp::from_unix_s(vector.timestamp));
        let answer = gate.send(&post(&vector)).await;
        assert_eq!(answer.status, 200, "{}: {}", vector.of, answer.body);
        let time = Timestamp::from_unix_s(vector.timestamp);
        let ours = sign(&Secret::new(vector.secret.as_str()), time, vector.body.as_bytes());
        assert_eq!(ours, vector.signature, "{}", vector.of);
    }
}

async fn code(gate: &Gate, post: &Post) -> String {
    let answer = gate.send(post).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    answer.code()
}

#[tokio::test]
async fn a_time_counts_for_five_minutes_both_ways_and_no_second_longer() {
    for (seconds, expected) in [
        (-301, Some("timestamp_too_old")),
        (-300, None),
        (0, None),
        (300, None),
        (301, Some("timestamp_in_future")),
        (3600, Some("timestamp_in_future")),
        (-1_000_000_000, Some("timestamp_too_old")),
    ] {
        let gate = Gate::new();
        let at = Timestamp::from_unix_s(NOW.unix_s() + seconds);
        let post = Post::signed_at(at, SECRET, BODY);
        match expected {
            Some(expected) => assert_eq!(code(&gate, &post).await, expected, "{seconds}"),
            None => assert_eq!(gate.send(&post).await.status, 200, "{seconds}"),
        }
    }
}

/// The request with this time, signed over it as it is written.
fn timed(time: &[u8]) -> Post {
    use hmac::{KeyInit, Mac};
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    for piece in [b"v0:", time, b":", BODY.as_bytes()] {
        mac.update(piece);
    }
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    Post::unsigned(BODY)
        .header("x-slack-signature", signature)
        .header("x-slack-request-timestamp", time)
}

#[tokio::test]
async fn a_time_is_ascii_digits_and_nothing_else_even_when_it_is_signed() {
    let gate = Gate::new();
    assert_eq!(gate.send(&timed(b"1776590125")).await.status, 200);
    for time in [
        &b"abc"[..],
        b"",
        b"1e9",
        b"0x69e4a000",
        b"+1776590125",
        b"-1776590125",
        b"1_776_590_125",
        b"1776590125.0",
        b"17765 90125",
        b" 1776590125 ",
        b" 1776590125",
        b"1776590125\t",
        "١٧٧٦٥٩٠١٢٥".as_bytes(),
        b"\xff\xfe",
        b"99999999999999999999999999",
    ] {
        assert_eq!(code(&gate, &timed(time)).await, "malformed_timestamp", "{time:?}");
    }
    assert_eq!(code(&gate, &timed(b"9223372036854775807")).await, "timestamp_in_future");
}

#[tokio::test]
async fn a_signature_has_one_spelling() {
    let gate = Gate::new();
    let right = sign(&Secret::new(SECRET), NOW, BODY.as_bytes());
    let digits = right.strip_prefix("v0=").expect("a version").to_owned();
    let long = format!("{right}0");
    let spellings: [Vec<u8>; 14] = [
        format!("V0={digits}").into(),
        format!("v1={digits}").into(),
        format!("v0={}", digits.to_uppercase()).into(),
        digits.clone().into(),
        right[..right.len() - 1].into(),
        long.clone().into(),
        "v0=a=b".into(),
        format!("{right}=b").into(),
        format!("{right},{right}").into(),
        format!("{right} ").trim_end().replace("v0", "v0 ").into(),
        "v0=".into(),
        "".into(),
        b"v0=\xff\xfe".to_vec(),
        format!("v0={}", "g".repeat(64)).into(),
    ];
    for spelling in spellings {
        let post = Post::json(BODY).changed("x-slack-signature", Some(&spelling));
        assert_eq!(code(&gate, &post).await, "malformed_signature", "{spelling:?}");
    }
    let wrong = format!("v0={}", "0".repeat(64));
    let post = Post::json(BODY).changed("x-slack-signature", Some(wrong.as_bytes()));
    assert_eq!(code(&gate, &post).await, "signature_mismatch");
}

#[tokio::test]
async fn what_is_missing_or_comes_twice_is_refused() {
    let gate = Gate::new();
    for (name, missing) in [
        ("x-slack-signature", "missing_signature"),
        ("x-slack-request-timestamp", "missing_timestamp"),
    ] {
        assert_eq!(code(&gate, &Post::json(BODY).changed(name, None)).await, missing);
        let twice = Post::json(BODY);
        let value = twice.headers[name].as_bytes().to_vec();
        assert_eq!(code(&gate, &twice.header(name, value)).await, "repeated_header");
    }
    assert_eq!(code(&gate, &Post::unsigned(BODY)).await, "missing_signature");
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn every_byte_of_the_body_counts_whatever_it_means() {
    let gate = Gate::new();
    let mut post = Post::json(BODY);
    for other in [
        format!("{BODY} "),
        BODY.replace("\":", "\": "),
        BODY.replace("T1", "\\u00541"),
        BODY.replace("T1", "T2"),
        String::new(),
        format!("{BODY}\0"),
    ] {
        post.body = other.into();
        assert_eq!(code(&gate, &post).await, "signature_mismatch");
    }
    let post = Post::signed_at(NOW, "another secret", BODY);
    assert_eq!(code(&gate, &post).await, "signature_mismatch");
}

#[tokio::test]
async fn a_form_is_proved_like_any_body() {
    let gate = Gate::new();
    for form in ["command=%2Fgo&text=a", "payload=%7B%22type%22%3A%22shortcut%22%7D"] {
        assert_eq!(code(&gate, &Post::signed_at(NOW, "another", form)).await, "signature_mismatch");
        let unsigned = Post::unsigned(form).header("content-type", FORM);
        assert_eq!(code(&gate, &unsigned).await, "missing_signature");
        let mut changed = Post::form(form);
        changed.body = form.replace("%2F", "/").replace("%22", "\"").into();
        assert_eq!(code(&gate, &changed).await, "signature_mismatch", "the same once decoded");
        assert_eq!(gate.send(&Post::form(form)).await.status, 200);
    }
    assert_eq!(gate.sink.len(), 2);
}

#[tokio::test]
async fn a_secret_that_is_rolled_is_taken_beside_the_next_one() {
    let mut spec = spec();
    spec.signing_secrets = vec![secret("next"), secret(SECRET)];
    let gate = Gate::of(spec);
    assert_eq!(gate.event(&Post::json(BODY)).await.verification().key, Some(1));
    let next = Post::signed_at(NOW, "next", BODY.replace("Ev1", "Ev2"));
    let verification = gate.event(&next).await.verification().clone();
    assert_eq!((verification.key, verification.covers.as_str()), (Some(0), "body+time"));
    assert_eq!(verification.method, "slack");
}

fn of_two_apps() -> SlackChannelSpec {
    let of = |text: &str, app: &str| SigningSecret {
        secret: Secret::new(text),
        api_app_id: Some(app.to_owned()),
    };
    let mut spec = spec();
    spec.signing_secrets = vec![of("one", "A1"), of("two", "A2"), of("two", "A3")];
    spec
}

#[tokio::test]
async fn a_secret_speaks_for_its_own_app_alone() {
    let gate = Gate::of(of_two_apps());
    assert_eq!(gate.send(&Post::signed_at(NOW, "one", BODY)).await.status, 200);
    assert_eq!(code(&gate, &Post::signed_at(NOW, "two", BODY)).await, "wrong_app");
    let third = BODY.replace("\"A1\"", "\"A3\"");
    let event = gate.event(&Post::signed_at(NOW, "two", third)).await;
    assert_eq!(event.verification().key, Some(2));
    let payload = "payload=%7B%22type%22%3A%22shortcut%22%2C%22api_app_id%22%3A%22A1%22%7D";
    let form = Post::signed_at(NOW, "two", payload).header("content-type", FORM);
    assert_eq!(code(&gate, &form).await, "wrong_app");
    // A question about the URL names no app.
    let question = r#"{"type":"url_verification","challenge":"c"}"#;
    assert_eq!(gate.send(&Post::signed_at(NOW, "two", question)).await.status, 200);
}

#[tokio::test]
async fn no_answer_and_no_rejection_says_what_signature_was_expected() {
    let gate = Gate::new();
    let wrong = format!("v0={}", "0".repeat(64));
    let post = Post::json(BODY).changed("x-slack-signature", Some(wrong.as_bytes()));
    let answer = gate.send(&post).await;
    let expected = sign(&Secret::new(SECRET), NOW, BODY.as_bytes());
    let [rejection] = &gate.refused.all()[..] else { panic!("one rejection") };
    let said = format!("{} {} {:?}", answer.body, rejection.reject, rejection.reject);
    assert!(!said.contains(&expected[3..]) && !said.contains(SECRET), "{said}");
    assert_eq!(rejection.request.body, BODY.as_bytes());
}

#[tokio::test]
async fn headers_are_known_in_any_case_and_bodies_in_any_charset() {
    let gate = Gate::new();
    let mut post = Post::unsigned(BODY);
    post = post
        .header("X-Slack-Signature", sign(&Secret::new(SECRET), NOW, BODY.as_bytes()))
        .header("X-SLACK-REQUEST-TIMESTAMP", NOW.unix_s().to_string());
    assert_eq!(gate.send(&post).await.status, 200);
    for body in [&b"\xff\xfe\0{"[..], b"\0", b"", b"{\"type\":\"\xc3\x28\"}"] {
        assert_eq!(gate.send(&Post::json(body)).await.status, 200, "{body:?}");
        let mut changed = Post::json(body);
        changed.body = [body, b"x"].concat().into();
        assert_eq!(code(&gate, &changed).await, "signature_mismatch");
    }
}

#[tokio::test]
async fn a_certificate_is_believed_of_a_trusted_proxy_alone() {
    let mut spec = spec();
    spec.client_certificate = Some(ClientCertificate {
        header: "x-client-san".parse().expect("a name"),
        name: "platform-tls-client.slack.com".to_owned(),
    });
    let gate = Gate::of(spec);
    let with = |name: &str| Post::json(BODY).header("x-client-san", name);
    let slack = with("platform-tls-client.slack.com");
    assert_eq!(code(&gate, &slack).await, "client_certificate", "anyone can send a header");
    let by_proxy = |post: &Post| {
        let mut request = post.request();
        let arrival = request.extensions_mut().get_mut::<headgate_http::Arrival>().expect("one");
        arrival.remote = "192.0.2.1:1234".parse().expect("an address");
        request
    };
    for post in [Post::json(BODY), with("example.com"), slack.clone().header("x-client-san", "b")] {
        assert_eq!(gate.source.answer(by_proxy(&post)).await.status(), 401);
    }
    assert_eq!(gate.source.answer(by_proxy(&slack)).await.status(), 200);
    let unsigned = Post::unsigned(BODY).header("x-client-san", "platform-tls-client.slack.com");
    assert_eq!(gate.source.answer(by_proxy(&unsigned)).await.status(), 401);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_open_the_window() {
    let gate = Gate::new();
    gate.clock.advance(Duration::from_secs(300));
    assert_eq!(gate.send(&Post::json(BODY)).await.status, 200);
    gate.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&gate, &Post::json(BODY)).await, "timestamp_too_old");
}

/// Symptom: a secret bound to one app signed for another that was named as a number, or in the view
/// alone. Cause: the check and the event looked for the app in different places. Fix: one place.
#[tokio::test]
async fn an_app_is_the_same_to_the_check_and_to_the_event_however_it_is_named() {
    let gate = Gate::of(of_two_apps());
    for json in [
        r#"{"type":"shortcut","api_app_id":7}"#,
        r#"{"type":"view_submission","view":{"app_id":"A1"}}"#,
        r#"{"type":"view_submission","api_app_id":"","view":{"app_id":"A1"}}"#,
    ] {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", json);
        let post = Post::signed_at(NOW, "two", form.finish()).header("content-type", FORM);
        assert_eq!(code(&gate, &post).await, "wrong_app", "{json}");
    }
    let view = r#"{"type":"view_submission","view":{"app_id":"A2"}}"#;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", view);
    let event = gate.event(&Post::signed_at(NOW, "two", form.finish())).await;
    assert_eq!(event.slack().expect("data").api_app_id.as_deref(), Some("A2"));
}
