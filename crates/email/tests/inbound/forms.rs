//! Whoever received a message, and in whatever form it was handed over: the event is the same.

use crate::{
    gate::{ADDRESS, Gate, NOW, event_of, mail, spec},
    letter::{MESSAGE_ID, TO, envelope, message},
    senders::{Form, forms, resend},
};
use bytes::Bytes;
use headgate_email::{Matched, Message, Receipt};
use headgate_event::{Event, prompt::PromptKey};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// The event of the message as it comes by SMTP.
fn by_smtp() -> Event {
    let mail = mail();
    let matched = Matched {
        channel: Arc::clone(&mail.channel),
        address: Some(ADDRESS.to_owned()),
        tag: Some("plans".to_owned()),
        dedupe: mail.terms.dedupe,
        metadata: BTreeMap::new(),
    };
    let receipt = Receipt {
        received_at: NOW,
        envelope: Some(envelope()),
        auth: None,
        provider: None,
        delivery_id: None,
    };
    let message = Message::read(Bytes::from(message()));
    event_of(&message.draft(&matched, &receipt, &PromptKey::new([7; 32])))
}

/// The data of an event but for what may differ: how it was handed over, and, where a provider
/// gives parts alone, how they were written.
fn comparable(event: &Event, form: &Form) -> Value {
    let mut data: Value = serde_json::from_str(event.data().get()).expect("JSON");
    let object = data.as_object_mut().expect("an object");
    object.remove("envelope");
    object.remove("auth");
    if form.is_whole {
        return data;
    }
    object.remove("headers");
    object.remove("size_bytes");
    // Postal, and forms of CloudMailin, do not tell which files the text shows.
    let tells_shown = form.provider != "postal" && form.name != "form";
    for attachment in data["attachments"].as_array_mut().expect("a list") {
        let attachment = attachment.as_object_mut().expect("an object");
        attachment.remove("place");
        if !tells_shown {
            attachment.remove("inline");
            attachment.remove("content_id");
        }
    }
    data
}

#[tokio::test]
async fn the_same_message_gives_the_same_data_by_smtp_and_in_every_form() {
    let expected = by_smtp();
    let text = expected.email().expect("a message").text.clone().expect("a text");
    assert!(text.contains("Grüße"), "{text}");
    for form in forms() {
        let gate = Gate::of(spec(form.provider, &form.secret));
        let event = gate.event(&(form.post)(&form.secret, NOW)).await;
        let (of, found) = (comparable(&expected, &form), comparable(&event, &form));
        assert_eq!(found, of, "{} {}", form.provider, form.name);
        assert_eq!(event.thread_key(), expected.thread_key());
        assert_eq!(event.provider(), Some(form.provider));
        let metadata: Value = serde_json::from_str(event.metadata().get()).expect("JSON");
        assert_eq!(metadata["handed_over"]["provider"], form.provider);
        let rebuilt = metadata.get("message_rebuilt").is_some();
        assert_eq!(rebuilt, !form.is_whole, "{} {}", form.provider, form.name);
    }
}

#[tokio::test]
async fn every_attachment_can_be_read_out_of_what_is_stored() {
    for form in forms() {
        let gate = Gate::of(spec(form.provider, &form.secret));
        let event = gate.event(&(form.post)(&form.secret, NOW)).await;
        let data = event.email().expect("a message");
        let raw = gate.sink.last_draft().raw;
        let read = data.attachments.iter().map(|attachment| {
            headgate_email::attachment_bytes(&raw, attachment).expect("its place").into_owned()
        });
        let read: Vec<Vec<u8>> = read.collect();
        assert_eq!(read, [crate::letter::PICTURE, crate::letter::PLAN], "{}", form.provider);
    }
}

#[tokio::test]
async fn a_repeat_of_every_form_is_known_and_answered_like_the_first() {
    for form in forms() {
        let gate = Gate::of(spec(form.provider, &form.secret));
        let post = (form.post)(&form.secret, NOW);
        let (first, again) = (gate.send(&post).await, gate.send(&post).await);
        assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200));
        assert_eq!(gate.sink.len(), 1, "{} {}", form.provider, form.name);
        assert!(first.headers.get("headgate-duplicate").is_none());
        assert_eq!(again.headers["headgate-duplicate"], "true");
        assert!(again.body.contains(r#""duplicate":true"#), "{}", again.body);
    }
}

#[tokio::test]
async fn an_author_is_not_verified_by_what_a_provider_says() {
    for form in forms() {
        let gate = Gate::of(spec(form.provider, &form.secret));
        let event = gate.event(&(form.post)(&form.secret, NOW)).await;
        let auth = event.email().expect("a message").auth.clone();
        let told = ["sendgrid", "cloudmailin"].contains(&form.provider);
        assert_eq!(auth.is_some(), told, "{}", form.provider);
        assert!(auth.is_none_or(|auth| {
            let source = format!("provider:{}", form.provider);
            !auth.from_verified && auth.source == Some(source)
        }));
        let second = event.prompt_ready().lines().nth(1).expect("a second line");
        assert!(second.contains("NOT VERIFIED"), "{} {second}", form.provider);
    }
}

#[tokio::test]
async fn a_header_that_is_called_like_a_field_of_mailgun_is_not_the_message() {
    let form = forms().into_iter().find(|one| one.provider == "mailgun" && !one.is_whole);
    let form = form.expect("a form");
    let gate = Gate::of(spec(form.provider, &form.secret));
    let mut post = (form.post)(&form.secret, NOW);
    let evil = "------form\r\nContent-Disposition: form-data; name=\"body-mime\"\r\n\r\n\
                From: mallory@evil.example\r\n\r\nevil\r\n";
    post.body.splice(0..0, evil.bytes());
    let event = gate.event(&post).await;
    assert_eq!(event.email().expect("a message").from, crate::letter::FROM);
}

#[tokio::test]
async fn a_message_that_stays_at_its_provider_is_an_event_that_says_so() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let gate = Gate::of(spec("resend", secret));
    let event = gate.event(&resend(secret, NOW)).await;
    let data = event.email().expect("a message");
    assert_eq!((data.message_id.as_str(), data.to.as_slice()), (MESSAGE_ID, &[TO.to_owned()][..]));
    assert_eq!(data.tag.as_deref(), Some("plans"));
    let metadata: Value = serde_json::from_str(event.metadata().get()).expect("JSON");
    assert_eq!(metadata["content_pending"], true);
    assert_eq!(metadata["provider_email_id"], "56761188-7520-42d8-8898-ff6fc54ce618");
    assert_eq!(metadata["attachments_at_provider"][0]["id"], json!("2a0c9ce0"));
    assert_eq!(event.dedupe_key(), Some("56761188-7520-42d8-8898-ff6fc54ce618"));
}
