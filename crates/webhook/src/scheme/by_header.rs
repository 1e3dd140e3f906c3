//! Several versions of one sender's signature, told apart by the header that is sent: the first of
//! the list whose header is there counts, so the newest stands first.
//!
//! All of them are made with the same secrets, so who leaves a newer header out has to have an
//! older signature of the sender's own. It is weaker at most by what that version covers less.

use super::{
    About, Check, Proof, Scheme, SecretError, Signed, Terms, Tolerance, Unsigned,
    signed::{self, SignedTable},
};
use crate::provider::{Problems, ProviderText, VerifyTable};
use headgate_event::{Covers, Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHeaderTable {
    scheme: Spanned<String>,
    version: Vec<VersionTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionTable {
    header: Spanned<String>,
    /// The value that the header has to have; any when none is given.
    is: Option<String>,
    verify: SignedTable,
}

#[derive(Debug)]
struct Version {
    header: HeaderName,
    is: Option<String>,
    scheme: Box<dyn Scheme>,
}

#[derive(Debug)]
struct ByHeader(Vec<Version>);

struct Prepared {
    /// The header, the value it must have, and the check then.
    checks: Vec<(HeaderName, Option<String>, Check)>,
}

/// Reads the `[verify]` table.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    let table = text.table::<VerifyTable<ByHeaderTable>>(problems)?.verify;
    if table.version.is_empty() {
        problems.add(table.scheme.span(), "expected a `version` at least, found none");
        return None;
    }
    let mut versions = Vec::new();
    for VersionTable { header, is, verify } in table.version {
        let name = problems.header(header.get_ref(), header.span())?;
        let scheme = verify.scheme.get_ref().clone();
        versions.push(Version {
            header: name,
            is,
            scheme: signed::build(verify, &scheme, problems)?,
        });
    }
    Some(Box::new(ByHeader(versions)))
}

fn is_sent(request: &RawRequest, header: &HeaderName, is: Option<&str>) -> bool {
    let mut sent = request.headers.get_all(header).iter();
    sent.any(|value| is.is_none_or(|is| value.as_bytes() == is.as_bytes()))
}

impl ByHeader {
    fn of(&self, request: &RawRequest) -> Option<&dyn Scheme> {
        let sent = |version: &&Version| is_sent(request, &version.header, version.is.as_deref());
        self.0.iter().find(sent).or(self.0.first()).map(|version| &*version.scheme)
    }

    fn newest(&self) -> Option<&dyn Scheme> {
        self.0.first().map(|version| &*version.scheme)
    }
}

impl Scheme for ByHeader {
    fn check(&self, method: &str, terms: &Terms) -> Result<Check, (usize, SecretError)> {
        let check = |version: &Version| {
            let check = version.scheme.check(method, terms)?;
            Ok((version.header.clone(), version.is.clone(), check))
        };
        let checks = self.0.iter().map(check).collect::<Result<_, _>>()?;
        Ok(Box::new(Prepared { checks }))
    }

    /// Samples are signed by the newest version.
    fn sign(
        &self,
        request: &Unsigned<'_>,
        terms: &Terms,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Signed, SecretError> {
        let newest = self.newest();
        newest.map_or(Ok(Signed::default()), |scheme| scheme.sign(request, terms, secret, now))
    }

    fn about(&self, request: &RawRequest, terms: &Terms) -> About {
        self.of(request).map_or_else(About::default, |scheme| scheme.about(request, terms))
    }

    fn describe(&self) -> String {
        let told: Vec<String> = self.0.iter().map(|version| version.scheme.describe()).collect();
        format!("the first of these that is sent: {}", told.join("; or "))
    }

    fn covers(&self) -> Covers {
        self.newest().map_or(Covers::None, Scheme::covers)
    }

    fn takes_secrets(&self) -> bool {
        true
    }

    fn needs_url(&self) -> bool {
        self.0.iter().any(|version| version.scheme.needs_url())
    }

    fn signs_time(&self) -> bool {
        self.0.iter().any(|version| version.scheme.signs_time())
    }

    fn tolerance(&self) -> Option<Tolerance> {
        self.0.iter().find_map(|version| version.scheme.tolerance())
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        self.0.iter().any(|version| version.scheme.is_proof(header))
    }

    fn covers_header(&self, header: &HeaderName) -> bool {
        self.0.iter().all(|version| version.scheme.covers_header(header))
    }
}

impl Proof for Prepared {}

impl Verify for Prepared {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let sent = |check: &&(HeaderName, Option<String>, Check)| {
            is_sent(request, &check.0, check.1.as_deref())
        };
        let chosen = self.checks.iter().find(sent).or(self.checks.first());
        match chosen {
            Some((_, _, check)) => check.verify(request, now),
            None => Err(Reject::unauthorized("missing_signature", "no signature is known here")),
        }
    }
}
