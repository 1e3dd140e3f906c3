//! Two ways of one sender, told apart by the channel's secret: one with a prefix signs by Standard
//! Webhooks, any other is a token.
//!
//! The secret decides and never the request: who could choose by the headers that are sent could
//! leave out the signature and guess at the token.

use super::token::Token;
use super::{
    About, Check, Headers, Names, Scheme, SecretError, Tolerance, Unsigned, standard_webhooks,
};
use crate::provider::{Problems, ProviderText, VerifyTable};
use headgate_event::{Secret, Span, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BySecretTable {
    #[serde(rename = "scheme")]
    _scheme: String,
    signing: Spanned<SigningTable>,
    token: TokenTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningTable {
    prefix: String,
    past: Option<Span>,
    future: Option<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenTable {
    header: Spanned<Names>,
}

#[derive(Debug)]
struct BySecret {
    prefix: String,
    signing: Box<dyn Scheme>,
    token: Token,
}

/// One check for each secret, in the order of the channel.
struct Prepared(Vec<Check>);

/// Reads the `[verify]` table.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    let table = text.table::<VerifyTable<BySecretTable>>(problems)?.verify;
    let (at, signing) = (table.signing.span(), table.signing.into_inner());
    if signing.prefix.is_empty() {
        problems.add(at.clone(), "expected a prefix, found nothing");
    }
    let usual = standard_webhooks::TOLERANCE;
    let tolerance = Tolerance {
        past: signing.past.map_or(usual, |span| span.0),
        future: signing.future.map_or(usual, |span| span.0),
    };
    let header = Headers::read(&table.token.header, problems)?;
    Some(Box::new(BySecret {
        prefix: signing.prefix,
        signing: standard_webhooks::build(tolerance, &at, problems)?,
        token: Token { header, prefix: String::new() },
    }))
}

impl BySecret {
    fn of(&self, secret: &Secret) -> &dyn Scheme {
        if secret.expose().starts_with(self.prefix.as_bytes()) {
            &*self.signing
        } else {
            &self.token
        }
    }
}

impl Scheme for BySecret {
    fn check(
        &self,
        method: &str,
        secrets: &[Secret],
        tolerance: Option<Tolerance>,
    ) -> Result<Check, (usize, SecretError)> {
        let check = |(at, secret): (usize, &Secret)| {
            let one = std::slice::from_ref(secret);
            self.of(secret).check(method, one, tolerance).map_err(|(_, error)| (at, error))
        };
        let checks = secrets.iter().enumerate().map(check).collect::<Result<_, _>>()?;
        Ok(Box::new(Prepared(checks)))
    }

    fn sign(
        &self,
        request: &Unsigned<'_>,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SecretError> {
        self.of(secret).sign(request, secret, now)
    }

    fn about(&self, request: &RawRequest, secret: &Secret) -> About {
        self.of(secret).about(request, secret)
    }

    fn describe(&self) -> String {
        format!(
            "with a secret `{}..`: {}; with any other: {}",
            self.prefix,
            self.signing.describe(),
            self.token.describe()
        )
    }

    fn takes_secrets(&self) -> bool {
        true
    }

    fn signs_time(&self) -> bool {
        self.signing.signs_time()
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        self.signing.is_proof(header) || self.token.is_proof(header)
    }

    /// A token covers none.
    fn covers_header(&self, _: &HeaderName) -> bool {
        false
    }
}

impl Verify for Prepared {
    /// The first secret that holds. Otherwise the first refusal of a proof that was sent, or of
    /// one that was not.
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let mut refusal: Option<Reject> = None;
        for (at, check) in self.0.iter().enumerate() {
            match check.verify(request, now) {
                Ok(verification) => {
                    return Ok(Verification { key: u32::try_from(at).ok(), ..verification });
                }
                Err(reject) => {
                    let missing = |reject: &Reject| reject.code().starts_with("missing_");
                    if refusal.as_ref().is_none_or(|first| missing(first) && !missing(&reject)) {
                        refusal = Some(reject);
                    }
                }
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Reject::unauthorized("no_secret", "there is no secret to check this request by")
        }))
    }
}
