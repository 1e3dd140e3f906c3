//! What a channel does not take, and how each provider is told so.

use crate::{
    gate::{Gate, NOW, Post, spec},
    letter::FROM,
    senders::{forms, svix},
};
use headgate_email::{Authenticator, Claimed, Require, Unproven, smtp::AddressPattern};
use headgate_event::{
    BoxFuture, StoreError, Verdict,
    data::{Auth, AuthResult},
};
use std::{sync::Arc, time::Duration};

/// Says the same of every message.
struct Says(&'static str);

impl Authenticator for Says {
    fn authenticate<'a>(&'a self, _: Claimed<'a>) -> BoxFuture<'a, Auth> {
        let result =
            AuthResult { verdict: self.0.to_owned(), domain: Some("orchard.example".to_owned()) };
        let auth = Auth {
            spf: Some(result.clone()),
            dkim: vec![result.clone()],
            dmarc: Some(result),
            from_verified: self.0 == "pass",
            source: Some("headgate".to_owned()),
        };
        Box::pin(async move { auth })
    }
}

/// The status by which a provider knows that a message is refused for good.
fn refusal(provider: &str) -> u16 {
    if provider == "mailgun" { 406 } else { 403 }
}

#[tokio::test]
async fn mail_of_a_denied_sender_is_refused_for_good() {
    for form in forms() {
        let mut spec = spec(form.provider, &form.secret);
        spec.mail.senders_deny = vec![AddressPattern::parse(FROM).expect("an address")];
        let gate = Gate::of(spec);
        let answer = gate.send(&(form.post)(&form.secret, NOW)).await;
        assert_eq!(answer.status, refusal(form.provider), "{}", form.provider);
        assert_eq!(answer.code(), "sender_denied");
        assert_eq!(gate.refused.all().len(), 1);
    }
}

#[tokio::test]
async fn a_channel_that_asks_for_dmarc_takes_whole_messages_that_pass() {
    for form in forms() {
        let mut spec = spec(form.provider, &form.secret);
        spec.mail.terms.require = Require::Dmarc;
        let gate = Gate::with(spec, Some(Arc::new(Says("pass"))));
        let post = (form.post)(&form.secret, NOW);
        if !form.is_whole {
            // Nobody can check a signature over bytes that are not there.
            let answer = gate.send(&post).await;
            assert_eq!(answer.status, refusal(form.provider), "{}", form.provider);
            assert_eq!(answer.code(), "sender_not_proved");
            continue;
        }
        let event = gate.event(&post).await;
        assert_eq!(event.verification().verdict, Verdict::Verified);
        assert_eq!(event.verification().method, "dmarc");
        let auth = event.email().expect("a message").auth.clone().expect("verdicts");
        assert_eq!(auth.source.as_deref(), Some("headgate"));
    }
}

#[tokio::test]
async fn what_could_not_be_found_out_is_asked_for_again() {
    for form in forms().iter().filter(|form| form.is_whole) {
        let mut spec = spec(form.provider, &form.secret);
        spec.mail.terms.require = Require::Dmarc;
        let gate = Gate::with(spec, Some(Arc::new(Says("temperror"))));
        let answer = gate.send(&(form.post)(&form.secret, NOW)).await;
        assert_eq!(answer.status, 503, "{}", form.provider);
        assert!(gate.refused.all().is_empty());
    }
}

#[tokio::test]
async fn a_channel_that_flags_takes_what_does_not_pass() {
    let form = forms().remove(0);
    let mut spec = spec(form.provider, &form.secret);
    spec.mail.terms.require = Require::Dmarc;
    spec.mail.terms.unproven = Unproven::Flag;
    let gate = Gate::with(spec, Some(Arc::new(Says("fail"))));
    let event = gate.event(&(form.post)(&form.secret, NOW)).await;
    assert!(event.metadata().get().contains(r#""require_unmet":"dmarc""#));
    assert_eq!(event.verification().verdict, Verdict::Unverified);
}

#[tokio::test]
async fn a_fault_of_ours_is_answered_503_to_everybody() {
    for form in forms() {
        let gate = Gate::of(spec(form.provider, &form.secret));
        let (reason, retry_after) = ("disk full".to_owned(), Duration::from_secs(5));
        gate.sink.fail(Some(StoreError::Unavailable { reason, retry_after }));
        let post = (form.post)(&form.secret, NOW);
        let answer = gate.send(&post).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
        assert!(gate.refused.all().is_empty(), "its sender has nothing to mend");
        gate.sink.fail(None);
        assert_eq!(gate.send(&post).await.status, 200, "{}", form.provider);
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_for_good() {
    for form in forms() {
        let mut spec = spec(form.provider, &form.secret);
        spec.mail.bytes_max = 100;
        let answer = Gate::of(spec).send(&(form.post)(&form.secret, NOW)).await;
        assert_eq!(answer.status, refusal(form.provider));
        assert_eq!(answer.code(), "message_too_large");
    }
}

#[tokio::test]
async fn a_proven_request_without_a_message_is_kept_and_says_what_is_missing() {
    let mut told = String::new();
    for (provider, kind, body) in [
        ("postmark", "application/json", "{"),
        ("postmark", "application/json", "[]"),
        ("postmark", "application/json", r#"{"RecordType": "Bounce"}"#),
        ("postmark", "application/json", r#"{"RecordType": "Inbound"}"#),
        ("cloudmailin", "text/plain", "hello"),
        ("cloudmailin", "multipart/form-data; boundary=x", "--x--\r\n"),
        ("cloudmailin", "multipart/form-data; boundary=x", "no boundary"),
        ("sendgrid", "application/x-www-form-urlencoded", "text=hello"),
        ("postal", "application/json", r#"{"message": "x"}"#),
    ] {
        let secret = "headgate:password";
        let gate = Gate::of(spec(provider, secret));
        let post = Post::new(kind, body).header("authorization", "Basic aGVhZGdhdGU6cGFzc3dvcmQ=");
        let answer = gate.send(&post).await;
        assert_eq!((answer.status.as_u16(), gate.sink.len()), (422, 0), "{provider} {body}");
        let refused = gate.refused.all().remove(0);
        let cause = refused.reject.cause().unwrap_or_default().to_owned();
        told.push_str(&format!("{provider} {body:?}: {cause}\n"));
    }
    insta::assert_snapshot!(told);
}

/// Symptom: Resend tried `email.sent` again for days, and stopped sending anything. Cause: 422.
#[tokio::test]
async fn what_else_resend_tells_is_passed_over_and_neither_stored_nor_kept() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for (body, status) in [
        (r#"{"type":"email.sent","data":{"email_id":"1","to":["a@b.example"]}}"#, 200),
        (r#"{"type":"contact.created","data":["another form"]}"#, 200),
        (r#"{"type":"domain.updated"}"#, 200),
        (r#"{"type":"email.received","data":{}}"#, 422),
        (r#"{"type":"email.received","data":7}"#, 422),
        (r#"{"type":"","data":{}}"#, 422),
        (r#"{"data":{}}"#, 422),
        ("[]", 422),
    ] {
        let gate = Gate::of(spec("resend", secret));
        let answer = gate.send(&svix(secret, NOW, body)).await;
        let code = if status == 200 { "other_event" } else { "unreadable_message" };
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{body}");
        assert_eq!(gate.sink.len(), 0, "{body}");
        assert_eq!(gate.refused.all().len(), usize::from(status != 200), "{body}");
    }
    let gate = Gate::of(spec("resend", secret));
    let mut forged = svix(secret, NOW, r#"{"type":"email.sent"}"#);
    forged.body.push(b' ');
    assert_eq!(gate.send(&forged).await.status, 401, "what proves nothing is not passed over");
}

#[tokio::test]
async fn a_path_without_a_channel_is_not_found_and_other_methods_are_not_taken() {
    let form = forms().remove(0);
    let gate = Gate::of(spec(form.provider, &form.secret));
    let post = (form.post)(&form.secret, NOW);
    let mut elsewhere = post.request();
    *elsewhere.uri_mut() = "/v1/email/other".parse().expect("a target");
    assert_eq!(gate.source.answer(elsewhere).await.status(), 404);
    let mut got = post.request();
    *got.method_mut() = http::Method::GET;
    assert_eq!(gate.source.answer(got).await.status(), 405);
}
