//! What a push is signed with, and the headers that prove it to its endpoint.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use headgate_event::{
    Secret,
    limits::{
        PUSH_HEADER_BYTES_MAX, PUSH_HEADERS_MAX, PUSH_SECRET_BYTES_MAX, PUSH_SECRET_BYTES_MIN,
        PUSH_SECRETS_MAX,
    },
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Base64 as people copy it: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Headers that are ours, or the connection's, to send.
const RESERVED: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authorization",
];

/// What a push is signed with, and the headers that it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    texts: Vec<Secret>,
    secrets: Vec<SigningSecret>,
    headers: BTreeMap<String, Secret>,
}

/// A secret of Standard Webhooks: `whsec_` and its bytes in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecret(Secret);

/// Why credentials cannot be used. It tells no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// There is nothing to sign with, or more than anyone needs.
    #[error("expected 1 to {PUSH_SECRETS_MAX} secrets, found {found}")]
    Secrets {
        /// How many there are.
        found: usize,
    },
    /// A secret is no base64.
    #[error("expected a secret as `whsec_` and base64, found something else")]
    SecretForm,
    /// A secret is shorter or longer than it may be.
    #[error(
        "expected a secret of {PUSH_SECRET_BYTES_MIN} to {PUSH_SECRET_BYTES_MAX} bytes, found one \
         of {found}"
    )]
    SecretLength {
        /// How many bytes it has.
        found: usize,
    },
    /// There are too many headers.
    #[error("expected at most {PUSH_HEADERS_MAX} headers, found {found}")]
    Headers {
        /// How many there are.
        found: usize,
    },
    /// A header has a name that none may have, or one that is ours.
    #[error("expected the name of a header that is free to set, found `{name}`")]
    HeaderName {
        /// The name.
        name: String,
    },
    /// A header has a value that none may have.
    #[error(
        "expected 1 to {PUSH_HEADER_BYTES_MAX} bytes of visible ASCII for header `{name}`, found \
         something else"
    )]
    HeaderValue {
        /// The name of the header.
        name: String,
    },
}

impl CredentialsError {
    /// The field that is to blame.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Secrets { .. } | Self::SecretForm | Self::SecretLength { .. } => "secrets",
            Self::Headers { .. } | Self::HeaderName { .. } | Self::HeaderValue { .. } => "headers",
        }
    }
}

impl Credentials {
    /// Secrets as they are written, and headers by their names.
    pub fn new(
        texts: Vec<Secret>,
        headers: BTreeMap<String, Secret>,
    ) -> Result<Self, CredentialsError> {
        if texts.is_empty() || texts.len() > PUSH_SECRETS_MAX {
            return Err(CredentialsError::Secrets { found: texts.len() });
        }
        if headers.len() > PUSH_HEADERS_MAX {
            return Err(CredentialsError::Headers { found: headers.len() });
        }
        let secrets = texts.iter().map(SigningSecret::read).collect::<Result<_, _>>()?;
        let lower = |(name, value): (String, Secret)| (name.to_ascii_lowercase(), value);
        let headers: BTreeMap<String, Secret> = headers.into_iter().map(lower).collect();
        headers.iter().try_for_each(|(name, value)| header(name, value).map(|_| ()))?;
        Ok(Self { texts, secrets, headers })
    }

