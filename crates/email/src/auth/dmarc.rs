//! DMARC (RFC 9989): whether the domain of the one author stands behind a message. The policy is
//! found and alignment judged by `mail-auth`.

use super::{
    UNKNOWN,
    dkim::Outcomes,
    spf::{self, Verdict},
};
use headgate_event::data::AuthResult;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DmarcResult, DnsError, Error, MessageAuthenticator,
    SpfOutput, SpfResult, dkim::Signature, dmarc::verify::DmarcParameters,
};

/// The verdict on a message of this author. One without an author, or with several, has none that
/// could be proved.
pub(super) async fn judge(
    by: &MessageAuthenticator,
    author: Option<&str>,
    spf: &spf::Outcome,
    dkim: &Outcomes,
) -> AuthResult {
    let Some(author) = author else { return shown("permerror", None) };
    let domain = domain_of(author);
    // The library sees our reading of the author, so that no other one can be meant.
    let message = AuthenticatedMessage { from: vec![author.to_owned()], ..Default::default() };
    let signatures: Vec<(Signature, &str)> = dkim
        .0
        .iter()
        .filter_map(|one| {
            let signature = Signature { d: one.domain.clone()?, ..Signature::default() };
            Some((signature, one.verdict))
        })
        .collect();
    let outputs: Vec<DkimOutput<'_>> = signatures
        .iter()
        .map(|(signature, verdict)| {
            match *verdict {
                "pass" => DkimOutput::pass(),
                UNKNOWN => DkimOutput::temp_err(silent()),
                _ => DkimOutput::fail(Error::NotAligned),
            }
            .with_signature(signature)
        })
        .collect();
    let sender = spf.domain.clone().unwrap_or_default();
    let output = SpfOutput::new(sender.clone()).with_result(result(spf.verdict));
    let parameters = DmarcParameters::new(&message, &outputs, &sender, &output);
    let judged = by.verify_dmarc(parameters).await;
    let verdict = match judged.result() {
        DmarcResult::Pass => "pass",
        DmarcResult::Fail(_) => "fail",
        DmarcResult::TempError(_) => UNKNOWN,
        DmarcResult::PermError(_) => "permerror",
        DmarcResult::None => "none",
    };
    shown(verdict, domain)
}

/// The verdict where there was no time.
pub(super) fn unknown(author: Option<&str>) -> AuthResult {
    shown(UNKNOWN, author.and_then(domain_of))
}

fn domain_of(author: &str) -> Option<&str> {
    author.rsplit_once('@').map(|(_, domain)| domain)
}

fn shown(verdict: &str, domain: Option<&str>) -> AuthResult {
    AuthResult { verdict: verdict.to_owned(), domain: domain.map(str::to_lowercase) }
}

fn silent() -> Error {
    Error::Dns(DnsError::Resolver("no answer in time".to_owned()))
}

fn result(verdict: Verdict) -> SpfResult {
    match verdict {
        Verdict::Pass => SpfResult::Pass,
        Verdict::Fail => SpfResult::Fail,
        Verdict::SoftFail => SpfResult::SoftFail,
        Verdict::Neutral => SpfResult::Neutral,
        Verdict::None => SpfResult::None,
        Verdict::TempError => SpfResult::TempError,
        Verdict::PermError => SpfResult::PermError,
    }
}
