//! Who is believed to have sent a message, what belongs together, and what makes a repeat known.

use crate::{drafted, event_of, receipt};
use headgate_email::Receipt;
use headgate_event::{
    Verdict,
    data::{Auth, AuthResult, Envelope},
};

const MESSAGE: &str = "From: anna@orchard.example\r\nTo: support@in.example.com\r\n\
    Message-ID: <a@orchard.example>\r\nDate: Sun, 19 Apr 2026 09:15:22 +0000\r\n\r\nHello\r\n";

fn passed() -> Receipt {
    let pass = |domain: &str| AuthResult { verdict: "pass".into(), domain: Some(domain.into()) };
    let auth = Auth {
        spf: Some(pass("orchard.example")),
        dkim: vec![pass("orchard.example")],
        dmarc: Some(pass("orchard.example")),
        from_verified: true,
        source: Some("headgate".into()),
    };
    Receipt { auth: Some(auth), ..receipt() }
}

#[test]
fn a_message_of_one_author_whose_domain_passed_is_verified() {
    let draft = drafted(MESSAGE.as_bytes(), &passed());
    assert_eq!(draft.verification.verdict, Verdict::Verified);
    assert_eq!(draft.verification.method, "dmarc");
    let second = draft.prompt.text.lines().nth(1).expect("a second line");
    assert_eq!(second, "channel: support (email) · verified: dmarc, body");
    assert!(draft.prompt.text.contains("From: anna@orchard.example (sender verified)"));
}

#[test]
fn a_message_of_two_authors_is_never_verified() {
    let two = format!("From: mallory@evil.example\r\n{MESSAGE}");
    let in_one_field = MESSAGE.replacen("anna@", "mallory@evil.example, anna@", 1);
    let unread = MESSAGE.replacen("anna@", "mallory@evil.example anna@", 1);
    let draft = drafted(unread.as_bytes(), &passed());
    assert_eq!(draft.verification.verdict, Verdict::Unverified, "two addresses without a comma");
    for message in [two, in_one_field] {
        let draft = drafted(message.as_bytes(), &passed());
        assert_eq!(draft.verification.verdict, Verdict::Unverified, "{message}");
        let event = event_of(&draft);
        let data = event.email().expect("a message");
        assert!(!data.auth.as_ref().expect("verdicts").from_verified);
        assert!(data.defects.iter().any(|defect| defect == "from_not_one"), "{:?}", data.defects);
        assert!(draft.prompt.text.contains("(sender not verified)"));
        assert!(draft.prompt.text.contains("Warning: more than one author"));
    }
}

#[test]
fn a_message_without_verdicts_says_that_its_sender_is_not_verified() {
    let draft = drafted(MESSAGE.as_bytes(), &receipt());
    let second = draft.prompt.text.lines().nth(1).expect("a second line");
    assert!(second.contains("NOT VERIFIED"), "{second}");
    assert!(draft.prompt.text.contains("From: anna@orchard.example (sender not verified)"));
}

#[test]
fn a_repeat_is_known_although_its_trace_has_grown() {
    let key =
        |raw: &str, receipt: &Receipt| drafted(raw.as_bytes(), receipt).dedupe.expect("a key").key;
    let first = key(MESSAGE, &receipt());
    let again = format!("Received: from mx2 by mx1; Sun, 19 Apr 2026 09:20:00 +0000\r\n{MESSAGE}");
    assert_eq!(key(&again, &receipt()), first);
    assert_ne!(key(&MESSAGE.replace("Hello", "Hullo"), &receipt()), first, "another body");
    let mut other = receipt();
    other.envelope =
        Some(Envelope { rcpt_to: vec!["sales@in.example.com".to_owned()], ..Envelope::default() });
    assert_ne!(key(MESSAGE, &other), first, "another recipient");
    let named = Receipt { delivery_id: Some("pm-1".to_owned()), ..receipt() };
    assert_eq!(key(MESSAGE, &named), "pm-1");
}

#[test]
fn answers_have_the_thread_of_the_message_they_answer() {
    let thread = |raw: &str| drafted(raw.as_bytes(), &receipt()).thread_key.expect("a thread");
    let first = thread(MESSAGE);
    let answer = |field: &str| MESSAGE.replace("<a@", "<b@").replace("Date:", field);
    let by_reference = answer("References: <a@orchard.example> <x@y>\r\nDate:");
    let by_reply = answer("In-Reply-To: <a@orchard.example>\r\nDate:");
    assert_eq!(thread(&by_reference), first);
    assert_eq!(thread(&by_reply), first);
    assert_ne!(thread(&answer("Date:")), first);
}

#[test]
fn recipients_that_no_header_names_are_bcc() {
    let mut receipt = receipt();
    let rcpt_to = ["SUPPORT@in.example.com", "hidden@in.example.com"].map(str::to_owned).to_vec();
    receipt.envelope = Some(Envelope { rcpt_to, ..Envelope::default() });
    let event = event_of(&drafted(MESSAGE.as_bytes(), &receipt));
    assert_eq!(event.email().expect("a message").bcc, ["hidden@in.example.com"]);
}

#[test]
fn a_null_sender_is_never_to_be_answered() {
    let mut receipt = receipt();
    receipt.envelope = Some(Envelope { mail_from: Some(String::new()), ..Envelope::default() });
    let event = event_of(&drafted(MESSAGE.as_bytes(), &receipt));
    let auto = &event.email().expect("a message").auto;
    assert!(auto.is_bounce);
    assert_eq!(auto.reasons, ["mail from: <>"]);
    assert!(event.prompt_ready().contains("do not answer"));
}
