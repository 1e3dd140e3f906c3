//! A request of Slack's, which is proved by a source of its own and not by a provider's file.

use super::Gate;
use crate::{cli::VerifyArguments, failure::Failure};
use headgate_event::{Secret, Timestamp};
use headgate_http::RawRequest;
use headgate_slack::{Explained, Proofs, SigningSecret, explain};
use headgate_webhook::{Explanation, Step};

/// What `--provider` calls it.
pub(super) const NAME: &str = "slack";

/// The secrets of the command line.
pub(super) fn gate(secrets: Vec<Secret>, arguments: &VerifyArguments) -> Result<Gate, Failure> {
    if secrets.is_empty() {
        return Err(Failure::usage("expected --secret-env, found none".to_owned()));
    }
    if let Some(setting) = arguments.setting.first() {
        let name = setting.split('=').next().unwrap_or_default();
        return Err(Failure::usage(format!("provider `{NAME}` has no setting `{name}`")));
    }
    let signing = |secret| SigningSecret { secret, api_app_id: None };
    let signing_secrets = secrets.into_iter().map(signing).collect();
    Ok(Gate::Slack(Proofs { signing_secrets, client_certificate: None }))
}

/// What was found, as for every provider.
pub(super) fn explained(proofs: &Proofs, request: &RawRequest, now: Timestamp) -> Explanation {
    let Explained { outcome, steps, age_ms, likely_cause } = explain(proofs, request, now);
    let (proof, refusal) = (outcome.as_ref().ok(), outcome.as_ref().err());
    Explanation {
        verified: proof.is_some(),
        provider: NAME.to_owned(),
        scheme: "HMAC-SHA256 over `v0:{time}:{body}`".to_owned(),
        covers: proof.map(|proof| proof.covers.as_str().to_owned()),
        key: proof.and_then(|proof| proof.key),
        code: refusal.map(|reject| reject.code().to_owned()),
        message: refusal.map(|reject| reject.message().to_owned()),
        age_ms,
        steps: steps
            .into_iter()
            .map(|(step, ok, text)| Step { step, ok: Some(ok), text })
            .collect(),
        likely_cause,
    }
}
