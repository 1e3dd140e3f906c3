//! A shared token in a header: the sender knows it, and that is all it proves.

use super::{
    About, Check, Headers, Known, Names, Scheme, SecretError, Tolerance, Unsigned, header_value,
};
use crate::provider::{Problems, ProviderText, VerifyTable};
use headgate_event::{Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use toml::Spanned;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenTable {
    #[serde(rename = "scheme")]
    _scheme: String,
    header: Spanned<Names>,
    prefix: Option<String>,
}

/// The scheme as one provider uses it.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) header: Headers,
    /// What stands before the token, `Bearer ` for one.
    pub(super) prefix: String,
}

/// The scheme with the tokens of a channel.
struct Prepared {
    token: Token,
    known: Known,
    method: String,
}

/// Reads the `[verify]` table.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    let table = text.table::<VerifyTable<TokenTable>>(problems)?.verify;
    let header = Headers::read(&table.header, problems)?;
    Some(Box::new(Token { header, prefix: table.prefix.unwrap_or_default() }))
}

impl Scheme for Token {
    fn check(
        &self,
        method: &str,
        secrets: &[Secret],
        _: Option<Tolerance>,
    ) -> Result<Check, (usize, SecretError)> {
        if let Some(at) = secrets.iter().position(Secret::is_empty) {
            return Err((at, SecretError::Empty));
        }
        let (token, known) = (self.clone(), Known::of(secrets));
        Ok(Box::new(Prepared { token, known, method: method.to_owned() }))
    }

    fn sign(
        &self,
        _: &Unsigned<'_>,
        secret: &Secret,
        _: Timestamp,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SecretError> {
        if secret.is_empty() {
            return Err(SecretError::Empty);
        }
        let value = [self.prefix.as_bytes(), secret.expose()].concat();
        Ok(vec![header_value(self.header.name(), &value)?])
    }

    fn about(&self, _: &RawRequest, _: &Secret) -> About {
        let prefix = match self.prefix.as_str() {
            "" => String::new(),
            prefix => format!("`{prefix}` and "),
        };
        About {
            scheme: "a shared token".to_owned(),
            proof: self.header.names().cloned().collect(),
            form: format!("{prefix}the secret itself"),
            ..About::default()
        }
    }

    fn describe(&self) -> String {
        format!(
            "a shared token in header `{}`; it covers nothing of what is sent",
            self.header.first
        )
    }

    fn takes_secrets(&self) -> bool {
        true
    }

    fn signs_time(&self) -> bool {
        false
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        self.header.has(header)
    }

    fn covers_header(&self, _: &HeaderName) -> bool {
        false
    }
}

impl Verify for Prepared {
    fn verify(&self, request: &RawRequest, _: Timestamp) -> Result<Verification, Reject> {
        let (name, value) = self.token.header.bytes(request, "missing_token")?;
        let Some(sent) = value.strip_prefix(self.token.prefix.as_bytes()) else {
            let message = format!("header `{name}` does not begin with `{}`", self.token.prefix);
            return Err(Reject::unauthorized("malformed_token", message));
        };
        self.known.proof(sent, &self.method).ok_or_else(|| {
            let message = "the token is none of this channel";
            Reject::unauthorized("token_mismatch", message)
        })
    }
}
