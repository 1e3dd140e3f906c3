//! DKIM (RFC 6376): who signed a message, by `mail-auth`, with guards around it.
//!
//! Not left to the library: which signatures count at all (RFC 6376, 6.1.1; RFC 8301), whether one
//! has run out at the time the message came, how many are looked at, the hash of a relaxed body
//! that ends in lines of white space, which version 0.13.3 gets wrong, and whether what it reads as
//! the header is what the event's reader does.

use super::{Case, UNKNOWN, Whole};
use headgate_event::{
    Timestamp,
    data::AuthResult,
    limits::{DKIM_SIGNATURES_MAX, DKIM_SIGNED_HEADERS_MAX, MAIL_HEADERS_MAX},
};
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator,
    common::crypto::{Algorithm, HashAlgorithm},
    dkim::{Canonicalization, Signature},
};

/// What a body is for its signatures.
#[derive(Debug)]
pub(super) enum Hashed {
    /// There is nothing that could be signed.
    Nothing,
    /// Two readers could see another message: its signatures say nothing.
    Unreadable,
    /// The hash of the body for each way that a signature asks for.
    Bodies(Vec<BodyHash>),
}

/// A way to hash a body, with the length that it is cut at, and what comes of it.
type BodyHash = (Canonicalization, HashAlgorithm, u64, Vec<u8>);

impl Hashed {
    /// Hashes the body. `body` is where the event's reader sees it begin.
    pub(super) fn of(raw: &[u8], body: usize, has_author: bool) -> Self {
        let Some(mut parsed) = AuthenticatedMessage::parse(raw) else { return Self::Nothing };
        if !is_read_alike(&parsed, body, has_author) {
            return Self::Unreadable;
        }
        mend_relaxed_hashes(&mut parsed);
        Self::Bodies(parsed.body_hashes)
    }
}

/// A message as its signatures are over it.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    /// What is left to be verified; none where nothing is to be.
    parsed: Option<AuthenticatedMessage<'a>>,
    /// What was refused without being verified.
    refused: Vec<Signed>,
}

/// The outcome of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) verdict: &'static str,
    pub(super) domain: Option<String>,
}

/// The outcomes of all signatures.
#[derive(Debug, Default)]
pub(super) struct Outcomes(pub(super) Vec<Signed>);

impl<'a> Message<'a> {
    /// Reads the header block. The body is not read again: only its hashes count.
    pub(super) fn read(case: &'a Case, whole: &Whole) -> Self {
        let hashes = match &whole.hashed {
            Hashed::Nothing => return Self::default(),
            Hashed::Unreadable => {
                return Self { parsed: None, refused: vec![Signed::of("permerror", None)] };
            }
            Hashed::Bodies(hashes) => hashes.clone(),
        };
        let head = case.raw.get(..whole.body).unwrap_or_default();
        let Some(mut parsed) = AuthenticatedMessage::parse(head) else { return Self::default() };
        parsed.body_hashes = hashes;
        let mut refused: Vec<Signed> =
            parsed.errors.iter().filter(|one| is_signature(one.name)).map(|_| BROKEN).collect();
        let headers = parsed.headers.len();
        let mut looked_at = 0;
        parsed.dkim_headers.retain_mut(|header| {
            looked_at += 1;
            let signature = &mut header.header;
            let verdict = if looked_at > DKIM_SIGNATURES_MAX || headers > MAIL_HEADERS_MAX {
                "policy"
            } else if !is_valid(signature) {
                "permerror"
            } else if has_run_out(signature, case.received_at) {
                "neutral"
            } else {
                // The library would judge it by the time of this moment.
                signature.x = 0;
                return true;
            };
            if looked_at <= DKIM_SIGNATURES_MAX {
                refused.push(Signed::of(verdict, Some(&signature.d)));
            }
            false
        });
        refused.truncate(DKIM_SIGNATURES_MAX);
        Self { parsed: Some(parsed), refused }
    }

    /// Verifies what is to be verified.
    pub(super) async fn verify(&self, by: &MessageAuthenticator) -> Outcomes {
        let mut outcomes = self.refused.clone();
        if let Some(parsed) = self.parsed.as_ref().filter(|parsed| !parsed.dkim_headers.is_empty())
        {
            // What could not be parsed is told of already.
            let verified = by.verify_dkim(parsed).await;
            let signed = verified.iter().filter_map(|output| {
                Some(Signed::of(verdict(output.result()), Some(&output.signature()?.d)))
            });
            outcomes.extend(signed);
        }
        Outcomes(outcomes)
    }

    /// The outcomes where there was no time.
    pub(super) fn unknown(&self) -> Outcomes {
        let mut outcomes = self.refused.clone();
        let headers = self.parsed.iter().flat_map(|parsed| &parsed.dkim_headers);
        outcomes.extend(headers.map(|header| Signed::of(UNKNOWN, Some(&header.header.d))));
        Outcomes(outcomes)
    }
}

