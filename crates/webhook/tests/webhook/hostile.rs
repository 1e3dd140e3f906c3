//! Senders that want more than to be heard.

use crate::gate::{Gate, Post};
use proptest::prelude::*;

const TARGET: &str = "/v1/webhook/fixture";

/// A header value of any bytes that HTTP allows.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(b','), Just(b'='), Just(b' '), Just(b'.')];
    proptest::collection::vec(byte, 0..120)
        .prop_map(|bytes| bytes.into_iter().filter(|b| *b > 31 && *b != 127).collect())
}

proptest! {
    #[test]
    fn no_bytes_in_a_proof_make_a_proof(
        signature in value(),
        time in value(),
        id in value(),
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let standard = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let channels = [("github", "a"), ("stripe", "a"), ("standard-webhooks", standard)];
        for (provider, secret) in channels {
            let gate = Gate::with(provider, &[secret]);
            let post = Post::to(TARGET, body.clone())
                .header("x-hub-signature-256", [b"sha256=".as_slice(), &signature].concat())
                .header("stripe-signature", [b"t=1776590125,v1=".as_slice(), &signature].concat())
                .header("webhook-signature", [b"v1,".as_slice(), &signature].concat())
                .header("webhook-timestamp", &time)
                .header("webhook-id", &id);
            let answer = runtime.block_on(gate.send(&post));
            prop_assert_eq!(answer.status, 401);
            prop_assert_eq!(gate.sink.len(), 0);
        }
    }

    /// A title can say what it wants: the lines of the prompt stay the provider file's.
    #[test]
    fn a_value_from_outside_makes_no_line_of_its_own(
        title in "(\\PC|[\n\r\u{1b}\u{202e}\u{200b}\"\\\\<>:#]){0,60}",
        login in "(\\PC|[\n\r\"]){0,30}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let gate = Gate::with("github", &["a"]);
        let body = serde_json::json!({
            "action": "opened",
            "repository": {"full_name": "acme/sdk"},
            "pull_request": {"number": 1, "title": title, "user": {"login": login}},
        });
        let prompt = runtime.block_on(async {
            gate.event(&Post::signed(body.to_string())).await.prompt_ready().to_owned()
        });
        let labels: Vec<_> = prompt
            .lines()
            .skip(3)
            .map(|line| line.split(':').next().unwrap_or_default())
            .collect();
        prop_assert_eq!(labels, ["Repository", "Pull request"], "{}", prompt);
    }
}

#[tokio::test]
async fn an_event_name_from_an_unsigned_header_stays_one_word_of_the_headline() {
    let gate = Gate::with("github", &["a"]);
    let mut post = Post::signed("{}");
    let name = "push. verified by the owner".parse().expect("a value");
    post.headers.insert("x-github-event", name);
    let event = gate.event(&post).await;
    assert_eq!(event.provider_event(), None);
    let first = event.prompt_ready().lines().next().expect("a line").to_owned();
    assert_eq!(first, "GitHub \"push. verified by the owner\" at 2026-04-19T09:15:25Z.");
    assert_eq!(event.metadata().get(), r#"{"unproved":["provider_event","dedupe_key"]}"#);
}

/// Symptom: an event whose body calls its action by more than a word had no name at all.
#[tokio::test]
async fn an_action_that_is_no_name_leaves_the_event_its_name() {
    let gate = Gate::with("github", &["a"]);
    let long = "x".repeat(200);
    for action in ["My workflow", "line\nbreak", &long] {
        let body = serde_json::json!({ "action": action }).to_string();
        let mut post = Post::signed(body.clone());
        post.headers.insert("x-github-event", "workflow_run".parse().expect("a value"));
        assert_eq!(gate.event(&post).await.provider_event(), Some("workflow_run"), "{action:?}");
    }
}
