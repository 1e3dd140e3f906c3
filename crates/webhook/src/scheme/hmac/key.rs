//! Secrets, digests and their encodings.

use super::{
    super::SecretError,
    content::{Content, Inputs},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use headgate_event::Secret;
use hmac::{KeyInit, Mac};
use serde::Deserialize;
use sha2::{Sha256, Sha512};

/// The digest under the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::scheme) enum Algorithm {
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
    /// The length of the key itself.
    pub(super) bytes_min: usize,
    pub(super) bytes_max: usize,
}

/// A key whose inner state is prepared, so that a request does not pay for it.
#[derive(Clone)]
pub(super) enum Key {
    Sha256(hmac::Hmac<Sha256>),
    Sha512(hmac::Hmac<Sha512>),
}

impl Algorithm {
    /// Its name for people.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Sha256 => "HMAC-SHA256",
            Self::Sha512 => "HMAC-SHA512",
        }
    }

    /// The length of its digest, in bytes.
    pub(super) fn digest_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub(super) fn key(self, bytes: &Secret) -> Key {
        let bytes = bytes.expose();
        match self {
            Self::Sha256 => Key::Sha256(hmac::Hmac::new_from_slice(bytes).expect("any length")),
            Self::Sha512 => Key::Sha512(hmac::Hmac::new_from_slice(bytes).expect("any length")),
        }
    }
}

impl Key {
    /// The digest of what is signed.
    pub(super) fn digest(&self, content: &Content, inputs: &Inputs<'_>) -> Vec<u8> {
        fn run<M: Mac>(mut mac: M, content: &Content, inputs: &Inputs<'_>) -> Vec<u8> {
            for piece in content.pieces(inputs) {
                mac.update(piece);
            }
            mac.finalize().into_bytes().to_vec()
        }
        match self {
            Self::Sha256(mac) => run(mac.clone(), content, inputs),
            Self::Sha512(mac) => run(mac.clone(), content, inputs),
        }
    }
}

impl Encoding {
    /// What a signature looks like, for an answer to its sender.
    pub(super) fn describe(self, bytes: usize) -> String {
        match self {
            Self::Hex => format!("{} lower-case hex digits", bytes * 2),
            Self::HexAnyCase => format!("{} hex digits", bytes * 2),
            Self::Base64 => format!("{bytes} bytes in base64"),
            Self::Base64url => format!("{bytes} bytes in base64url"),
        }
    }

    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex | Self::HexAnyCase => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64url => URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    /// The bytes, when there are exactly so many of them.
    pub(super) fn decode(self, text: &str, bytes: usize) -> Option<Vec<u8>> {
        let decoded = match self {
            Self::Hex if text.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
            Self::Hex | Self::HexAnyCase => hex::decode(text).ok(),
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Base64url => URL_SAFE_NO_PAD.decode(text).ok(),
        };
        decoded.filter(|decoded| decoded.len() == bytes)
    }
}

impl KeyForm {
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

    fn wrong(&self, found: String) -> SecretError {
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
            most => format!(" of {} to {most} bytes", self.bytes_min),
        };
        SecretError::Form { expected: format!("{after}{bytes}"), found }
    }
}
