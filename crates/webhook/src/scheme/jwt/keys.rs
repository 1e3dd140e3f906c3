//! The keys of a sender, as JSON Web Keys (RFC 7517).

use super::SecretError;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use headgate_event::Secret;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

/// The algorithms that a provider file may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
}

/// Keys, each as it is written.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Value>);

impl Algorithm {
    /// Its name in tokens.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    fn verifies(self, key: &Value, message: &[u8], signature: &[u8]) -> bool {
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
        let is = |name: &str, value: &str| key.get(name).and_then(Value::as_str) == Some(value);
        match self {
            Self::Rs256 if is("kty", "RSA") => {
                let (Some(n), Some(e)) = (part("n"), part("e")) else { return false };
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Self::Es256 if is("kty", "EC") && is("crv", "P-256") => {
                let (Some(x), Some(y)) = (part("x"), part("y")) else { return false };
                let point = [&[4][..], &x, &y].concat();
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

impl KeySet {
    pub(super) fn of(keys: Vec<Value>) -> Self {
        Self(keys)
    }

    /// The keys of a set, `{"keys": [..]}`; none when it is no such thing.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let read: Option<Value> = serde_json::from_slice(bytes).ok();
        Self(read.map(keys_in).unwrap_or_default())
    }

    /// Whether there is a key of this name.
    pub(super) fn has(&self, key_id: Option<&str>) -> bool {
        self.0.iter().any(|key| is_named(key, key_id))
    }

    /// Which of the keys of this name made a signature.
    pub(super) fn made(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Option<usize> {
        let made =
            |key: &Value| is_named(key, key_id) && algorithm.verifies(key, message, signature);
        self.0.iter().position(made)
    }
}

/// A key without a name, or a token that names none, fits any.
fn is_named(key: &Value, key_id: Option<&str>) -> bool {
    match (key.get("kid").and_then(Value::as_str), key_id) {
        (Some(name), Some(asked)) => name == asked,
        _ => true,
    }
}

fn keys_in(value: Value) -> Vec<Value> {
    match value {
        Value::Object(mut object) => match object.remove("keys") {
            Some(Value::Array(keys)) => keys,
            Some(_) => Vec::new(),
            None => vec![Value::Object(object)],
        },
        _ => Vec::new(),
    }
}

/// The keys in a secret: a JSON Web Key, or a set of them.
pub(super) fn of_secret(secret: &Secret) -> Result<Vec<Value>, SecretError> {
    if secret.is_empty() {
        return Err(SecretError::Empty);
    }
    let read: Option<Value> = serde_json::from_slice(secret.expose()).ok();
    let keys = read.map(keys_in).unwrap_or_default();
    let has_kind = |key: &Value| key.get("kty").is_some_and(Value::is_string);
    if keys.is_empty() || !keys.iter().all(has_kind) {
        return Err(SecretError::Form {
            expected: "a JSON Web Key, or a set of them".to_owned(),
            found: "something else".to_owned(),
        });
    }
    Ok(keys)
}

/// The private key in a secret, for samples.
pub(super) fn private(secret: &Secret) -> Result<Secret, SecretError> {
    STANDARD.decode(secret.expose()).map(Secret::new).map_err(|_| wrong("other characters"))
}

pub(super) fn wrong(found: &str) -> SecretError {
    SecretError::Form {
        expected: "a private key, PKCS#8 in base64".to_owned(),
        found: found.to_owned(),
    }
}
