//! Secrets, digests and their encodings.

use super::{super::SecretError, content::Piece};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use headgate_event::Secret;
use hmac::{KeyInit, Mac};
use ring::{
    hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY as HMAC_SHA1,
    signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};
use std::ops::RangeInclusive;
use subtle::{Choice, ConstantTimeEq};

/// What stands before the point in a public key of P-256 (RFC 5480, section 2): the ids of the kind
/// of key and of the curve, and the length of the bits.
const P256_HEAD: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// What makes a signature out of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scheme) enum Algorithm {
    Hmac(Hash),
    /// A digest of the secret and what is signed, one after the other.
    Concat,
    Ed25519,
    /// On P-256 over SHA-256, in DER.
    Ecdsa,
    /// PKCS#1 v1.5, under the key of a certificate.
    Rsa,
}

/// The digest of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::scheme) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::scheme) enum Encoding {
    /// Lower-case hexadecimal, so that one signature has one spelling.
    Hex,
    /// Hexadecimal in either case, for senders that write upper case.
    HexAnyCase,
    /// With padding.
    Base64,
    /// With `-` and `_`, without padding.
    Base64url,
}

/// How a secret becomes a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::scheme) enum KeyEncoding {
    /// The secret's own bytes.
    #[default]
    Utf8,
    Hex,
    Base64,
}

/// The form of a provider's secrets.
#[derive(Clone, Debug)]
pub(super) struct KeyForm {
    pub(super) encoding: KeyEncoding,
    /// What stands before the encoded key.
    pub(super) prefix: Option<String>,
    /// What stands before a private key, where that is another.
    pub(super) private_prefix: Option<String>,
    /// The length of the key itself.
    pub(super) bytes_min: usize,
    pub(super) bytes_max: usize,
}

/// A key whose inner state is prepared, so that a request does not pay for it.
pub(super) enum Key {
    Sha1(ring::hmac::Key),
    Sha256(hmac::Hmac<Sha256>),
    Sha512(hmac::Hmac<Sha512>),
    Concat(Secret),
    Public(UnparsedPublicKey<Vec<u8>>),
}

impl Algorithm {
    /// Its name for people.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Hmac(Hash::Sha1) => "HMAC-SHA1",
            Self::Hmac(Hash::Sha256) => "HMAC-SHA256",
            Self::Hmac(Hash::Sha512) => "HMAC-SHA512",
            Self::Concat => "SHA-256 with the secret in front",
            Self::Ed25519 => "Ed25519",
            Self::Ecdsa => "ECDSA on P-256 with SHA-256",
            Self::Rsa => "RSA (PKCS#1 v1.5)",
        }
    }

    /// The length of its signatures, in bytes.
    pub(super) fn signature_bytes(self) -> RangeInclusive<usize> {
        match self {
            Self::Hmac(Hash::Sha1) => 20..=20,
            Self::Hmac(Hash::Sha256) | Self::Concat => 32..=32,
            Self::Hmac(Hash::Sha512) | Self::Ed25519 => 64..=64,
            // Two integers of at most 33 bytes, and what DER says of them.
            Self::Ecdsa => 8..=72,
            Self::Rsa => 256..=1024,
        }
    }

    /// Whether a secret of the channel is no secret but the sender's public key.
    pub(super) fn is_public(self) -> bool {
        matches!(self, Self::Ed25519 | Self::Ecdsa | Self::Rsa)
    }
}

