//! Amazon SES: messages in notifications of SNS, with their content and without it.

use crate::{
    gate::{Gate, Post, spec},
    letter::{FROM, MESSAGE_ID, SUBJECT, TO, fields, message},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_email::inbound::{
    AgeRule, Carrier, CarrierTerms, Carriers, HandshakeAnswer, InboundSpec,
};
use headgate_event::{
    BoxFuture, Covers, Event, Secret, Timestamp, Verdict, Verification, limits::STORE_RETRY_AFTER,
};
use headgate_http::{RawRequest, Reject, Verified, Verify, empty_answer};
use http::StatusCode;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mail";
const ID: &str = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1";

/// Believes who names the topic of the channel in a header.
struct ByHeader {
    topics: Vec<u8>,
    age: AgeRule,
}

struct Open;

impl Carriers for Open {
    fn open(&self, carrier: &str, terms: CarrierTerms<'_>) -> Result<Arc<dyn Carrier>, String> {
        assert_eq!((carrier, terms.channel), ("sns", "support"));
        let topics = terms.settings.get("topics").expect("topics").expose().to_vec();
        Ok(Arc::new(ByHeader { topics, age: terms.age }))
    }
}

impl Verify for ByHeader {
    fn verify(&self, request: &RawRequest, _: Timestamp) -> Result<Verification, Reject> {
        let says = |name: &str| request.headers.get(name).map(http::HeaderValue::as_bytes);
        if says("x-topic") != Some(self.topics.as_slice()) {
            return Err(Reject::unauthorized("signature_mismatch", "another topic"));
        }
        if says("x-age") == Some(b"old") && self.age == AgeRule::Channel {
            return Err(Reject::unauthorized("timestamp_too_old", "too old"));
        }
        Ok(Verification {
            verdict: Verdict::Verified.into(),
            method: "sns".into(),
            covers: Covers::BodyAndTime.into(),
            detail: None,
            key: None,
        })
    }
}

impl Carrier for ByHeader {
    fn bring<'a>(
        &'a self,
        request: &'a RawRequest,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), Reject>> {
        let missing = request.headers.contains_key("x-unreachable");
        let failed = || Reject::unavailable("no certificate", STORE_RETRY_AFTER);
        Box::pin(async move { if missing { Err(failed()) } else { Ok(()) } })
    }

    fn shake<'a>(
        &'a self,
        verified: &'a Verified,
        _: Timestamp,
    ) -> BoxFuture<'a, Option<Result<HandshakeAnswer, Reject>>> {
        let asks = verified.request().body.starts_with(br#"{"Type":"SubscriptionConfirmation""#);
        let answer = || HandshakeAnswer {
            handshake: "subscription-confirmation".to_owned(),
            answer: empty_answer(StatusCode::OK),
        };
        Box::pin(async move { asks.then(|| Ok(answer())) })
    }
}

fn ses() -> InboundSpec {
    let settings = BTreeMap::from([("topics".to_owned(), Secret::new(TOPIC))]);
    InboundSpec { secrets: Vec::new(), settings, ..spec("ses", "") }
}

fn gate() -> Gate {
    Gate::around(ses(), |ports| ports.carriers = Some(Arc::new(Open)))
}

/// A notification with this message in it.
fn carried(message: &str) -> Post {
    let body = json!({"Type": "Notification", "MessageId": "1", "Message": message});
    Post::new("text/plain; charset=UTF-8", body.to_string()).header("x-topic", TOPIC)
}

/// What SES tells of a message, with this action and content.
fn told(action: Value, content: Option<&str>) -> Value {
    let status = |status: &str| json!({"status": status});
    let headers = fields().into_iter().map(|(name, value)| json!({"name": name, "value": value}));
    let mut told = json!({
        "notificationType": "Received",
        "mail": {
            "timestamp": "2026-04-19T09:15:24.000Z", "source": FROM, "messageId": ID,
            "destination": [TO], "headersTruncated": false,
            "headers": headers.collect::<Vec<_>>(),
            "commonHeaders": {"from": [FROM], "subject": SUBJECT},
        },
        "receipt": {
            "timestamp": "2026-04-19T09:15:24.000Z", "processingTimeMillis": 222,
            "recipients": [TO], "spamVerdict": status("PASS"), "virusVerdict": status("PASS"),
            "spfVerdict": status("PASS"), "dkimVerdict": status("GRAY"),
            "dmarcVerdict": status("FAIL"), "dmarcPolicy": "reject", "action": action,
        },
    });
    if let Some(content) = content {
        told["content"] = content.into();
    }
    told
}

