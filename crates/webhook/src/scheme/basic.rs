//! HTTP Basic (RFC 7617): a user and a password in the `authorization` header.
//!
//! A secret is `user:password`, as it stands in a URL before the `@`.

use super::{
    About, Check, Known, Proof, Scheme, SecretError, Signed, Terms, Unsigned, header_value,
};
use crate::provider::{Problems, ProviderText, VerifyTable};
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::{Covers, Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use http::{HeaderName, header::AUTHORIZATION};
use serde::Deserialize;

/// RFC 7617, section 2: a 401 names the scheme and a realm; many clients send nothing before it.
const CHALLENGE: &str = "Basic realm=\"headgate\", charset=\"UTF-8\"";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BasicTable {
    #[serde(rename = "scheme")]
    _scheme: String,
}

#[derive(Debug)]
struct Basic;

/// The scheme with the users of a channel.
struct Prepared {
    known: Known,
    method: String,
}

/// Reads the table, which holds nothing but the name of the scheme.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    text.table::<VerifyTable<BasicTable>>(problems)?;
    Some(Box::new(Basic))
}

/// RFC 7617, section 2: the user's name has no colon, so the first one ends it.
fn check_form(secret: &Secret) -> Result<(), SecretError> {
    let wrong = |found: &str| SecretError::Form {
        expected: "`user:password`".to_owned(),
        found: found.to_owned(),
    };
    match secret.expose().iter().position(|byte| *byte == b':') {
        _ if secret.is_empty() => Err(SecretError::Empty),
        None => Err(wrong("no colon")),
        Some(at) if at + 1 == secret.expose().len() => Err(wrong("no password after the colon")),
        Some(_) => Ok(()),
    }
}

impl Scheme for Basic {
    fn check(&self, method: &str, terms: &Terms) -> Result<Check, (usize, SecretError)> {
        for (at, secret) in terms.secrets.iter().enumerate() {
            check_form(secret).map_err(|error| (at, error))?;
        }
        Ok(Box::new(Prepared { known: Known::of(&terms.secrets), method: method.to_owned() }))
    }

    fn sign(
        &self,
        _: &Unsigned<'_>,
        _: &Terms,
        secret: &Secret,
        _: Timestamp,
    ) -> Result<Signed, SecretError> {
        check_form(secret)?;
        let value = format!("Basic {}", STANDARD.encode(secret.expose()));
        let headers = vec![header_value(AUTHORIZATION, value.as_bytes())?];
        Ok(Signed { headers, in_body: None })
    }

    fn about(&self, _: &RawRequest, _: &Terms) -> About {
        About {
            scheme: "HTTP Basic".to_owned(),
            proof: vec![AUTHORIZATION],
            form: "`Basic ` and `user:password` in base64".to_owned(),
            ..About::default()
        }
    }

    fn describe(&self) -> String {
        "HTTP Basic, a secret `user:password`; it covers nothing of what is sent".to_owned()
    }

    fn covers(&self) -> Covers {
        Covers::Token
    }

    fn takes_secrets(&self) -> bool {
        true
    }

    fn signs_time(&self) -> bool {
        false
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        *header == AUTHORIZATION
    }

    fn covers_header(&self, _: &HeaderName) -> bool {
        false
    }
}

impl Proof for Prepared {}

impl Verify for Prepared {
    fn verify(&self, request: &RawRequest, _: Timestamp) -> Result<Verification, Reject> {
        self.proved(request).map_err(|reject| reject.with_challenge(CHALLENGE))
    }
}

impl Prepared {
    fn proved(&self, request: &RawRequest) -> Result<Verification, Reject> {
        let value = request.single_header(AUTHORIZATION.as_str())?.filter(|v| !v.is_empty());
        let value = value.ok_or_else(|| {
            let message = "header `authorization` is missing or empty";
            Reject::unauthorized("missing_credentials", message)
        })?;
        let sent = credentials(value).ok_or_else(|| {
            let message = "header `authorization` is not `Basic` and credentials in base64";
            Reject::unauthorized("malformed_credentials", message)
        })?;
        self.known.proof(sent.expose(), &self.method).ok_or_else(|| {
            let message = "the user and password are none of this channel";
            Reject::unauthorized("credentials_mismatch", message)
        })
    }
}

/// What was sent: RFC 9110, section 11.1 takes the word `Basic` in any case.
fn credentials(value: &[u8]) -> Option<Secret> {
    let (word, rest) = value.split_at_checked(5)?;
    let encoded = rest.strip_prefix(b" ").filter(|_| word.eq_ignore_ascii_case(b"basic"))?;
    STANDARD.decode(encoded.trim_ascii()).ok().map(Secret::new)
}
