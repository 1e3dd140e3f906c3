//! The signature of Standard Webhooks: HMAC-SHA256 over id, time and body.

use crate::credentials::SigningSecret;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature for each secret, the first one first, so that
/// an endpoint may know the next secret or the one before.
pub(crate) fn sign(secrets: &[SigningSecret], id: &str, unix_s: i64, body: &[u8]) -> String {
    let mut value = String::new();
    for secret in secrets {
        // HMAC takes keys of any length, so there is always one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.key()) else { continue };
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(unix_s.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str("v1,");
        value.push_str(&STANDARD.encode(mac.finalize().into_bytes()));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_event::Secret;

    fn secret(text: &str) -> SigningSecret {
        SigningSecret::read(&Secret::new(text)).expect("a secret")
    }

    /// From the project's published vectors of Standard Webhooks.
    #[test]
    fn a_signature_is_the_one_that_is_published() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = sign(&[secret], id, 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs_in_its_turn() {
        let first = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let second = secret("whsec_plJ3nmyCDGBKInavdOK15jslMfKQ9r8G");
        let alone = |one: &SigningSecret| sign(std::slice::from_ref(one), "id", 7, b"{}");
        let both = sign(&[first.clone(), second.clone()], "id", 7, b"{}");
        assert_eq!(both, format!("{} {}", alone(&first), alone(&second)));
    }
}