fn with_content(encoding: &str, content: &str) -> Post {
    let action = json!({"type": "SNS", "topicArn": TOPIC, "encoding": encoding});
    carried(&told(action, Some(content)).to_string())
}

fn without_content() -> Post {
    let action =
        json!({"type": "S3", "topicArn": TOPIC, "bucketName": "mail", "objectKey": "in/1"});
    carried(&told(action, None).to_string())
}

fn metadata(event: &Event) -> Value {
    serde_json::from_str(event.metadata().get()).expect("JSON")
}

#[tokio::test]
async fn a_message_in_base64_and_as_text_is_the_message_itself() {
    let text = String::from_utf8(message()).expect("text");
    for (encoding, content) in [("BASE64", STANDARD.encode(&text)), ("UTF8", text.clone())] {
        let gate = gate();
        let event = gate.event(&with_content(encoding, &content)).await;
        let data = event.email().expect("a message");
        assert_eq!((data.from.as_str(), data.message_id.as_str()), (FROM, MESSAGE_ID));
        assert!(data.text.as_deref().is_some_and(|text| text.contains("Grüße")), "{encoding}");
        assert_eq!(data.attachments.len(), 2, "{encoding}");
        assert_eq!(gate.sink.last_draft().raw, message(), "{encoding}");
        assert_eq!((event.dedupe_key(), event.provider()), (Some(ID), Some("ses")));
        let metadata = metadata(&event);
        assert_eq!(metadata["handed_over"]["method"], "sns");
        assert!(metadata.get("message_rebuilt").is_none());
        let envelope = data.envelope.as_ref().expect("an envelope");
        assert_eq!(envelope.mail_from.as_deref(), Some(FROM));
        assert_eq!(envelope.rcpt_to, [TO]);
        assert_eq!(data.tag.as_deref(), Some("plans"));
    }
}

#[tokio::test]
async fn what_ses_says_of_the_sender_is_told_and_verifies_nobody() {
    let event = gate().event(&with_content("BASE64", &STANDARD.encode(message()))).await;
    let auth = event.email().expect("a message").auth.clone().expect("verdicts");
    let word = |result: &headgate_event::data::AuthResult| result.verdict.clone();
    assert_eq!(auth.spf.as_ref().map(word).as_deref(), Some("pass"));
    assert_eq!(auth.spf.and_then(|spf| spf.domain).as_deref(), Some("orchard.example"));
    assert_eq!(auth.dkim.iter().map(word).collect::<Vec<_>>(), ["none"]);
    assert_eq!(auth.dmarc.as_ref().map(word).as_deref(), Some("fail"));
    assert_eq!((auth.from_verified, auth.source.as_deref()), (false, Some("provider:ses")));
    assert_eq!(
        metadata(&event)["provider_verdicts"],
        json!({"spf": "pass", "dkim": "gray", "dmarc": "fail", "dmarc_policy": "reject",
               "spam": "pass", "virus": "pass"})
    );
}

#[tokio::test]
async fn a_dmarc_pass_that_ses_tells_of_is_not_a_verified_author() {
    let action = json!({"type": "SNS", "encoding": "UTF8"});
    let mut told = told(action, Some("From: anna@orchard.example\r\n\r\nHi\r\n"));
    told["receipt"]["dmarcVerdict"]["status"] = "PASS".into();
    let event = gate().event(&carried(&told.to_string())).await;
    assert_eq!(event.verification().verdict, Verdict::Unverified);
}

#[tokio::test]
async fn a_message_in_s3_is_an_event_that_says_where_it_is() {
    let gate = gate();
    let event = gate.event(&without_content()).await;
    let data = event.email().expect("a message");
    assert_eq!((data.from.as_str(), data.message_id.as_str()), (FROM, MESSAGE_ID));
    assert!(data.defects.contains(&"content_pending".to_owned()), "{:?}", data.defects);
    let metadata = metadata(&event);
    assert_eq!(metadata["content_pending"], true);
    assert_eq!(metadata["message_rebuilt"], true);
    assert_eq!(
        metadata["content_at_provider"],
        json!({"action": "S3", "bucket": "mail", "key": "in/1"})
    );
    let warned = "Warning: its text and files are not here, the provider keeps them";
    assert!(event.prompt_ready().contains(warned), "{}", event.prompt_ready());
}

#[tokio::test]
async fn a_message_that_is_told_of_without_its_content_first_is_not_lost() {
    let gate = gate();
    let whole = with_content("BASE64", &STANDARD.encode(message()));
    for post in [without_content(), whole.clone(), without_content(), whole] {
        assert_eq!(gate.send(&post).await.status, 200);
    }
    assert_eq!(gate.sink.len(), 2, "one without, one with its content, and no repeat of either");
}

