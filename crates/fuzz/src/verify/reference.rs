//! How each sender proves itself, by its documentation.

mod keyed;

use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::Timestamp;
use headgate_http::RawRequest;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// The URL by which senders reach us.
pub(super) const PUBLIC_URL: &str = "https://in.example.com";

/// The headers that prove a request.
type Sign = fn(&RawRequest, &str, Timestamp) -> Vec<(&'static str, String)>;

/// One sender.
pub(super) struct Sender {
    pub(super) provider: &'static str,
    pub(super) secret: &'static str,
    /// The headers that a proof may be in.
    pub(super) headers: &'static [&'static str],
    /// Whether a request proves itself.
    pub(super) proves: fn(&RawRequest, &str, Timestamp) -> bool,
    pub(super) sign: Option<Sign>,
    pub(super) covers_body: bool,
}

const STANDARD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// All of them. New ones stand at the end: inputs that are kept name a sender by its place.
pub(super) fn senders() -> impl Iterator<Item = &'static Sender> {
    BY_SECRET.iter().chain(keyed::BY_KEY)
}

const BY_SECRET: &[Sender] = &[
    Sender {
        provider: "github",
        secret: "fixture secret for github",
        headers: &["x-hub-signature-256"],
        proves: |request, secret, _| {
            let proof = format!("sha256={}", hex_of(secret, &request.body));
            one(request, "x-hub-signature-256").is_some_and(|found| found == proof)
        },
        sign: Some(|request, secret, _| {
            let proof = hex_of(secret, &request.body);
            vec![("x-hub-signature-256", format!("sha256={proof}"))]
        }),
        covers_body: true,
    },
    Sender {
        provider: "stripe",
        secret: "whsec_fixture_secret_for_stripe",
        headers: &["stripe-signature"],
        proves: stripe,
        sign: Some(|request, secret, now| {
            let time = (now.unix_ms() / 1000).to_string();
            let proof = hex_of(secret, &[time.as_bytes(), b".", &request.body].concat());
            vec![("stripe-signature", format!("t={time},v1={proof}"))]
        }),
        covers_body: true,
    },
    Sender {
        provider: "standard-webhooks",
        secret: STANDARD_SECRET,
        headers: STANDARD_HEADERS,
        proves: standard,
        sign: Some(|request, secret, now| {
            let time = (now.unix_ms() / 1000).to_string();
            let proof = standard_proof(secret, b"msg_1", time.as_bytes(), &request.body);
            vec![
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", time),
                ("webhook-signature", format!("v1,{proof}")),
            ]
        }),
        covers_body: true,
    },
    Sender {
        provider: "shopify",
        secret: "fixture client secret for shopify",
        headers: &["x-shopify-hmac-sha256", "shopify-hmac-sha256"],
        proves: |request, secret, _| {
            let proof = STANDARD.encode(digest(secret.as_bytes(), &request.body));
            let names = ["x-shopify-hmac-sha256", "shopify-hmac-sha256"];
            names.iter().any(|name| all(request, name).contains(&proof))
        },
        sign: Some(|request, secret, _| {
            let proof = STANDARD.encode(digest(secret.as_bytes(), &request.body));
            vec![("x-shopify-hmac-sha256", proof)]
        }),
        covers_body: true,
    },
    Sender {
        provider: "linear",
        secret: "lin_wh_fixture_secret",
        headers: &["linear-signature"],
        proves: linear,
        sign: Some(|request, secret, _| vec![("linear-signature", hex_of(secret, &request.body))]),
        covers_body: true,
    },
    Sender {
        provider: "gitlab",
        secret: "fixture token for gitlab",
        headers: &["x-gitlab-token"],
        proves: |request, secret, _| one(request, "x-gitlab-token").is_some_and(|it| it == secret),
        sign: Some(|_, secret, _| vec![("x-gitlab-token", secret.to_owned())]),
        covers_body: false,
    },
    Sender {
        provider: "token",
        secret: "fixture-token",
        headers: &["authorization"],
        proves: |request, secret, _| {
            let found = one(request, "authorization").unwrap_or_default();
            let (scheme, token) = found.split_once(' ').unwrap_or_default();
            scheme.eq_ignore_ascii_case("bearer") && token.trim() == secret
        },
        sign: Some(|_, secret, _| vec![("authorization", format!("Bearer {secret}"))]),
        covers_body: false,
    },
    Sender {
        provider: "basic",
        secret: "sender:fixture:password",
        headers: &["authorization"],
        proves: |request, secret, _| {
            let found = one(request, "authorization").unwrap_or_default();
            let (scheme, token) = found.split_once(' ').unwrap_or_default();
            let decoded = STANDARD.decode(token.trim());
            scheme.eq_ignore_ascii_case("basic") && decoded.is_ok_and(|it| it == secret.as_bytes())
        },
        sign: Some(|_, secret, _| {
            vec![("authorization", format!("Basic {}", STANDARD.encode(secret)))]
        }),
        covers_body: false,
    },
];

