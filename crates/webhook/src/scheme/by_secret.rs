//! Several ways of one sender, told apart by the channel's secret: those with a certain prefix
//! prove in one way, all others in another.
//!
//! The secret decides and never the request: who could choose by the headers that are sent could
//! leave out the signature and guess at the token.

use super::token::Token;
use super::{
    About, Check, Headers, Names, Proof, Scheme, SecretError, Signed, Terms, Tolerance, Unsigned,
    standard_webhooks,
};
use crate::provider::{Problems, ProviderText, VerifyTable};
use headgate_event::{Covers, Secret, Span, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use http::HeaderName;
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

/// A way, and what the secrets that ask for it begin with.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) prefix: String,
    pub(super) scheme: Box<dyn Scheme>,
}

#[derive(Debug)]
struct BySecret {
    ways: Vec<Way>,
    /// The way of every other secret.
    other: Box<dyn Scheme>,
}

/// One check for each secret, in the order of the channel.
struct Prepared(Vec<Check>);

/// Reads the `[verify]` table: signatures by Standard Webhooks, or a token.
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
    let scheme = standard_webhooks::build(tolerance, &at, problems)?;
    let ways = vec![Way { prefix: signing.prefix, scheme }];
    Some(build(ways, Box::new(Token::in_header(header))))
}

/// The scheme of these ways, and of `other` for all other secrets.
pub(super) fn build(ways: Vec<Way>, other: Box<dyn Scheme>) -> Box<dyn Scheme> {
    Box::new(BySecret { ways, other })
}

impl BySecret {
    fn of(&self, secret: &Secret) -> &dyn Scheme {
        let asks = |way: &&Way| secret.expose().starts_with(way.prefix.as_bytes());
        self.ways.iter().find(asks).map_or(&*self.other, |way| &*way.scheme)
    }

    fn all(&self) -> impl Iterator<Item = &dyn Scheme> {
        self.ways.iter().map(|way| &*way.scheme).chain([&*self.other])
    }
}

impl Scheme for BySecret {
    fn check(&self, method: &str, terms: &Terms) -> Result<Check, (usize, SecretError)> {
        let check = |(at, secret): (usize, &Secret)| {
            let one = Terms { secrets: vec![secret.clone()], ..terms.clone() };
            self.of(secret).check(method, &one).map_err(|(_, error)| (at, error))
        };
        let checks = terms.secrets.iter().enumerate().map(check).collect::<Result<_, _>>()?;
        Ok(Box::new(Prepared(checks)))
    }

    fn sign(
        &self,
        request: &Unsigned<'_>,
        terms: &Terms,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Signed, SecretError> {
        self.of(secret).sign(request, terms, secret, now)
    }

    fn about(&self, request: &RawRequest, terms: &Terms) -> About {
        let empty = Secret::new("");
        self.of(terms.secrets.first().unwrap_or(&empty)).about(request, terms)
    }

    fn describe(&self) -> String {
        let mut text = String::new();
        let mut told = std::collections::BTreeSet::new();
        for Way { prefix, scheme } in &self.ways {
            if told.insert(scheme.describe()) {
                text.push_str(&format!("with a secret `{prefix}..`: {}; ", scheme.describe()));
            }
        }
        format!("{text}with any other: {}", self.other.describe())
    }

    fn covers(&self) -> Covers {
        self.other.covers()
    }

    fn takes_secrets(&self) -> bool {
        true
    }

    fn signs_time(&self) -> bool {
        self.all().any(Scheme::signs_time)
    }

    fn tolerance(&self) -> Option<Tolerance> {
        self.all().find_map(Scheme::tolerance)
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        self.all().any(|scheme| scheme.is_proof(header))
    }

    /// What one of the ways does not cover is not covered.
    fn covers_header(&self, header: &HeaderName) -> bool {
        self.all().all(|scheme| scheme.covers_header(header))
    }
}

impl Proof for Prepared {}

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
