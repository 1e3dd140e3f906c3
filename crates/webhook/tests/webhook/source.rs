//! Answers: what a sender is told, and when.

use crate::gate::{Gate, Post, spec};
use headgate_event::StoreError;
use headgate_webhook::{AnswerBody, ChannelSpec, Providers};
use http::Method;
use std::time::Duration;

fn post() -> Post {
    Post::to("/v1/webhook/fixture", r#"{"type":"a"}"#).header("webhook-id", "msg_1")
}

#[tokio::test]
async fn a_stored_event_is_answered_with_its_id() {
    let gate = Gate::with("none", &[]);
    let answer = gate.send(&post()).await;
    assert_eq!(answer.status, 200);
    let id = gate.sink.last().id().to_string();
    assert_eq!(answer.body, format!(r#"{{"id":"{id}","duplicate":false}}"#));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(!answer.headers.contains_key("headgate-duplicate"));
}

#[tokio::test]
async fn a_repeat_is_answered_like_the_first() {
    let gate = Gate::with("none", &[]);
    let first = gate.send(&post()).await;
    let second = gate.send(&post()).await;
    assert_eq!(second.status, 200);
    assert_eq!(second.headers["headgate-duplicate"], "true");
    assert_eq!(second.body, first.body.replace("false", "true"));
    assert_eq!(gate.sink.len(), 1);
}

#[tokio::test]
async fn a_path_without_a_channel_is_404() {
    let gate = Gate::with("none", &[]);
    for target in [
        "/v1/webhook/other",
        "/v1/webhook/",
        "/v1/webhook",
        "/v1/webhook//fixture",
        "/v1/webhook/fixtur%65",
        "/v1/webhook/FIXTURE",
        "/v2/webhook/fixture",
        "/",
    ] {
        for method in [Method::POST, Method::GET] {
            let answer = gate.send(&Post { method, target: target.to_owned(), ..post() }).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "unknown_channel"));
        }
    }
    for target in ["/v1/webhook/fixture/", "/v1/webhook/fixture/a/b", "/v1/webhook/fixture?a=b"] {
        let answer = gate.send(&Post { target: target.to_owned(), ..post() }).await;
        assert_eq!(answer.status, 200, "{target}");
    }
}

#[tokio::test]
async fn another_method_is_405_and_nothing_is_stored() {
    let gate = Gate::with("none", &[]);
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS, Method::DELETE] {
        let answer = gate.send(&Post { method, ..post() }).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.headers["allow"], "POST");
    }
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn a_store_that_is_down_is_503_and_the_sender_comes_again() {
    let gate = Gate::with("none", &[]);
    let retry_after = Duration::from_secs(30);
    gate.sink.fail(Some(StoreError::Unavailable { reason: "disk".to_owned(), retry_after }));
    let answer = gate.send(&post()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "unavailable"));
    assert_eq!(answer.headers["retry-after"], "30");
    assert!(!answer.body.contains("disk"), "the cause is for the log: {}", answer.body);
    gate.sink.fail(None);
    assert_eq!(gate.send(&post()).await.status, 200);
}

#[tokio::test]
async fn an_event_that_no_store_takes_is_413() {
    let gate = Gate::with("none", &[]);
    gate.sink.fail(Some(StoreError::TooLarge { bytes: 2, bytes_max: 1 }));
    let answer = gate.send(&post()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "event_too_large"));
}

#[tokio::test]
async fn a_body_over_the_limit_of_its_channel_is_413_before_it_is_checked() {
    let body_bytes_max = Some(16);
    let gate = Gate::of(ChannelSpec { body_bytes_max, ..spec("github", &["a"]) });
    let answer = gate.send(&Post::to("/v1/webhook/fixture", vec![b' '; 17])).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "body_too_large"));
    let answer = gate.send(&Post::to("/v1/webhook/fixture", vec![b' '; 16])).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_provider_sets_its_own_limit_and_answer() {
    let mut providers = Providers::embedded();
    let file = r#"
        name = "curt"
        title = "Curt"
        request = { body_max = "8 B" }
        answer = { status = 204, body = "empty" }
        verify = { scheme = "none" }
        prompt = { headline = "Curt" }
    "#;
    providers.add("curt.toml", file).expect("right");
    assert_eq!(providers.find("curt").expect("added").answer().body, AnswerBody::Empty);
    let gate = Gate::with("none", &[]);
    gate.source.replace(vec![spec("curt", &[])], &providers).expect("right");
    let answer = gate.send(&Post::to("/v1/webhook/fixture", "12345678")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    let answer = gate.send(&Post::to("/v1/webhook/fixture", "123456789")).await;
    assert_eq!(answer.status, 413);
    assert_eq!(gate.sink.last().provider(), Some("curt"));
}

#[tokio::test]
async fn a_large_body_is_taken_like_a_small_one() {
    let gate = Gate::with("none", &[]);
    let body = format!(r#"{{"type":"a","text":"{}"}}"#, "x".repeat(2 << 20));
    let answer = gate.send(&Post::to("/v1/webhook/fixture", body.clone())).await;
    assert_eq!(answer.status, 200);
    let event = gate.sink.last();
    assert_eq!(event.webhook().expect("webhook data").body_size_bytes, body.len() as u64);
    assert_eq!(gate.sink.last_draft().raw, body);
    let gate = Gate::with("github", &["a"]);
    let answer = gate.send(&Post::to("/v1/webhook/fixture", body)).await;
    assert_eq!(answer.code(), "missing_signature");
}
