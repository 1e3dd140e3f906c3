//! Why a request is taken or refused, step by step, for the person who has to mend it.
//!
//! What is said here is for who has the request and the secret at hand. It shows neither the secret
//! nor a signature that would have been right.

mod cause;
mod place;
mod secrets;
mod steps;
mod variants;

use crate::{
    Provider, SecretError, Terms, Tolerance, Wanted,
    scheme::{About, Check},
};
use headgate_event::{Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject};
use serde::Serialize;

/// Why a request is taken or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether the request proves itself.
    pub verified: bool,
    /// The provider whose scheme was used.
    pub provider: String,
    /// What the scheme does.
    pub scheme: String,
    /// What the proof covers, when it holds.
    pub covers: Option<String>,
    /// Which of the secrets it holds with, counted from 0.
    pub key: Option<u32>,
    /// The code of the refusal, as the sender is told.
    pub code: Option<String>,
    /// The sentence of the refusal.
    pub message: Option<String>,
    /// How old the signed time is, in milliseconds; negative when it is ahead.
    pub age_ms: Option<i64>,
    /// What was looked at, in order.
    pub steps: Vec<Step>,
    /// What most likely is wrong.
    pub likely_cause: Option<String>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What: `scheme`, `header`, `signed`, `signature`, `age` or `secret`.
    pub step: &'static str,
    /// Whether it is as it should be; none for what only tells.
    pub ok: Option<bool>,
    /// What was found.
    pub text: String,
}

/// A channel beside the one that a request came to: its secret may be the one that was used.
#[derive(Clone, Debug)]
pub struct OtherChannel {
    /// Its id.
    pub id: String,
    /// Its secrets.
    pub secrets: Vec<Secret>,
}

/// A request, what it is checked with, and how the check ended.
struct Case<'a> {
    others: &'a [OtherChannel],
    provider: &'a Provider,
    request: &'a RawRequest,
    terms: &'a Terms,
    now: Timestamp,
    about: About,
    outcome: Result<Verification, Reject>,
}

impl Provider {
    /// Why a request of this provider is taken or refused by a channel of these terms at this time.
    #[must_use]
    pub fn explain(&self, request: &RawRequest, terms: &Terms, now: Timestamp) -> Explanation {
        self.explain_among(request, terms, &[], now)
    }

    /// The same, where other channels are known.
    #[must_use]
    pub fn explain_among(
        &self,
        request: &RawRequest,
        terms: &Terms,
        others: &[OtherChannel],
        now: Timestamp,
    ) -> Explanation {
        let mut about = self.scheme.about(request, terms);
        if let (Some((_, usual)), Some(tolerance)) = (&mut about.time, terms.tolerance) {
            *usual = tolerance;
        }
        match self.check(terms) {
            Ok(check) => {
                let outcome = check.verify(request, now).and_then(|verification| {
                    let signed = self.handshakes.has_signed(&request.body);
                    if signed { Err(answered_challenge()) } else { Ok(verification) }
                });
                let case = Case { others, provider: self, request, terms, now, about, outcome };
                case.explained()
            }
            Err((at, error)) => self.unusable(&about, at, &error),
        }
    }

    /// What has to be fetched before such a request can be checked.
    #[must_use]
    pub fn wants(&self, request: &RawRequest, terms: &Terms, now: Timestamp) -> Option<Wanted> {
        self.check(terms).ok()?.wants(request, now).ok()?
    }

    fn check(&self, terms: &Terms) -> Result<Check, (usize, SecretError)> {
        self.scheme.check(self.name(), terms)
    }

    /// What is said when there is no check, because a secret cannot be one.
    fn unusable(&self, about: &About, at: usize, error: &SecretError) -> Explanation {
        let text = format!("secret {} cannot be one of `{}`: {error}", at + 1, self.name());
        Explanation {
            verified: false,
            provider: self.name().to_owned(),
            scheme: about.scheme.clone(),
            covers: None,
            key: None,
            code: None,
            message: None,
            age_ms: None,
            steps: vec![steps::scheme(about), Step::wrong("secret", text)],
            likely_cause: Some("the secret is not the one that the provider shows".to_owned()),
        }
    }
}

/// The refusal of a body that is a challenge which we have signed for whoever asked.
pub(crate) fn answered_challenge() -> Reject {
    let message = "the body is no more than a challenge that was answered";
    Reject::unauthorized("signature_mismatch", message)
}

impl Case<'_> {
    fn explained(&self) -> Explanation {
        let (verification, reject) = match &self.outcome {
            Ok(verification) => (Some(verification), None),
            Err(reject) => (None, Some(reject)),
        };
        Explanation {
            verified: reject.is_none(),
            provider: self.provider.name().to_owned(),
            scheme: self.about.scheme.clone(),
            covers: verification.map(|proved| proved.covers.as_str().to_owned()),
            key: verification.and_then(|proved| proved.key),
            code: reject.map(|reject| reject.code().to_owned()),
            message: reject.map(|reject| reject.message().to_owned()),
            age_ms: self.age_ms(),
            steps: steps::of(self),
            likely_cause: reject.map(|reject| cause::of(self, reject)),
        }
    }

    /// How old the signed time is; negative when it is ahead.
    fn age_ms(&self) -> Option<i64> {
        let (time, _) = self.about.time.as_ref()?;
        Some(self.now.unix_ms().saturating_sub((*time)?.unix_ms()))
    }

    /// Which secret the proof holds with, whatever time it is: of another request, with other
    /// secrets.
    fn holds(&self, request: &RawRequest, secrets: &[Secret]) -> Option<u32> {
        let terms = Terms { secrets: secrets.to_vec(), ..self.terms.clone() };
        self.holds_by(request, terms)
    }

    /// The same by other terms.
    fn holds_by(&self, request: &RawRequest, terms: Terms) -> Option<u32> {
        let any = Tolerance { past: std::time::Duration::MAX, future: std::time::Duration::MAX };
        let check = self.provider.check(&Terms { tolerance: Some(any), ..terms }).ok()?;
        let held = check.verify(request, self.now).ok()?;
        Some(held.key.unwrap_or_default())
    }
}

impl Step {
    fn told(step: &'static str, text: String) -> Self {
        Self { step, ok: None, text }
    }

    fn right(step: &'static str, text: String) -> Self {
        Self { step, ok: Some(true), text }
    }

    fn wrong(step: &'static str, text: String) -> Self {
        Self { step, ok: Some(false), text }
    }
}
