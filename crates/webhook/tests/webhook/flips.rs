//! One bit of a request that is not as it was signed: the request is refused.

use crate::gate::{Gate, Post};
use http::{HeaderName, HeaderValue};
use std::path::Path;

/// Requests small enough to flip each of their bits.
const REQUESTS: [(&str, &str, &str); 7] = [
    ("shopify", "fixture client secret for shopify", "shopify/small"),
    ("linear", "lin_wh_fixture_secret", "linear/unknown_type"),
    ("gitlab", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "gitlab/signed"),
    ("github", "fixture secret for github", "github/secrets_in_head"),
    ("stripe", "whsec_fixture_secret_for_stripe", "stripe/customer.created"),
    (
        "standard-webhooks",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "standard-webhooks/user.created",
    ),
    (
        "standard-webhooks",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "standard-webhooks/svix_names",
    ),
];
/// What a signature is made of beside the body.
const SIGNED: [&str; 10] = [
    "x-shopify-hmac-sha256",
    "linear-signature",
    "x-hub-signature-256",
    "stripe-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
];

fn request(name: &str) -> Post {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/webhooks");
    Post::parse(&std::fs::read(root.join(format!("{name}.http"))).expect("read"))
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[tokio::test]
async fn every_bit_of_the_body_counts() {
    for (provider, secret, name) in REQUESTS {
        let (gate, post) = (Gate::with(provider, &[secret]), request(name));
        for bit in 0..post.body.len() * 8 {
            let body = flipped(&post.body, bit).into();
            let answer = gate.send(&Post { body, ..post.clone() }).await;
            assert_eq!(answer.code(), "signature_mismatch", "{name}: bit {bit} of the body");
        }
        assert_eq!(gate.sink.len(), 0);
        assert_eq!(gate.send(&post).await.status, 200, "{name} as it was signed");
    }
}

#[tokio::test]
async fn every_bit_of_signature_time_and_id_counts() {
    for (provider, secret, name) in REQUESTS {
        let (gate, post) = (Gate::with(provider, &[secret]), request(name));
        let mut flips = 0;
        for header in SIGNED {
            let header = HeaderName::from_static(header);
            let Some(value) = post.headers.get(&header).cloned() else { continue };
            for bit in 0..value.len() * 8 {
                // A value with a control character never gets past the server loop.
                let Ok(other) = HeaderValue::from_bytes(&flipped(value.as_bytes(), bit)) else {
                    continue;
                };
                let mut changed = post.clone();
                changed.headers.insert(header.clone(), other);
                let answer = gate.send(&changed).await;
                assert_eq!(answer.status, 401, "{name}: bit {bit} of `{header}`");
                flips += 1;
            }
        }
        assert!(flips > 300, "{name}: {flips} flips");
        assert_eq!(gate.sink.len(), 0);
    }
}
