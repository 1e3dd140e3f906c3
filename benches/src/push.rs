//! What the benchmarks send: a push as GitHub shapes and signs it.

use anyhow::Result;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The secret that every server under measure knows.
pub(crate) const SECRET: &str = "of the benchmark";

/// The value of `x-hub-signature-256` for this body.
pub(crate) fn signature(body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(body.as_bytes());
    Ok(format!("sha256={}", hex::encode(mac.finalize().into_bytes())))
}

/// The JSON of a push, filled up to the size.
pub(crate) fn body(repository: usize, bytes: usize) -> String {
    let body = |filler: &str| {
        serde_json::json!({
            "ref": "refs/heads/main",
            "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
            "after": "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",
            "repository": {
                "id": 35_129_377, "full_name": format!("acme/sdk-{repository}"), "private": false,
            },
            "pusher": {"name": "alice", "email": "alice@example.com"},
            "head_commit": {"message": filler, "author": {"name": "Alice"}},
            "commits": []
        })
        .to_string()
    };
    let words = "Retries with jitter and a cap, so that a burst does not come back as one. ";
    let missing = bytes.saturating_sub(body("").len());
    body(&words.repeat(missing / words.len() + 1)[..missing])
}