#[tokio::test]
async fn a_virus_and_spam_are_warned_of() {
    let action = json!({"type": "SNS", "encoding": "UTF8"});
    let mut told = told(action, Some("From: anna@orchard.example\r\n\r\nHi\r\n"));
    told["receipt"]["virusVerdict"]["status"] = "FAIL".into();
    told["receipt"]["spamVerdict"]["status"] = "FAIL".into();
    let event = gate().event(&carried(&told.to_string())).await;
    let data = event.email().expect("a message");
    for code in ["provider_found_virus", "provider_found_spam"] {
        assert!(data.defects.iter().any(|defect| defect == code), "{:?}", data.defects);
    }
    let prompt = event.prompt_ready();
    assert!(prompt.contains("the provider found a virus in it"), "{prompt}");
}

#[tokio::test]
async fn a_confirmation_is_answered_and_is_no_event() {
    let gate = gate();
    let post = Post::new("text/plain", r#"{"Type":"SubscriptionConfirmation","Token":"1"}"#);
    assert_eq!(gate.send(&post).await.status, 401, "nobody proved it");
    assert_eq!(gate.send(&post.header("x-topic", TOPIC)).await.status, 200);
    assert_eq!(gate.sink.len(), 0);
}

#[tokio::test]
async fn what_is_told_besides_is_passed_over() {
    let gate = gate();
    let bounce = json!({"notificationType": "Bounce", "mail": {"messageId": "1"}}).to_string();
    let opened = json!({"eventType": "Open", "mail": {"messageId": "1"}}).to_string();
    for message in [&bounce, &opened, "Successfully validated SNS topic for Amazon SES."] {
        let answer = gate.send(&carried(message)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (200, "other_event"));
    }
    // What should be a message is kept for admins.
    let nameless = json!({"notificationType": "Received", "mail": {}}).to_string();
    assert_eq!(gate.send(&carried(&nameless)).await.status, 422);
    let other_form = json!({"notificationType": "Received", "mail": "none"}).to_string();
    assert_eq!(gate.send(&carried(&other_form)).await.status, 422);
    assert_eq!((gate.sink.len(), gate.refused.all().len()), (0, 2));
}

#[tokio::test]
async fn another_topic_and_what_cannot_be_checked_are_refused() {
    let gate = gate();
    let whole = with_content("BASE64", &STANDARD.encode(message()));
    let mut foreign = whole.clone();
    foreign.headers.retain(|(name, _)| name != "x-topic");
    assert_eq!(gate.send(&foreign).await.status, 401);
    assert_eq!(gate.refused.all().len(), 1);
    let answer = gate.send(&whole.header("x-unreachable", "1")).await;
    assert_eq!(answer.status, 503);
    assert_eq!((gate.refused.all().len(), gate.sink.len()), (1, 0), "our fault is not kept");
}

#[tokio::test]
async fn one_that_was_too_old_is_released_at_any_age() {
    let gate = gate();
    let old = with_content("BASE64", &STANDARD.encode(message())).header("x-age", "old");
    assert_eq!(gate.send(&old).await.code(), "timestamp_too_old");
    let request = gate.refused.all().pop().expect("kept").request;
    let again = gate.source.release("support", request.clone(), AgeRule::Channel, "r1").await;
    assert!(again.is_err());
    gate.source.release("support", request, AgeRule::Any, "r1").await.expect("released");
    let metadata = metadata(&gate.sink.last());
    assert_eq!(metadata["released_from"], "r1");
    assert!(metadata["handed_over"]["detail"].as_str().is_some_and(|text| text.contains("age")));
}

#[test]
fn a_channel_of_ses_says_its_topics_and_no_secret() {
    let told = |spec: InboundSpec| {
        let errors = spec.check().expect_err("wrong");
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(ses().check(), Ok(()));
    let nothing = told(InboundSpec { settings: BTreeMap::new(), ..ses() });
    assert!(nothing.starts_with("provider `ses` asks for setting `topics` (the ARNs"), "{nothing}");
    let secret = told(InboundSpec { secrets: vec![Secret::new("s")], ..ses() });
    assert_eq!(
        secret,
        "secret 1: expected no secret: a certificate of SNS proves what it sends, found one"
    );
    let mut other = ses();
    other.settings.insert("topic".to_owned(), Secret::new(TOPIC));
    assert_eq!(told(other), "expected a setting out of `topics`, found `topic`");
    let mut nobodys = spec("postmark", "headgate:word");
    nobodys.settings.insert("topics".to_owned(), Secret::new(TOPIC));
    assert_eq!(told(nobodys), "expected no settings, found `topics`");
}
