//! No proof at all: anyone who knows the URL can send.

use super::{About, Check, Proof, Scheme, SecretError, Signed, Terms, Unsigned};
use crate::provider::{Problems, ProviderText, VerifyTable};
use headgate_event::{Covers, Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use http::HeaderName;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoneTable {
    #[serde(rename = "scheme")]
    _scheme: String,
}

#[derive(Debug)]
struct Unproved;

/// Reads the table, which holds nothing but the name of the scheme.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    text.table::<VerifyTable<NoneTable>>(problems)?;
    Some(Box::new(Unproved))
}

impl Scheme for Unproved {
    fn check(&self, _: &str, _: &Terms) -> Result<Check, (usize, SecretError)> {
        Ok(Box::new(Self))
    }

    fn sign(
        &self,
        _: &Unsigned<'_>,
        _: &Terms,
        _: &Secret,
        _: Timestamp,
    ) -> Result<Signed, SecretError> {
        Ok(Signed::default())
    }

    fn about(&self, _: &RawRequest, _: &Terms) -> About {
        About { scheme: "no proof".to_owned(), ..About::default() }
    }

    fn describe(&self) -> String {
        "none: anyone who knows the URL can send".to_owned()
    }

    fn covers(&self) -> Covers {
        Covers::None
    }

    fn proves(&self) -> bool {
        false
    }

    fn takes_secrets(&self) -> bool {
        false
    }

    fn signs_time(&self) -> bool {
        false
    }

    fn is_proof(&self, _: &HeaderName) -> bool {
        false
    }

    fn covers_header(&self, _: &HeaderName) -> bool {
        false
    }
}

impl Proof for Unproved {}

impl Verify for Unproved {
    fn verify(&self, _: &RawRequest, _: Timestamp) -> Result<Verification, Reject> {
        Ok(Verification::none())
    }
}
