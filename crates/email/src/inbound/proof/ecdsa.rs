//! ECDSA over P-256 and SHA-256, as SendGrid signs: a signature over the time and the body.

use super::{SecretError, Window, admit, header, mismatch, proved, seconds};
use crate::inbound::provider::Check;
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::{Covers, Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";
/// What stands before the point in the DER of such a key (RFC 5480): two object identifiers and the
/// length of a bit string.
const KEY_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point of the curve: `04` and two coordinates.
const POINT_BYTES: usize = 65;

struct Signed {
    key: UnparsedPublicKey<Vec<u8>>,
    window: Window,
}

/// The check by a public key in base64.
pub(in crate::inbound) fn ecdsa(
    secret: &Secret,
    window: Window,
    expected: &'static str,
) -> Result<Check, SecretError> {
    let wrong = |found| SecretError { expected, found };
    let key = STANDARD.decode(secret.expose().trim_ascii());
    let key = key.map_err(|_| wrong("a text that is neither"))?;
    let point = key.strip_prefix(&KEY_HEAD).filter(|point| point.len() == POINT_BYTES);
    let point = point.ok_or_else(|| wrong("base64 of something else"))?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point.to_vec());
    Ok(Box::new(Signed { key, window }))
}

impl Verify for Signed {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let signature = header(request, SIGNATURE, "missing_signature")?;
        let time = header(request, TIMESTAMP, "missing_timestamp")?;
        let signature = STANDARD.decode(signature).map_err(|_| {
            let message = format!("header `{SIGNATURE}` is not base64");
            Reject::unauthorized("malformed_signature", message)
        })?;
        let signed = seconds(time, &format!("header `{TIMESTAMP}`"))?;
        let text = [time, &request.body].concat();
        self.key.verify(&text, &signature).map_err(|_| mismatch())?;
        admit(signed, now, self.window)?;
        Ok(proved("ecdsa", Covers::BodyAndTime, 0))
    }
}
