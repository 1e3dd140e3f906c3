//! Why a request is taken or refused, step by step, for who debugs an app. No secret and no
//! signature that would have been right is in it.

use crate::verify::{
    CERTIFICATE, Check, ClientCertificate, Keys, Peer, Presented, SIGNATURE, SigningSecret,
    TIMESTAMP,
};
use headgate_event::{Secret, Timestamp, Verification, limits::SLACK_SIGNED_AGE_S_MAX};
use headgate_http::{RawRequest, Reject, Verify};

/// Why a request is taken or refused.
#[derive(Clone, Debug)]
pub struct Explained {
    /// How it ended: as it does for a channel with these secrets.
    pub outcome: Result<Verification, Reject>,
    /// What was looked at, in order: what, whether it is as it should be, and what was found.
    pub steps: Vec<(&'static str, bool, String)>,
    /// How old the signed time is, in milliseconds; negative when it is ahead.
    pub age_ms: Option<i64>,
    /// What most likely is wrong.
    pub likely_cause: Option<String>,
}

/// What a channel asks of a request.
#[derive(Clone, Debug)]
pub struct Proofs {
    /// The secrets, one of which signed it.
    pub signing_secrets: Vec<SigningSecret>,
    /// What a proxy has to say of the client's certificate besides.
    pub client_certificate: Option<ClientCertificate>,
}

/// Checks a request as a channel that asks for these proofs does at `now`, and says what was found.
/// The request is taken as one that a trusted proxy brought.
#[must_use]
pub fn explain(proofs: &Proofs, request: &RawRequest, now: Timestamp) -> Explained {
    let Proofs { signing_secrets: secrets, client_certificate } = proofs;
    let keys = Keys::new(secrets);
    let check = Check { keys: &keys, certificate: None, peer: Peer::Proxy };
    let whole = Check { certificate: client_certificate.as_ref(), ..check };
    let outcome = whole.verify(request, now);
    let mut steps = Vec::new();
    if let Some(ClientCertificate { header, name }) = client_certificate {
        let shown = whole.certificate(request);
        let found = match &shown {
            Ok(()) => format!("`{header}` names `{name}`, and is believed of a trusted proxy"),
            Err(reject) => format!("`{header}`: {}", reject.message()),
        };
        steps.push(("proxy", shown.is_ok(), found));
    }
    for name in [SIGNATURE, TIMESTAMP] {
        let (ok, found) = match request.single_header(name) {
            Ok(Some(value)) => (true, format!("`{name}` is there, {} bytes", value.len())),
            Ok(None) => (false, format!("`{name}` is missing")),
            Err(_) => (false, format!("`{name}` is there more than once")),
        };
        steps.push(("header", ok, found));
    }
    let mut age_ms = None;
    match Presented::read(request) {
        Err(reject) => steps.push(("header", false, reject.message().to_owned())),
        Ok(presented) => {
            let body = request.body.len();
            let signed = format!("`v0:`, the time, `:`, and {body} bytes of body");
            steps.push(("signed", true, signed));
            let signed_by = check.at_any_age(request);
            let found = match &signed_by {
                Ok(verification) => {
                    format!("made with secret {}", verification.key.unwrap_or_default() + 1)
                }
                Err(reject) => reject.message().to_owned(),
            };
            steps.push(("signature", signed_by.is_ok(), found));
            let age = now.unix_ms().saturating_sub(presented.time().unix_ms());
            age_ms = Some(age);
            let ok = presented.admits(now).is_ok();
            let most = SLACK_SIGNED_AGE_S_MAX;
            let found = format!("signed {} s before, {most} either way are allowed", age / 1_000);
            steps.push(("age", ok, found));
        }
    }
    let wrong = outcome.as_ref().err();
    let likely_cause = wrong.and_then(|reject| match reject.code() {
        CERTIFICATE => Some(BY_PROXY.to_owned()),
        _ => cause(secrets, request),
    });
    Explained { outcome, steps, age_ms, likely_cause }
}

const BY_PROXY: &str = "the proxy does not ask Slack for its certificate, or names it in another \
                        header; or the request came around the proxy";

/// What would have been signed if one thing were another.
fn cause(secrets: &[SigningSecret], request: &RawRequest) -> Option<String> {
    let signs = |secrets: &[SigningSecret], body: &[u8]| {
        let keys = Keys::new(secrets);
        let request = RawRequest { body: body.to_vec().into(), ..request.clone() };
        let check = Check { keys: &keys, certificate: None, peer: Peer::Other };
        check.at_any_age(&request).is_ok()
    };
    if signs(secrets, &request.body) {
        let clock = "its clock or this one is off, or the request was kept for a while; `--at` \
                     says when it came";
        return Some(clock.to_owned());
    }
    if request.single_header(SIGNATURE).ok()?.is_none() {
        return Some("a proxy took the header away, or it is not from Slack".to_owned());
    }
    let trimmed: Vec<SigningSecret> = secrets.iter().map(without_space).collect();
    if signs(&trimmed, &request.body) {
        return Some("the secret has space or a line end around it".to_owned());
    }
    let body = &request.body;
    let ends: [(&[u8], &str); 2] = [
        (body.trim_ascii_end(), "the file has a line end after the body that was not sent"),
        (body.trim_ascii(), "the file has space around the body that was not sent"),
    ];
    let found = ends.iter().find(|(body, _)| signs(secrets, body)).map(|(_, cause)| *cause);
    let compact = serde_json::from_slice::<serde_json::Value>(body).ok();
    let compact = compact.map(|json| json.to_string());
    let rewritten = compact.is_some_and(|json| signs(secrets, json.as_bytes()));
    let cause = match found {
        Some(cause) => cause,
        None if rewritten => "the body was read and written again; what is signed is its bytes",
        None => {
            "another secret: the signing secret is under `Basic Information`, and is neither a \
             token nor the client secret; or the body is not as it was sent"
        }
    };
    Some(cause.to_owned())
}

fn without_space(secret: &SigningSecret) -> SigningSecret {
    let trimmed = Secret::new(secret.secret.expose().trim_ascii().to_vec());
    SigningSecret { secret: trimmed, api_app_id: secret.api_app_id.clone() }
}
