//! Proofs: a request is taken when a second reading of the sender's documentation agrees, and not
//! otherwise.
//!
//! The reference below knows each provider by name and shares no code with the schemes but the
//! digest itself.

mod certified;
mod reference;

use crate::Parts;
use bytes::Bytes;
use headgate::captured;
use headgate_event::{Secret, Timestamp};
use headgate_http::RawRequest;
use headgate_webhook::{Explanation, Providers, Terms};
use http::HeaderValue;
use reference::{PUBLIC_URL, Sender, senders};
use std::sync::LazyLock;

static PROVIDERS: LazyLock<Providers> = LazyLock::new(Providers::embedded);

/// 2026-04-19T09:15:25Z, the moment of the fixtures.
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);

/// A captured request, checked as it is and once more with a proof that is right.
pub(crate) fn verify(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let (choice, flip) = (usize::from(parts.byte()), parts.byte());
    let Ok(request) = captured::request(parts.rest().to_vec(), NOW) else { return };
    // Those who sign by secrets, and behind them who does by a certificate.
    let Some(sender) = senders().nth(choice % (senders().count() + 1)) else {
        return certified::certified(&request, flip);
    };
    as_it_came(sender, &request);
    signed(sender, request, flip);
}

fn explained(sender: &Sender, request: &RawRequest) -> Explanation {
    let provider = PROVIDERS.find(sender.provider).expect("a provider");
    let terms = Terms::of(&[Secret::new(sender.secret)]);
    let terms = Terms { public_url: Some(PUBLIC_URL.to_owned()), ..terms };
    provider.explain(request, &terms, NOW)
}

fn as_it_came(sender: &Sender, request: &RawRequest) {
    let explanation = explained(sender, request);
    let agrees = (sender.proves)(request, sender.secret, NOW);
    if explanation.verified {
        assert!(agrees, "{}: taken against the reference", sender.provider);
    } else {
        let said = serde_json::to_string(&explanation).expect("JSON");
        assert!(explanation.code.is_some() && explanation.likely_cause.is_some(), "{said}");
        // What the request itself brings is no secret any more.
        let brought = format!("{request:?} {}", String::from_utf8_lossy(&request.body));
        let shown = said.contains(sender.secret) && !brought.contains(sender.secret);
        assert!(!shown, "{}: the secret is shown: {said}", sender.provider);
    }
}

/// With the right proof it is taken; with a body that differs in one bit it is not.
fn signed(sender: &Sender, mut request: RawRequest, flip: u8) {
    let Some(sign) = sender.sign else { return };
    for name in sender.headers {
        request.headers.remove(*name);
    }
    for (name, value) in sign(&request, sender.secret, NOW) {
        let value = HeaderValue::from_str(&value).expect("visible");
        request.headers.insert(name, value);
    }
    // A time that the body itself says may be wrong.
    let timed = (sender.proves)(&request, sender.secret, NOW);
    let explanation = explained(sender, &request);
    assert_eq!(explanation.verified, timed, "{}: {explanation:?}", sender.provider);
    if !sender.covers_body {
        return;
    }
    let mut body = request.body.to_vec();
    match body.len() {
        0 => body.push(flip),
        length => body[usize::from(flip) % length] ^= 1 << (flip % 8),
    }
    request.body = Bytes::from(body);
    let explanation = explained(sender, &request);
    assert!(!explanation.verified, "{}: a changed body is taken", sender.provider);
}
