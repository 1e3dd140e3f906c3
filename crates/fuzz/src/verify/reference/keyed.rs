//! Senders who sign by keys of their own, sign the URL, or have several versions.

use super::{PUBLIC_URL, Sender, digest, hex_of, one, recent};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use headgate_event::Timestamp;
use headgate_http::RawRequest;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED,
        ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, UnparsedPublicKey,
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const SENDGRID: (&str, &str) =
    ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp");
/// How many bytes of a public key of P-256 stand before its point.
const SPKI_HEAD_BYTES: usize = 26;

pub(super) const BY_KEY: &[Sender] = &[
    Sender {
        provider: "discord",
        secret: "a6fbf9fc39e1cd92a49b2e6860095d34a9047319ddd56904792e428da60f901b",
        headers: &["x-signature-ed25519", "x-signature-timestamp"],
        proves: |request, secret, now| {
            let (Some(proof), Some(time)) =
                (one(request, "x-signature-ed25519"), one(request, "x-signature-timestamp"))
            else {
                return false;
            };
            let key = UnparsedPublicKey::new(&ED25519, hex::decode(secret).expect("hex"));
            let message = [time.as_bytes(), &request.body].concat();
            let proof = hex::decode(&proof).unwrap_or_default();
            key.verify(&message, &proof).is_ok() && within(&time, now, 900, 300)
        },
        sign: Some(|request, _, now| {
            let seed: [u8; 32] = Sha256::digest("discord").into();
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
            let time = seconds(now);
            let proof = pair.sign(&[time.as_bytes(), &request.body].concat());
            let proof = hex::encode(proof.as_ref());
            vec![("x-signature-ed25519", proof), ("x-signature-timestamp", time)]
        }),
        covers_body: true,
    },
    Sender {
        provider: "sendgrid",
        secret: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/LepC8Vf2GEdDDQ+D6DAIep/zcarJ0sOM4upO1JG\
                 FTHG8sKMyZx9SXxr9EtQgQAHlx6R4VgHG8l13seX4Za5dQ==",
        headers: &[SENDGRID.0, SENDGRID.1],
        proves: |request, secret, now| {
            let (Some(proof), Some(time)) = (one(request, SENDGRID.0), one(request, SENDGRID.1))
            else {
                return false;
            };
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(secret));
            let proof = STANDARD.decode(&proof).unwrap_or_default();
            let message = [time.as_bytes(), &request.body].concat();
            key.verify(&message, &proof).is_ok() && within(&time, now, 90_000, 300)
        },
        sign: Some(|request, secret, now| {
            let time = seconds(now);
            let message = [time.as_bytes(), &request.body].concat();
            let curve = &ECDSA_P256_SHA256_ASN1_SIGNING;
            let proof = STANDARD.encode(made("sendgrid", curve, &point(secret), &message));
            vec![(SENDGRID.0, proof), (SENDGRID.1, time)]
        }),
        covers_body: true,
    },
    Sender {
        provider: "twilio",
        secret: "a fixture secret",
        headers: &["x-twilio-signature"],
        proves: |request, secret, _| {
            let found = one(request, "x-twilio-signature").unwrap_or_default();
            let urls = [PUBLIC_URL.to_owned(), format!("{PUBLIC_URL}:443")];
            let right = urls.iter().any(|base| found == twilio(request, base, secret));
            right && (is_form(request) || has_digest(request))
        },
        sign: Some(|request, secret, _| {
            vec![("x-twilio-signature", twilio(request, PUBLIC_URL, secret))]
        }),
        // Two spellings of a form are one, and one of a byte that is no UTF-8.
        covers_body: false,
    },
    Sender {
        provider: "hubspot",
        secret: "a fixture secret",
        headers: &[
            "x-hubspot-signature-v3",
            "x-hubspot-request-timestamp",
            "x-hubspot-signature",
            "x-hubspot-signature-version",
        ],
        proves: hubspot,
        sign: Some(|request, secret, now| {
            let time = now.unix_ms().to_string();
            let proof = STANDARD.encode(hubspot_3(request, secret, &time));
            vec![("x-hubspot-signature-v3", proof), ("x-hubspot-request-timestamp", time)]
        }),
        covers_body: true,
    },
    Sender {
        provider: "paddle",
        secret: "a fixture secret",
        headers: &["paddle-signature"],
        proves: |request, secret, now| {
            let header = one(request, "paddle-signature").unwrap_or_default();
            let items: Vec<(&str, &str)> =
                header.split(';').filter_map(|item| item.split_once('=')).collect();
            let of = |name: &'static str| {
                items.iter().filter(move |item| item.0 == name).map(|item| item.1)
            };
            of("ts").any(|time| {
                let proof = hex_of(secret, &[time.as_bytes(), b":", &request.body].concat());
                of("h1").any(|found| found == proof) && recent(time, now, 300)
            })
        },
        sign: Some(|request, secret, now| {
            let time = seconds(now);
            let proof = hex_of(secret, &[time.as_bytes(), b":", &request.body].concat());
            vec![("paddle-signature", format!("ts={time};h1={proof}"))]
        }),
        covers_body: true,
    },
    Sender {
        provider: "plaid",
        secret: r#"{"kty": "EC", "crv": "P-256", "kid": "first", "alg": "ES256",
                    "x": "bLHj8oBMWUXqh0ssmyBY2Qt5MXtIjZFEJBPYRrUzjqQ",
                    "y": "gvmXMeQtA4NR2XwJ50fs8UPb8ZdR4-tc4ZnkuEIsHjc"}"#,
        headers: &["plaid-verification"],
        proves: plaid,
        sign: Some(|request, secret, now| {
            let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let head = part(json!({ "alg": "ES256", "kid": "first" }));
            let body = hex::encode(Sha256::digest(&request.body));
            let time = now.unix_ms() / 1000;
            let claims = part(json!({ "iat": time, "request_body_sha256": body }));
            let message = format!("{head}.{claims}");
            let curve = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let proof = made("plaid", curve, &web_point(secret), message.as_bytes());
            vec![("plaid-verification", format!("{message}.{}", URL_SAFE_NO_PAD.encode(proof)))]
        }),
        covers_body: true,
    },
];