const STANDARD_HEADERS: &[&str] = &[
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
];

fn stripe(request: &RawRequest, secret: &str, now: Timestamp) -> bool {
    let Some(header) = one(request, "stripe-signature") else { return false };
    let items: Vec<(&str, &str)> =
        header.split(',').filter_map(|item| item.trim().split_once('=')).collect();
    let of = |name: &str| {
        let found = items.iter().filter(move |(found, _)| found.trim() == name);
        found.map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>()
    };
    of("t").iter().any(|time| {
        let signed = [time.as_bytes(), b".", &request.body].concat();
        let proof = hex_of(secret, &signed);
        recent(time, now, 300) && of("v1").contains(&proof)
    })
}

fn standard(request: &RawRequest, secret: &str, now: Timestamp) -> bool {
    ["webhook", "svix"].iter().any(|family| {
        let part = |name: &str| one(request, &format!("{family}-{name}"));
        let (Some(id), Some(time), Some(proofs)) =
            (part("id"), part("timestamp"), part("signature"))
        else {
            return false;
        };
        let proof = standard_proof(secret, id.as_bytes(), time.as_bytes(), &request.body);
        let right = proofs.split_ascii_whitespace().any(|found| found == format!("v1,{proof}"));
        right && recent(&time, now, 300)
    })
}

fn standard_proof(secret: &str, id: &[u8], time: &[u8], body: &[u8]) -> String {
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(key).expect("the secret of the fixtures");
    STANDARD.encode(digest(&key, &[id, b".", time, b".", body].concat()))
}

fn linear(request: &RawRequest, secret: &str, now: Timestamp) -> bool {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let time = body.get("webhookTimestamp");
    let written = |time: &Value| time.as_str().and_then(|text| text.parse().ok());
    let time = time.and_then(|time| time.as_i64().or_else(|| written(time)));
    let right =
        one(request, "linear-signature").is_some_and(|it| it == hex_of(secret, &request.body));
    right && time.is_some_and(|time| now.unix_ms().abs_diff(time) <= 60_000)
}

/// Whether a time in whole seconds is within so many of ours.
fn recent(time: &str, now: Timestamp, seconds: u64) -> bool {
    let time: Option<i64> = time.parse().ok();
    time.is_some_and(|time| now.unix_ms().abs_diff(time.saturating_mul(1000)) <= seconds * 1000)
}

/// The value of a header that is there once.
fn one(request: &RawRequest, name: &str) -> Option<String> {
    match all(request, name).as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

fn all(request: &RawRequest, name: &str) -> Vec<String> {
    let values = request.headers.get_all(name).iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()).collect()
}

fn hex_of(secret: &str, content: &[u8]) -> String {
    hex::encode(digest(secret.as_bytes(), content))
}

fn digest(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}
