//! Signatures as the providers make them, written apart from the code under test.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

/// GitHub's `X-Hub-Signature-256` of a body.
#[must_use]
pub fn github(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", mac(secret, &[body]))
}

/// Stripe's `Stripe-Signature` of a body, signed at this Unix time.
#[must_use]
pub fn stripe(secret: &str, at: u64, body: &[u8]) -> String {
    let time = at.to_string();
    format!("t={time},v1={}", mac(secret, &[time.as_bytes(), b".", body]))
}

/// Slack's `X-Slack-Signature` of a body, signed at this Unix time.
#[must_use]
pub fn slack(secret: &str, at: u64, body: &[u8]) -> String {
    slack_of_time(secret, &at.to_string(), body)
}

/// The same over a time as it is written.
#[must_use]
pub fn slack_of_time(secret: &str, time: &str, body: &[u8]) -> String {
    format!("v0={}", mac(secret, &[b"v0:", time.as_bytes(), b":", body]))
}

/// The `X-Headgate-Signature` of a message that is handed over at this Unix time.
#[must_use]
pub fn hand_over(secret: &str, at: u64, from: &str, to: &str, message: &[u8]) -> String {
    let head = format!("v1\n{at}\n{from}\n{to}\n\n");
    format!("v1={}", mac(secret, &[head.as_bytes(), message]))
}

/// The present Unix time in seconds.
#[expect(clippy::disallowed_methods, reason = "a sender of the outside world has its own clock")]
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|span| span.as_secs()).unwrap_or_default()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}