impl Key {
    /// The key in a secret of the channel.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub(super) fn of(
        algorithm: Algorithm,
        form: &KeyForm,
        secret: &Secret,
    ) -> Result<Self, SecretError> {
        let key = form.decode(secret)?;
        let bytes = key.expose();
        Ok(match algorithm {
            Algorithm::Hmac(Hash::Sha1) => Self::Sha1(ring::hmac::Key::new(HMAC_SHA1, bytes)),
            Algorithm::Hmac(Hash::Sha256) => {
                Self::Sha256(hmac::Hmac::new_from_slice(bytes).expect("any length"))
            }
            Algorithm::Hmac(Hash::Sha512) => {
                Self::Sha512(hmac::Hmac::new_from_slice(bytes).expect("any length"))
            }
            Algorithm::Concat => Self::Concat(key),
            Algorithm::Ed25519 => Self::Public(UnparsedPublicKey::new(&ED25519, bytes.to_vec())),
            Algorithm::Ecdsa => {
                let Some(point) = bytes.strip_prefix(P256_HEAD).filter(|p| p.len() == 65) else {
                    return Err(form.wrong("another key than one of P-256".to_owned()));
                };
                Self::Public(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point.to_vec()))
            }
            Algorithm::Rsa => {
                Self::Public(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, bytes.to_vec()))
            }
        })
    }

    /// Whether one of the signatures was made with this key. All of them are looked at.
    pub(super) fn made(&self, pieces: &[Piece<'_>], signatures: &[Vec<u8>]) -> bool {
        let Self::Public(key) = self else {
            let digest = self.digest(pieces);
            let equal: Vec<Choice> = signatures.iter().map(|found| found.ct_eq(&digest)).collect();
            return equal.into_iter().fold(Choice::from(0), |any, one| any | one).into();
        };
        let message = joined(pieces);
        signatures.iter().any(|found| key.verify(&message, found).is_ok())
    }

    /// The digest of what is signed; nothing under a public key, which makes none.
    pub(super) fn digest(&self, pieces: &[Piece<'_>]) -> Vec<u8> {
        fn run<M: Mac>(mut mac: M, pieces: &[Piece<'_>]) -> Vec<u8> {
            pieces.iter().for_each(|piece| mac.update(piece.bytes(b"")));
            mac.finalize().into_bytes().to_vec()
        }
        match self {
            Self::Sha1(key) => {
                let mut mac = ring::hmac::Context::with_key(key);
                pieces.iter().for_each(|piece| mac.update(piece.bytes(b"")));
                mac.sign().as_ref().to_vec()
            }
            Self::Sha256(mac) => run(mac.clone(), pieces),
            Self::Sha512(mac) => run(mac.clone(), pieces),
            Self::Concat(secret) => {
                let mut digest = Sha256::new();
                pieces.iter().for_each(|piece| digest.update(piece.bytes(secret.expose())));
                digest.finalize().to_vec()
            }
            Self::Public(_) => Vec::new(),
        }
    }
}

/// What is signed, in one piece.
pub(super) fn joined(pieces: &[Piece<'_>]) -> Vec<u8> {
    pieces.iter().map(|piece| piece.bytes(b"")).collect::<Vec<_>>().concat()
}

impl Piece<'_> {
    /// Its bytes, with the secret where that belongs.
    fn bytes<'b>(&'b self, secret: &'b [u8]) -> &'b [u8] {
        match self {
            Piece::Bytes(bytes) => bytes,
            Piece::Secret => secret,
        }
    }
}

impl Encoding {
    /// What a signature looks like, for an answer to its sender.
    pub(super) fn describe(self, algorithm: Algorithm) -> String {
        let bytes = algorithm.signature_bytes();
        let (least, most) = bytes.into_inner();
        let count = |times: usize| match least {
            least if least == most => format!("{}", most * times),
            least => format!("{} to {}", least * times, most * times),
        };
        match self {
            Self::Hex => format!("{} lower-case hex digits", count(2)),
            Self::HexAnyCase => format!("{} hex digits", count(2)),
            Self::Base64 => format!("{} bytes in base64", count(1)),
            Self::Base64url => format!("{} bytes in base64url", count(1)),
        }
    }

    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex | Self::HexAnyCase => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64url => URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    /// The bytes, when they can be a signature.
    pub(super) fn decode(self, text: &str, algorithm: Algorithm) -> Option<Vec<u8>> {
        let decoded = match self {
            Self::Hex if text.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
            Self::Hex | Self::HexAnyCase => hex::decode(text).ok(),
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Base64url => URL_SAFE_NO_PAD.decode(text).ok(),
        };
        decoded.filter(|decoded| algorithm.signature_bytes().contains(&decoded.len()))
    }
}

impl KeyForm {
    /// The form of the private half.
    pub(super) fn private(&self) -> Self {
        let prefix = self.private_prefix.clone().or_else(|| self.prefix.clone());
        Self { prefix, bytes_min: 32, bytes_max: 8192, ..self.clone() }
    }

    /// The key in a secret.
    pub(super) fn decode(&self, secret: &Secret) -> Result<Secret, SecretError> {
        if secret.is_empty() {
            return Err(SecretError::Empty);
        }
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let Some(text) = secret.expose().strip_prefix(prefix.as_bytes()) else {
            return Err(self.wrong(format!("a secret that does not begin with `{prefix}`")));
        };
        let key = match self.encoding {
            KeyEncoding::Utf8 => Some(Secret::new(text)),
            KeyEncoding::Hex => hex::decode(text).ok().map(Secret::new),
            KeyEncoding::Base64 => STANDARD.decode(text).ok().map(Secret::new),
        };
        let Some(key) = key else {
            return Err(self.wrong("other characters".to_owned()));
        };
        let bytes = key.expose().len();
        if !(self.bytes_min..=self.bytes_max).contains(&bytes) {
            return Err(self.wrong(format!("a key of {bytes} bytes")));
        }
        Ok(key)
    }

    pub(super) fn wrong(&self, found: String) -> SecretError {
        let form = match self.encoding {
            KeyEncoding::Utf8 => "text",
            KeyEncoding::Hex => "hexadecimal",
            KeyEncoding::Base64 => "base64",
        };
        let after = match &self.prefix {
            Some(prefix) => format!("`{prefix}` and {form}"),
            None => form.to_owned(),
        };
        let bytes = match self.bytes_max {
            usize::MAX if self.bytes_min <= 1 => String::new(),
            usize::MAX => format!(" of at least {} bytes", self.bytes_min),
            most if most == self.bytes_min => format!(" of {most} bytes"),
            most => format!(" of {} to {most} bytes", self.bytes_min),
        };
        SecretError::Form { expected: format!("{after}{bytes}"), found }
    }
}
