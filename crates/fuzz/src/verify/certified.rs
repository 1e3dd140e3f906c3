//! Proofs under a certificate that the request names: Amazon SNS, whose certificate is at hand.
//!
//! Its secret stands in no request and no channel, so it has a reading of its own beside those who
//! sign by secrets.

use super::{NOW, PROVIDERS};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headgate_event::{BoxFuture, Secret, Timestamp};
use headgate_http::RawRequest;
use headgate_webhook::{Explanation, Fetch, FetchError, Fetched, Terms};
use ring::{
    rand::SystemRandom,
    signature::{
        KeyPair, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
    },
};
use rustls_pki_types::TrustAnchor;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
};

const PEM: &str = include_str!("../../../../fixtures/webhooks/sns/leaf.pem");
const KEY: &str = include_str!("../../../../fixtures/webhooks/sns/leaf.key.pem");
const URL: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-sample.pem";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:canoe-alarms";
/// The members that are signed, in their order.
const SIGNED: [&str; 8] =
    ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

static PAIR: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    let base64: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).expect("base64")).expect("a key")
});

static FETCHED: LazyLock<Arc<Fetched>> = LazyLock::new(|| {
    let fetched = Fetched::new(Arc::new(AtHand));
    {
        let bringing = pin!(fetched.bring(URL, NOW));
        let brought = bringing.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(brought, Poll::Ready(Ok(()))), "the certificate is at hand");
    }
    Arc::new(fetched)
});

/// Has the one certificate.
struct AtHand;

impl Fetch for AtHand {
    fn fetch<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        Box::pin(async { Ok(Bytes::from_static(PEM.as_bytes())) })
    }

    fn anchors(&self) -> &[TrustAnchor<'static>] {
        &[]
    }
}

/// A request as it came, and a notification with its body as the message: with the right proof it
/// is taken, with another message or another proof it is not.
pub(super) fn certified(request: &RawRequest, flip: u8) {
    if explained(request).verified {
        assert_ne!(proves(request), Some(false), "taken against the reference");
    }
    let message = String::from_utf8_lossy(&request.body).into_owned();
    let (told, proof) = signed(&message);
    let verified = |told: &BTreeMap<&str, String>, proof: &[u8]| {
        explained(&notification(request, told, proof)).verified
    };
    let right = notification(request, &told, &proof);
    assert_eq!(proves(&right), Some(true), "the reference signs what it takes");
    assert!(verified(&told, &proof), "{:?}", explained(&right));
    for name in ["Message", "Timestamp", "MessageId"] {
        let mut other = told.clone();
        let text = other.get_mut(name).expect("told");
        *text = changed(text, flip);
        assert!(!verified(&other, &proof), "another `{name}` is taken");
    }
    let mut other = proof;
    let at = usize::from(flip) % other.len();
    other[at] ^= 1 << (flip % 8);
    assert!(!verified(&told, &other), "another signature is taken");
}

fn explained(request: &RawRequest) -> Explanation {
    let settings = BTreeMap::from([("topics".to_owned(), Secret::new(TOPIC))]);
    let terms = Terms { settings, fetched: Arc::clone(&FETCHED), ..Terms::default() };
    PROVIDERS.find("sns").expect("a provider").explain(request, &terms, NOW)
}

/// The same text with one character that is another.
fn changed(text: &str, flip: u8) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    match letters.len() {
        0 => letters.push('x'),
        length => {
            let letter = &mut letters[usize::from(flip) % length];
            *letter = if *letter == 'x' { 'y' } else { 'x' };
        }
    }
    letters.into_iter().collect()
}

/// What is told of a message, and the proof of it.
fn signed(message: &str) -> (BTreeMap<&'static str, String>, Vec<u8>) {
    let told = BTreeMap::from([
        ("Message", message.to_owned()),
        ("MessageId", "165545c9-2a5c-472c-8df2-7ff2be2b3b1b".to_owned()),
        ("Timestamp", NOW.to_string()),
        ("TopicArn", TOPIC.to_owned()),
        ("Type", "Notification".to_owned()),
    ]);
    let lines: String = told.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect();
    let mut proof = vec![0; PAIR.public().modulus_len()];
    let random = SystemRandom::new();
    PAIR.sign(&RSA_PKCS1_SHA256, &random, lines.as_bytes(), &mut proof).expect("signed");
    (told, proof)
}

fn notification(request: &RawRequest, told: &BTreeMap<&str, String>, proof: &[u8]) -> RawRequest {
    let mut body = json!({
        "SignatureVersion": "2", "Signature": STANDARD.encode(proof), "SigningCertURL": URL,
    });
    for (name, value) in told {
        body[*name] = value.as_str().into();
    }
    let mut request = RawRequest { body: body.to_string().into(), ..request.clone() };
    // What a header repeats of the body was another's.
    for name in ["x-amz-sns-message-type", "x-amz-sns-message-id", "x-amz-sns-topic-arn"] {
        request.headers.remove(name);
    }
    request
}

/// Whether a request proves itself, read a second time by AWS's documentation; none where two
/// readers of its JSON may see two things.
fn proves(request: &RawRequest) -> Option<bool> {
    let body: BTreeMap<String, Value> = serde_json::from_slice(&request.body).ok()?;
    let text = String::from_utf8_lossy(&request.body);
    let all = SIGNED.iter().chain(&["Signature", "SignatureVersion", "SigningCertURL"]);
    let mut said = BTreeMap::new();
    for name in all {
        let repeated = text.matches(&format!("\"{name}\"")).count() > 1;
        match body.get(*name) {
            _ if repeated => return None,
            None => {}
            Some(Value::String(value)) => {
                said.insert(*name, value.as_str());
            }
            Some(_) => return None,
        }
    }
    let of = |name: &str| said.get(name).copied().unwrap_or_default();
    let lines = SIGNED.iter().filter_map(|name| Some((name, said.get(name)?)));
    let lines: String = lines.map(|(name, value)| format!("{name}\n{value}\n")).collect();
    let algorithm = match of("SignatureVersion") {
        "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        "2" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Some(false),
    };
    let key = UnparsedPublicKey::new(algorithm, PAIR.public_key().as_ref());
    let proof = STANDARD.decode(of("Signature")).unwrap_or_default();
    let time: Option<Timestamp> = of("Timestamp").parse().ok();
    let age = time.map(|time| NOW.unix_ms() - time.unix_ms());
    Some(
        of("SigningCertURL") == URL
            && key.verify(lines.as_bytes(), &proof).is_ok()
            && of("TopicArn") == TOPIC
            && age.is_some_and(|age| (-300_000..=7_200_000).contains(&age)),
    )
}
