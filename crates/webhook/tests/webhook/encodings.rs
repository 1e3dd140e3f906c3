//! Compressed bodies: proved as they came, read as what they were.

use crate::gate::{Gate, Post, spec};
use flate2::{Compression, write::GzEncoder};
use headgate_event::{BodyEncoding, Event};
use headgate_webhook::{ChannelSpec, DedupePolicy};
use std::{io::Write, time::Duration};

const BODY: &[u8] = br#"{"zen": "Speak like a human.",  "n": 1.10, "n": 2}"#;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("finished")
}

fn encoded(coding: &str, body: Vec<u8>) -> Post {
    Post::signed(body).header("content-encoding", coding)
}

fn defects(event: &Event) -> Option<String> {
    let metadata: serde_json::Value = serde_json::from_str(event.metadata().get()).expect("JSON");
    metadata.get("body_defects").map(ToString::to_string)
}

#[tokio::test]
async fn the_wire_is_proved_and_kept_and_the_decoded_body_is_read() {
    let gate = Gate::with("github", &["a"]);
    let wire = gzip(BODY);
    let event = gate.event(&encoded("gzip", wire.clone())).await;
    let data = event.webhook().expect("webhook data");
    assert_eq!(data.body_encoding, BodyEncoding::Json);
    assert_eq!(data.body.get(), r#"{"zen":"Speak like a human.","n":1.10,"n":2}"#);
    assert_eq!(data.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(data.body_size_bytes, wire.len() as u64);
    assert_eq!(gate.sink.last_draft().raw, wire, "kept as it came");
    assert!(event.prompt_ready().contains("Speak like a human."), "{}", event.prompt_ready());
    assert_eq!(defects(&event), None);
}

#[tokio::test]
async fn a_signature_of_the_decoded_body_proves_nothing() {
    let gate = Gate::with("github", &["a"]);
    let mut post = Post::signed(BODY).header("content-encoding", "gzip");
    post.body = gzip(BODY).into();
    assert_eq!(gate.send(&post).await.status, 401);
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn a_body_that_is_not_what_its_encoding_says_is_kept_and_marked() {
    let cut = gzip(BODY).split_at(30).0.to_vec();
    for (coding, body, encoding, defect) in [
        ("gzip", cut, BodyEncoding::Base64, "corrupt"),
        ("zstd", gzip(BODY), BodyEncoding::Base64, "unknown"),
        ("gzip, gzip, gzip, gzip", gzip(BODY), BodyEncoding::Base64, "unknown"),
        // A proxy that decodes and leaves the header; a client that takes it for a charset.
        ("gzip", BODY.to_vec(), BodyEncoding::Json, "corrupt"),
        ("utf-8", BODY.to_vec(), BodyEncoding::Json, "unknown"),
    ] {
        let gate = Gate::with("github", &["a"]);
        let event = gate.event(&encoded(coding, body.clone())).await;
        let data = event.webhook().expect("webhook data");
        assert_eq!(data.body_encoding, encoding, "{coding}");
        assert_eq!(gate.sink.last_draft().raw, body, "{coding}");
        let expected = format!("[\"content_encoding_{defect}\"]");
        assert_eq!(defects(&event), Some(expected), "{coding}");
    }
}

#[tokio::test]
async fn identity_is_no_encoding() {
    let gate = Gate::with("github", &["a"]);
    let event = gate.event(&encoded("identity", BODY.to_vec())).await;
    let data = event.webhook().expect("webhook data");
    assert_eq!(data.content_encoding.as_deref(), Some("identity"));
    assert_eq!((&data.body_encoding, defects(&event)), (&BodyEncoding::Json.into(), None));
}

#[tokio::test]
async fn a_bomb_is_refused_and_the_limit_of_the_channel_counts_decoded() {
    let gate = Gate::with("github", &["a"]);
    let bomb = gate.send(&encoded("gzip", gzip(&vec![b' '; 5 << 20]))).await;
    assert_eq!((bomb.status.as_u16(), bomb.code().as_str()), (413, "body_expands_too_much"));
    let kept: Vec<_> = gate.refused.all().iter().map(|kept| kept.reject.code()).collect();
    assert_eq!(kept, ["body_expands_too_much"], "what is proved is not lost with a 413");
    let unproved = Post::to("/v1/webhook/fixture", gzip(&vec![b' '; 5 << 20]));
    let unproved = gate.send(&unproved.header("content-encoding", "gzip")).await;
    assert_eq!(unproved.status, 401, "nothing is decoded before the proof");

    let body_bytes_max = Some(1000);
    let gate = Gate::of(ChannelSpec { body_bytes_max, ..spec("github", &["a"]) });
    let fits = [vec![b' '; 998], b"{}".to_vec()].concat();
    assert_eq!(gate.send(&encoded("gzip", gzip(&fits))).await.status, 200);
    let more = [fits, vec![b' ']].concat();
    let more = gate.send(&encoded("gzip", gzip(&more))).await;
    assert_eq!((more.status.as_u16(), more.code().as_str()), (413, "decoded_body_too_large"));
    assert_eq!(gate.sink.len(), 1);
}

#[tokio::test]
async fn equal_bodies_are_one_event_however_they_were_compressed() {
    let dedupe = DedupePolicy::Digest(Duration::from_secs(60));
    let gate = Gate::of(ChannelSpec { dedupe, ..spec("github", &["a"]) });
    gate.event(&encoded("gzip", gzip(BODY))).await;
    gate.event(&Post::signed(BODY)).await;
    assert_eq!(gate.sink.len(), 1);
}

#[tokio::test]
async fn text_in_another_charset_is_marked() {
    let gate = Gate::with("none", &[]);
    let post = Post::to("/v1/webhook/fixture", &b"gr\xfc\xdfe"[..]);
    let event = gate.event(&post.header("content-type", "text/plain; charset=latin1")).await;
    assert_eq!(defects(&event).as_deref(), Some("[\"charset\"]"));
    assert_eq!(event.webhook().expect("data").body_encoding, BodyEncoding::Base64);
}
