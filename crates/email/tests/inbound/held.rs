//! Resend: what it keeps of a message is fetched with the channel's key.

use crate::{
    gate::{Gate, NOW, spec},
    letter::{FROM, FROM_NAME, MESSAGE_ID, TEXT, message},
    senders::resend,
};
use bytes::Bytes;
use headgate_email::inbound::{FetchHeld, Had, InboundSpec, NotHad, Wanted};
use headgate_event::{BoxFuture, Secret};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOTE: &str = "https://api.resend.com/emails/receiving/56761188-7520-42d8-8898-ff6fc54ce618\
                    ?html_format=cid";
const RAW: &str = "https://inbound-cdn.resend.com/56761188/raw?signature=sig-123";

/// Things by their URLs, and who asked for which with what key.
#[derive(Default)]
struct Kept {
    things: BTreeMap<String, Bytes>,
    asked: Mutex<Vec<(String, Option<String>)>>,
}

impl Kept {
    fn of(things: &[(&str, Vec<u8>)]) -> Arc<Self> {
        let things = things.iter().map(|(url, bytes)| ((*url).to_owned(), bytes.clone().into()));
        Arc::new(Self { things: things.collect(), ..Self::default() })
    }
}

impl FetchHeld for Kept {
    fn fetch_held<'a>(&'a self, wanted: Wanted<'a>) -> BoxFuture<'a, Result<Had, NotHad>> {
        Box::pin(async move {
            let key = wanted.key.map(|key| String::from_utf8_lossy(key.expose()).into_owned());
            self.asked.lock().expect("not poisoned").push((wanted.url.to_owned(), key));
            let found = self.things.get(wanted.url).cloned();
            let found = found.ok_or_else(|| NotHad::Failed("status 404".to_owned()))?;
            if found.len() > wanted.bytes_max {
                return Err(NotHad::TooLarge(wanted.bytes_max));
            }
            let (body, hold) = wanted.bound.count(Full::new(found));
            let bytes = body.collect().await.expect("there is room").to_bytes();
            Ok(Had { bytes, hold })
        })
    }
}

fn with_key() -> InboundSpec {
    let settings = BTreeMap::from([("api_key".to_owned(), Secret::new("re_123"))]);
    InboundSpec { settings, ..spec("resend", SECRET) }
}

fn gate(kept: &Arc<Kept>) -> Gate {
    Gate::around(with_key(), |ports| ports.held = Some(Arc::clone(kept) as Arc<dyn FetchHeld>))
}

/// What Resend tells of the message when it is asked.
fn note(raw: Value) -> Vec<u8> {
    json!({
        "object": "email", "id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "from": format!("{FROM_NAME} <{FROM}>"), "to": ["support@in.example.com"], "cc": [],
        "reply_to": ["office@orchard.example"], "subject": "Told by Resend",
        "message_id": MESSAGE_ID, "text": TEXT, "html": null,
        "headers": {"in-reply-to": "<plan-1@in.example.com>", "subject": "another"},
        "attachments": [], "raw": raw,
    })
    .to_string()
    .into_bytes()
}

fn raw(url: &str) -> Vec<u8> {
    note(json!({"download_url": url, "expires_at": "2026-04-19T10:15:24.000Z"}))
}

#[tokio::test]
async fn the_message_itself_is_fetched_with_the_key_and_without_it() {
    let kept = Kept::of(&[(NOTE, raw(RAW)), (RAW, message())]);
    let gate = gate(&kept);
    let event = gate.event(&resend(SECRET, NOW)).await;
    assert_eq!(gate.sink.last_draft().raw, message());
    let metadata: Value = serde_json::from_str(event.metadata().get()).expect("JSON");
    for gone in ["content_pending", "attachments_at_provider", "message_rebuilt"] {
        assert!(metadata.get(gone).is_none(), "{gone}: {metadata}");
    }
    assert_eq!(event.email().expect("a message").attachments.len(), 2);
    assert!(event.email().expect("a message").defects.is_empty());
    let asked = kept.asked.lock().expect("not poisoned").clone();
    // The key goes to the API alone.
    let expected = [(NOTE.to_owned(), Some("re_123".to_owned())), (RAW.to_owned(), None)];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn without_the_message_itself_its_texts_are_taken() {
    let gate = gate(&Kept::of(&[(NOTE, note(Value::Null))]));
    let event = gate.event(&resend(SECRET, NOW)).await;
    let data = event.email().expect("a message");
    assert_eq!(data.subject, "Told by Resend");
    assert!(data.text.as_deref().is_some_and(|text| text.starts_with("Grüße")));
    assert_eq!(data.in_reply_to.as_deref(), Some("<plan-1@in.example.com>"));
    let metadata: Value = serde_json::from_str(event.metadata().get()).expect("JSON");
    // A file was told of that did not come.
    assert_eq!(metadata["content_pending"], true);
    assert_eq!(metadata["message_rebuilt"], true);
}

#[tokio::test]
async fn what_cannot_be_had_is_answered_503_and_nothing_is_stored() {
    let elsewhere = |url: &str| Kept::of(&[(NOTE, raw(url)), (url, message())]);
    for kept in [
        Kept::of(&[]),
        Kept::of(&[(NOTE, b"not JSON".to_vec())]),
        Kept::of(&[(NOTE, raw(RAW))]),
        elsewhere("https://evil.example/raw"),
        elsewhere("http://inbound-cdn.resend.com/raw"),
        elsewhere("https://inbound-cdn.resend.com:8443/raw"),
        elsewhere("https://resend.com.evil.example/raw"),
    ] {
        let gate = gate(&kept);
        let answer = gate.send(&resend(SECRET, NOW)).await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!((gate.sink.len(), gate.refused.all().len()), (0, 0));
    }
    let nobody = Gate::of(with_key());
    assert_eq!(nobody.send(&resend(SECRET, NOW)).await.status, 503);
}

#[tokio::test]
async fn nothing_is_fetched_for_who_proves_nothing() {
    let kept = Kept::of(&[(NOTE, raw(RAW)), (RAW, message())]);
    let gate = gate(&kept);
    let other = "whsec_plJ3nmyCDGBKInavdOK15jslFFFFFFFF";
    assert_eq!(gate.send(&resend(other, NOW)).await.status, 401);
    assert!(kept.asked.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_for_good() {
    let mut spec = with_key();
    spec.mail.bytes_max = message().len() - 1;
    let kept = Kept::of(&[(NOTE, raw(RAW)), (RAW, message())]);
    let gate = Gate::around(spec, |ports| ports.held = Some(kept));
    let answer = gate.send(&resend(SECRET, NOW)).await;
    // By 200 Resend knows that it need not come again.
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (200, "message_too_large"));
    assert_eq!((gate.sink.len(), gate.refused.all().len()), (0, 1));
}
