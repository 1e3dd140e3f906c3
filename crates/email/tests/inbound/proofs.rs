//! What does not prove itself is not taken, and kept for admins.

use crate::{
    gate::{Gate, NOW, Post, spec},
    senders::{Form, forms, resend},
};
use headgate_email::inbound::InboundSpec;
use headgate_event::Timestamp;
use std::time::Duration;

/// The headers and fields that prove a request, of each form.
const SIGNED_HEADERS: &[&str] = &[
    "authorization",
    "x-headgate-signature",
    "x-headgate-timestamp",
    "x-envelope-from",
    "x-envelope-to",
    "x-envelope-client",
    "x-twilio-email-event-webhook-signature",
    "x-twilio-email-event-webhook-timestamp",
];

fn signs_time(form: &Form) -> bool {
    form.provider == "raw" || form.provider == "mailgun" || form.name == "signed"
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_every_form() {
    for form in forms() {
        let gate = Gate::of(spec(form.provider, &form.wrong_secret));
        let answer = gate.send(&(form.post)(&form.secret, NOW)).await;
        assert_eq!(answer.status, 401, "{} {}", form.provider, form.name);
        assert!(answer.code().ends_with("_mismatch"), "{} {}", form.provider, answer.code());
        assert_eq!(gate.sink.len(), 0);
        assert_eq!(gate.refused.all().len(), 1, "{} {}", form.provider, form.name);
    }
}

#[tokio::test]
async fn a_changed_byte_of_any_proof_is_refused() {
    for form in forms() {
        let post = (form.post)(&form.secret, NOW);
        let gate = Gate::of(spec(form.provider, &form.secret));
        for at in 0..post.headers.len() {
            let (name, value) = post.headers.get(at).expect("a header");
            if !SIGNED_HEADERS.contains(&name.as_str()) {
                continue;
            }
            for byte in 0..value.len() {
                let mut changed = post.clone();
                let (_, value) = changed.headers.get_mut(at).expect("a header");
                let byte = value.get_mut(byte).expect("a byte");
                *byte = if *byte == b'7' { b'8' } else { b'7' };
                let answer = gate.send(&changed).await;
                assert_eq!(answer.status, 401, "{} {name} {:?}", form.provider, changed.headers);
            }
        }
        assert_eq!(gate.sink.len(), 0, "{} {}", form.provider, form.name);
        assert_eq!(gate.send(&post).await.status, 200);
    }
}

#[tokio::test]
async fn a_changed_byte_of_a_signed_body_is_refused() {
    for form in forms().iter().filter(|form| form.provider == "raw" || form.name == "signed") {
        let gate = Gate::of(spec(form.provider, &form.secret));
        let post = (form.post)(&form.secret, NOW);
        for at in (0..post.body.len()).step_by(37) {
            let mut changed = post.clone();
            *changed.body.get_mut(at).expect("a byte") ^= 1;
            assert_eq!(gate.send(&changed).await.status, 401, "{} {at}", form.provider);
        }
    }
}

#[tokio::test]
async fn a_changed_field_of_mailgun_is_refused() {
    let form = forms().into_iter().find(|form| form.provider == "mailgun").expect("a form");
    let gate = Gate::of(spec(form.provider, &form.secret));
    let post = (form.post)(&form.secret, NOW);
    let text = String::from_utf8_lossy(&post.body).into_owned();
    for field in ["timestamp", "token", "signature"] {
        let begin = text.find(&format!("name=\"{field}\"")).expect("a field") + field.len() + 11;
        let mut changed = post.clone();
        let byte = changed.body.get_mut(begin).expect("a byte");
        *byte = if *byte == b'7' { b'8' } else { b'7' };
        assert_eq!(gate.send(&changed).await.code(), "signature_mismatch", "{field}");
        let without = text.replace(&format!("name=\"{field}\""), "name=\"other\"");
        let without = Post { body: without.into_bytes(), ..post.clone() };
        assert_eq!(gate.send(&without).await.code(), "missing_signature", "{field}");
    }
}

/// What a form is told of a signed time so many seconds from ours; none where it is taken.
async fn told_of_age(form: &Form, spec: InboundSpec, seconds: i64) -> Option<String> {
    let at = Timestamp::from_unix_s(NOW.unix_s() + seconds);
    let answer = Gate::of(spec).send(&(form.post)(&form.secret, at)).await;
    (answer.status != 200).then(|| answer.code())
}

#[tokio::test]
async fn a_signed_time_is_believed_for_as_long_as_its_sender_tries_again() {
    for form in forms().iter().filter(|form| signs_time(form)) {
        let told =
            async |seconds| told_of_age(form, spec(form.provider, &form.secret), seconds).await;
        assert_eq!(told(300).await, None, "{}", form.provider);
        assert_eq!(told(301).await.as_deref(), Some("timestamp_in_future"), "{}", form.provider);
        // What is sent again may bear the time of the first attempt.
        let past = match form.provider {
            "mailgun" => 12 * 3600,
            "sendgrid" => 73 * 3600,
            _ => 300,
        };
        assert_eq!(told(-past).await, None, "{}", form.provider);
        let late = told(-past - 1).await;
        assert_eq!(late.as_deref(), Some("timestamp_too_old"), "{}", form.provider);
    }
}

/// Symptom: after an outage of more than five minutes every retry of Mailgun's was answered 401,
/// until it gave up. Cause: a retry bears the time of the first attempt.
#[tokio::test]
async fn a_retry_of_mailgun_is_believed_for_as_long_as_its_token_is_known() {
    let form = forms().into_iter().find(|form| form.provider == "mailgun").expect("a form");
    let hour = Duration::from_secs(3600);
    for (dedupe, seconds) in [
        (None, 300),
        (Some(Duration::from_secs(1)), 300),
        (Some(hour), 3600),
        (Some(hour * 100), 12 * 3600),
    ] {
        let mut spec = spec(form.provider, &form.secret);
        spec.mail.terms.dedupe = dedupe;
        assert_eq!(told_of_age(&form, spec.clone(), -seconds).await, None, "{dedupe:?}");
        let late = told_of_age(&form, spec, -seconds - 1).await;
        assert_eq!(late.as_deref(), Some("timestamp_too_old"), "{dedupe:?}");
    }
    // Whoever saw a request has no second message from it.
    let gate = Gate::of(spec(form.provider, &form.secret));
    let first = (form.post)(&form.secret, Timestamp::from_unix_s(NOW.unix_s() - 7 * 3600));
    let mut other = first.clone();
    let text = String::from_utf8(other.body).expect("text");
    other.body = text.replace("orchard", "burglar").into_bytes();
    assert_ne!(first.body, other.body);
    assert_eq!(gate.send(&first).await.status, 200);
    let again = gate.send(&other).await;
    assert_eq!((again.status.as_u16(), gate.sink.len()), (200, 1));
    assert!(again.headers.contains_key("headgate-duplicate"));
}

#[tokio::test]
async fn a_request_without_any_proof_is_refused() {
    for form in forms().iter().filter(|form| form.provider != "mailgun") {
        let gate = Gate::of(spec(form.provider, &form.secret));
        let mut post = (form.post)(&form.secret, NOW);
        post.headers.retain(|(name, _)| name == "content-type");
        let answer = gate.send(&post).await;
        assert_eq!(answer.status, 401);
        assert!(answer.code().starts_with("missing_"), "{} {}", form.provider, answer.code());
    }
}

#[tokio::test]
async fn the_signature_of_svix_is_checked() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let gate = Gate::of(spec("resend", secret));
    let other = resend("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NOW);
    assert_eq!(gate.send(&other).await.code(), "signature_mismatch");
    let late = resend(secret, Timestamp::from_unix_s(NOW.unix_s() - 301));
    assert_eq!(gate.send(&late).await.code(), "timestamp_too_old");
    let mut changed = resend(secret, NOW);
    changed.body.push(b' ');
    assert_eq!(gate.send(&changed).await.code(), "signature_mismatch");
    assert_eq!(gate.send(&resend(secret, NOW)).await.status, 200);
}

/// A signature that `openssl dgst -sha256 -sign` made, and the key as a DKIM record has it.
#[tokio::test]
async fn the_signatures_of_postal_are_checked() {
    let key = include_str!("../../../../fixtures/email/inbound/postal-key.txt").trim();
    let body = include_bytes!("../../../../fixtures/email/inbound/postal-body.json");
    let signatures = [
        ("x-postal-signature-256", "postal-signature-256.txt"),
        ("x-postal-signature", "postal-signature.txt"),
    ];
    for (header, file) in signatures {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = folder.join("../../fixtures/email/inbound").join(file);
        let signature = std::fs::read_to_string(file).expect("a signature");
        let post = Post::new("application/json", &body[..]).header(header, signature.trim());
        let gate = Gate::of(spec("postal", key));
        assert_eq!(gate.send(&post).await.status, 200, "{header}");
        let mut changed = post.clone();
        changed.body.push(b' ');
        assert_eq!(gate.send(&changed).await.code(), "signature_mismatch", "{header}");
        let mut without = post;
        without.headers.truncate(1);
        assert_eq!(gate.send(&without).await.code(), "missing_signature", "{header}");
    }
}

#[test]
fn a_secret_of_another_form_is_named() {
    let cases = [
        ("raw", " "),
        ("postmark", "no-colon"),
        ("postmark", "user:"),
        ("mailgun", ""),
        ("sendgrid", "no-colon"),
        ("sendgrid", "bm8ga2V5"),
        ("cloudmailin", "no-colon"),
        ("postal", "bm8ga2V5"),
        ("resend", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("resend", "whsec_c2hvcnQ="),
        ("nobody", "x"),
    ];
    let told = cases.iter().map(|(provider, secret)| {
        let errors = spec(provider, secret).check().expect_err("wrong");
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("{provider} {secret:?}: {}\n", errors.join("; "))
    });
    insta::assert_snapshot!(told.collect::<String>());
}