fn seconds(now: Timestamp) -> String {
    (now.unix_ms() / 1000).to_string()
}

/// Whether a time in whole seconds is at most so many before ours, and so many after.
fn within(time: &str, now: Timestamp, past: i64, future: i64) -> bool {
    let time: Option<i64> = time.parse().ok();
    time.and_then(|time| time.checked_mul(1000)).is_some_and(|time| {
        let age = now.unix_ms() - time;
        age <= past * 1000 && -age <= future * 1000
    })
}

/// The point of a public key as SPKI has it.
fn point(secret: &str) -> Vec<u8> {
    STANDARD.decode(secret).expect("base64").split_off(SPKI_HEAD_BYTES)
}

fn web_point(secret: &str) -> Vec<u8> {
    let key: Value = serde_json::from_str(secret).expect("a key");
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().expect("text"));
    [vec![4], part("x").expect("base64url"), part("y").expect("base64url")].concat()
}

/// A signature by the key that `fixtures/webhooks/sign.py` makes of a name.
fn made(
    name: &str,
    curve: &'static EcdsaSigningAlgorithm,
    point: &[u8],
    message: &[u8],
) -> Vec<u8> {
    let mut private: [u8; 32] = Sha256::digest(name).into();
    private[0] &= 0x7f;
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, &private, point, &random);
    let signed = pair.expect("a key").sign(&random, message).expect("signed");
    signed.as_ref().to_vec()
}

fn is_form(request: &RawRequest) -> bool {
    let kind = request.headers.get("content-type").and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn url(base: &str, request: &RawRequest) -> String {
    let query = if request.query.is_empty() { "" } else { "?" };
    format!("{base}{}{query}{}", request.path, request.query)
}

fn twilio(request: &RawRequest, base: &str, secret: &str) -> String {
    let mut message = url(base, request);
    if is_form(request) {
        let pairs: BTreeSet<_> = form_urlencoded::parse(&request.body).collect();
        pairs.iter().for_each(|(name, value)| message.extend([&**name, &**value]));
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, message.as_bytes()))
}

/// Whether the query names the digest of the body; nothing has to be said of no body.
fn has_digest(request: &RawRequest) -> bool {
    let mut pairs = form_urlencoded::parse(request.query.as_bytes());
    match pairs.find(|(name, _)| name == "bodySHA256") {
        Some((_, said)) => said.to_ascii_lowercase() == hex::encode(Sha256::digest(&request.body)),
        None => request.body.is_empty(),
    }
}

fn hubspot(request: &RawRequest, secret: &str, now: Timestamp) -> bool {
    let older = || one(request, "x-hubspot-signature").unwrap_or_default();
    if request.headers.contains_key("x-hubspot-signature-v3") {
        let proof = one(request, "x-hubspot-signature-v3").unwrap_or_default();
        let Some(time) = one(request, "x-hubspot-request-timestamp") else { return false };
        let age = time.parse().ok().map(|time: i64| now.unix_ms().abs_diff(time));
        let right = STANDARD.encode(hubspot_3(request, secret, &time));
        return proof == right && age.is_some_and(|age| age <= 300_000);
    }
    if std::str::from_utf8(&request.body).is_err() {
        return false;
    }
    let mut versions = request.headers.get_all("x-hubspot-signature-version").iter();
    let before = match versions.any(|version| version == "v2") {
        true => format!("{secret}{}{}", request.method, url(PUBLIC_URL, request)),
        false => secret.to_owned(),
    };
    let right = Sha256::new().chain_update(before).chain_update(&request.body).finalize();
    older() == hex::encode(right)
}

fn hubspot_3(request: &RawRequest, secret: &str, time: &str) -> Vec<u8> {
    let mut url = url(PUBLIC_URL, request);
    for plain in ":/?@!$'()*,;".chars() {
        let escape = format!("%{:02X}", plain as u32);
        url = url.replace(&escape, &plain.to_string());
        url = url.replace(&escape.to_lowercase(), &plain.to_string());
    }
    let before = format!("{}{url}", request.method);
    let message = [before.as_bytes(), &request.body, time.as_bytes()].concat();
    digest(secret.as_bytes(), &message)
}

fn plaid(request: &RawRequest, secret: &str, now: Timestamp) -> bool {
    let token = one(request, "plaid-verification").unwrap_or_default();
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, proof] = parts.as_slice() else { return false };
    let read = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let (Some(head), Some(claims)) = (read(head), read(claims)) else { return false };
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, web_point(secret));
    let message = token.rsplit_once('.').map(|(message, _)| message).unwrap_or_default();
    let proof = URL_SAFE_NO_PAD.decode(proof).unwrap_or_default();
    let age = claims["iat"].as_i64().map(|time| now.unix_ms() / 1000 - time);
    head["alg"] == "ES256"
        && key.verify(message.as_bytes(), &proof).is_ok()
        && claims["request_body_sha256"] == hex::encode(Sha256::digest(&request.body))
        && age.is_some_and(|age| (-60..=300).contains(&age))
}