    /// The secrets as they are written, and the headers by their names.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Secret>, BTreeMap<String, Secret>) {
        (self.texts, self.headers)
    }

    /// The names of the headers.
    #[must_use]
    pub fn header_names(&self) -> Vec<String> {
        self.headers.keys().cloned().collect()
    }

    /// What is signed with, the first one first.
    pub(crate) fn secrets(&self) -> &[SigningSecret] {
        &self.secrets
    }

    /// The headers to send.
    pub(crate) fn headers(&self) -> HeaderMap {
        // They were checked when they were taken.
        self.headers.iter().filter_map(|(name, value)| header(name, value).ok()).collect()
    }

    /// As the state keeps them.
    pub(crate) fn kept(&self) -> Kept {
        let text = |secret: &Secret| String::from_utf8_lossy(secret.expose()).into_owned();
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), text(value)));
        Kept { secrets: self.texts.iter().map(text).collect(), headers: headers.collect() }
    }

    /// From what the state keeps.
    pub(crate) fn of_kept(Kept { secrets, headers }: Kept) -> Option<Self> {
        let headers = headers.into_iter().map(|(name, value)| (name, Secret::new(value)));
        Self::new(secrets.into_iter().map(Secret::new).collect(), headers.collect()).ok()
    }
}

/// Credentials as the state keeps them.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    secrets: Vec<String>,
    headers: BTreeMap<String, String>,
}

impl SigningSecret {
    /// The secret in a text.
    pub fn read(text: &Secret) -> Result<Self, CredentialsError> {
        let text = text.expose().trim_ascii();
        let base64 = text.strip_prefix(b"whsec_").unwrap_or(text);
        let key = BASE64.decode(base64).map_err(|_| CredentialsError::SecretForm)?;
        if !(PUSH_SECRET_BYTES_MIN..=PUSH_SECRET_BYTES_MAX).contains(&key.len()) {
            return Err(CredentialsError::SecretLength { found: key.len() });
        }
        Ok(Self(Secret::new(key)))
    }

    /// The bytes that sign.
    pub(crate) fn key(&self) -> &[u8] {
        self.0.expose()
    }
}

fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), CredentialsError> {
    let shown: String = name.chars().take(80).collect();
    let ours = RESERVED.contains(&name) || name.starts_with("webhook-") || name.starts_with("ce-");
    let Some(read) = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| !ours) else {
        return Err(CredentialsError::HeaderName { name: shown });
    };
    let bytes = value.expose();
    let fits = (1..=PUSH_HEADER_BYTES_MAX).contains(&bytes.len())
        && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let made = HeaderValue::from_bytes(bytes).ok().filter(|_| fits);
    let mut made = made.ok_or(CredentialsError::HeaderValue { name: shown })?;
    made.set_sensitive(true);
    Ok((read, made))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(secrets: &[&str], headers: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::new(*value));
        let secrets = secrets.iter().map(|text| Secret::new(*text)).collect();
        Credentials::new(secrets, headers.iter().map(header).collect())
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_telling_it() {
        let short = "whsec_c2VjcmV0";
        let many: Vec<&str> = std::iter::repeat_n(GOOD, 9).collect();
        let errors = [
            read(&[], &[]),
            read(&many, &[]),
            read(&["whsec_not base64"], &[]),
            read(&[short], &[]),
            read(&[GOOD], &[("Content-Length", "1")]),
            read(&[GOOD], &[("webhook-id", "1")]),
            read(&[GOOD], &[("a b", "1")]),
            read(&[GOOD], &[("authorization", "Bearer hunter2\r\nx: y")]),
            read(&[GOOD], &[("authorization", "")]),
        ];
        let told: Vec<String> =
            errors.into_iter().map(|error| error.expect_err("refused").to_string()).collect();
        insta::assert_snapshot!("refused", told.join("\n"));
    }

    #[test]
    fn credentials_are_read_as_they_were_kept() {
        let made = read(&[GOOD, GOOD], &[("Authorization", "Bearer hunter2")]).expect("good");
        assert_eq!(made.header_names(), ["authorization"]);
        assert_eq!(Credentials::of_kept(made.kept()), Some(made));
    }

    #[test]
    fn credentials_do_not_print() {
        let made = read(&[GOOD], &[("authorization", "Bearer hunter2")]).expect("good");
        let shown = format!("{made:?} {:?}", made.headers());
        assert!(!shown.contains("hunter2") && !shown.contains("MfKQ"), "{shown}");
    }
}