/// A signature that cannot be read.
const BROKEN: Signed = Signed { verdict: "permerror", domain: None };

fn is_signature(name: &[u8]) -> bool {
    name.trim_ascii().eq_ignore_ascii_case(b"dkim-signature")
}

/// Whether header and author are the same to the library and to the event's reader. Where one goes
/// on reading fields after a line that is none, and the other does not, a signed message could hang
/// behind a header that nobody signed.
fn is_read_alike(parsed: &AuthenticatedMessage<'_>, body: usize, has_author: bool) -> bool {
    let is_author = |name: &[u8]| name.trim_ascii().eq_ignore_ascii_case(b"from");
    let authors = parsed.headers.iter().filter(|(name, _)| is_author(name)).count();
    parsed.body_offset as usize == body && (!has_author || authors == 1)
}

/// Whether a signature is one that may be verified.
fn is_valid(signature: &Signature) -> bool {
    let lists_author = signature.h.iter().any(|name| name.trim().eq_ignore_ascii_case("from"));
    // RFC 6376, 3.5: the agent is of the signing domain or of one below it.
    let domain = signature.d.to_ascii_lowercase();
    let agent = signature.i.rsplit_once('@').map(|(_, agent)| agent.to_ascii_lowercase());
    let agent_fits = agent.is_none_or(|agent| {
        agent.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    signature.v == 1
        && lists_author
        && agent_fits
        && signature.h.len() <= DKIM_SIGNED_HEADERS_MAX
        // RFC 8301, 3.1: what is signed with SHA-1 counts as not signed.
        && signature.a != Algorithm::RsaSha1
}

/// RFC 6376, 3.5: `x=` is later than `t=`, and is not over.
fn has_run_out(signature: &Signature, at: Timestamp) -> bool {
    let now = u64::try_from(at.unix_s()).unwrap_or_default();
    signature.x != 0 && (signature.x <= signature.t || signature.x <= now)
}

/// Hashes relaxed bodies without the lines of white space at their end, which RFC 6376, 3.4.4 makes
/// empty lines before it leaves empty lines out.
fn mend_relaxed_hashes(parsed: &mut AuthenticatedMessage<'_>) {
    let body = parsed.raw_message.get(parsed.body_offset as usize..).unwrap_or_default();
    let kept = without_blank_end(body);
    if kept.len() == body.len() {
        return;
    }
    for (canonicalization, algorithm, _, hash) in &mut parsed.body_hashes {
        if *canonicalization == Canonicalization::Relaxed {
            let hashed = algorithm.hash(canonicalization.canonical_body(kept, 0));
            *hash = hashed.as_ref().to_vec();
        }
    }
}

/// A body without the lines at its end that hold white space at most.
fn without_blank_end(body: &[u8]) -> &[u8] {
    let mut kept = body;
    loop {
        let line = kept.strip_suffix(b"\n").unwrap_or(kept);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let begin = memchr::memrchr(b'\n', line).map_or(0, |at| at + 1);
        let blank = line.get(begin..).unwrap_or_default();
        if kept.is_empty() || !blank.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return kept;
        }
        kept = kept.get(..begin).unwrap_or_default();
    }
}

/// The name of RFC 8601 for a result.
fn verdict(result: &DkimResult) -> &'static str {
    match result {
        DkimResult::Pass => "pass",
        DkimResult::Fail(_) => "fail",
        // A body that was changed is a signature that does not hold.
        DkimResult::Neutral(_) => "fail",
        DkimResult::PermError(_) => "permerror",
        DkimResult::TempError(_) => UNKNOWN,
        DkimResult::None => "none",
    }
}

impl Signed {
    fn of(verdict: &'static str, domain: Option<&str>) -> Self {
        Self { verdict, domain: domain.map(str::to_lowercase) }
    }
}

impl Outcomes {
    /// As an event has them.
    pub(super) fn shown(&self) -> Vec<AuthResult> {
        let shown = |one: &Signed| AuthResult {
            verdict: one.verdict.to_owned(),
            domain: one.domain.clone(),
        };
        self.0.iter().map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_white_space_are_left_out_at_the_end_alone() {
        for (body, kept) in [
            ("", ""),
            ("a\r\n", "a\r\n"),
            ("a\r\n \t\r\n\r\n \r\n", "a\r\n"),
            (" \r\n", ""),
            ("a \r\n \r\nb", "a \r\n \r\nb"),
            ("a\r\n  ", "a\r\n"),
            ("a\n \n", "a\n"),
        ] {
            assert_eq!(without_blank_end(body.as_bytes()), kept.as_bytes(), "{body:?}");
        }
    }
}
