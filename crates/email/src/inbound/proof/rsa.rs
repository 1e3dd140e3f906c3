//! RSA with PKCS #1 padding over the body, as Postal signs.

use super::{SecretError, mismatch, proved};
use crate::inbound::provider::Check;
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::{Covers, Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use ring::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RsaParameters, UnparsedPublicKey,
};

/// The object identifier of RSA with its parameters, in DER (RFC 3279, 2.3.1).
const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A header with a signature, and the digest that it is over. Those with SHA-1 come from versions
/// that know no other.
#[derive(Clone, Copy, Debug)]
pub(in crate::inbound) struct RsaHeader {
    name: &'static str,
    parameters: &'static RsaParameters,
}

impl RsaHeader {
    pub(in crate::inbound) const SHA256: Self = Self {
        name: "x-postal-signature-256",
        parameters: &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    };
    pub(in crate::inbound) const SHA1: Self = Self {
        name: "x-postal-signature",
        parameters: &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    };
}

struct Signed {
    /// As PKCS #1 has it.
    key: Vec<u8>,
    headers: &'static [RsaHeader],
}

/// The check by a public key in base64, as a DKIM record has it; of the headers the first that is
/// sent counts.
pub(in crate::inbound) fn rsa(
    secret: &Secret,
    headers: &'static [RsaHeader],
    expected: &'static str,
) -> Result<Check, SecretError> {
    let wrong = |found| SecretError { expected, found };
    let key = STANDARD.decode(secret.expose().trim_ascii());
    let key = key.map_err(|_| wrong("a text that is neither"))?;
    let key = pkcs1(&key).ok_or_else(|| wrong("base64 of something else"))?.to_vec();
    Ok(Box::new(Signed { key, headers }))
}

/// The key inside of a SubjectPublicKeyInfo (RFC 5280, 4.1), which is in DER.
fn pkcs1(info: &[u8]) -> Option<&[u8]> {
    let inner = contents(info, 0x30)?.strip_prefix(RSA_ALGORITHM)?;
    // The first byte of a bit string counts the bits that its last byte has too many.
    contents(inner, 0x03)?.strip_prefix(&[0])
}

/// What is in the one value of this tag that a text of DER is.
fn contents(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (length, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match usize::from(*length) {
        short @ 0..=0x7f => (short, rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(long & 0x7f)?;
            let value = bytes.iter().try_fold(0usize, |sum, byte| {
                sum.checked_mul(256)?.checked_add(usize::from(*byte))
            })?;
            (value, rest)
        }
    };
    (rest.len() == length).then_some(rest)
}

impl Verify for Signed {
    fn verify(&self, request: &RawRequest, _: Timestamp) -> Result<Verification, Reject> {
        for header in self.headers {
            let Some(value) = request.single_header(header.name)? else { continue };
            let signature = STANDARD.decode(value.trim_ascii()).map_err(|_| {
                let message = format!("header `{}` is not base64", header.name);
                Reject::unauthorized("malformed_signature", message)
            })?;
            let key = UnparsedPublicKey::new(header.parameters, &self.key);
            key.verify(&request.body, &signature).map_err(|_| mismatch())?;
            return Ok(proved("rsa", Covers::Body, 0));
        }
        let names: Vec<_> = self.headers.iter().map(|header| header.name).collect();
        let message = format!("header `{}` is missing", names.join("` or `"));
        Err(Reject::unauthorized("missing_signature", message))
    }
}
