//! What most likely is wrong with a request that is refused.

use super::{Case, place, secrets, steps, variants};
use headgate_http::{RawRequest, Reject};
use http::{HeaderName, header};
use std::time::Duration;

/// A time so far from ours is no clock that goes wrong, but a number in another unit.
const CLOCK_WRONG_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);

pub(super) fn of(case: &Case<'_>, reject: &Reject) -> String {
    match reject.code() {
        "repeated_header" => "something on the way adds the header again".to_owned(),
        "missing_signature" | "missing_token" | "missing_credentials" => missing(case),
        "no_known_signature" => other_label(case),
        "malformed_token" | "malformed_credentials" | "malformed_signature" => {
            format!("other form: expected {}; is it another scheme?", case.about.form)
        }
        "timestamp_too_old" | "timestamp_in_future" => clock(case),
        "unavailable" => "what proves the request could not be fetched".to_owned(),
        "signature_mismatch" => mismatch(case),
        "token_mismatch" | "credentials_mismatch" => secrets::meant(case, case.request)
            .unwrap_or_else(|| "wrong secret: the sender has another one".to_owned()),
        _ => reject.message().to_owned(),
    }
}

/// The proof is not there; perhaps another one is.
fn missing(case: &Case<'_>) -> String {
    const WORDS: [&str; 5] = ["signature", "hmac", "token", "authorization", "digest"];
    let proof = |name: &&HeaderName| WORDS.iter().any(|word| name.as_str().contains(word));
    let others = case.request.headers.keys().filter(proof);
    let others = others.filter(|name| !case.about.proof.contains(name));
    let others: Vec<_> = others.map(|name| format!("`{name}`")).collect();
    if others.is_empty() {
        return "header missing: the sender has no secret set, or a proxy on the way takes the \
                header off"
            .to_owned();
    }
    let others = others.join(", ");
    format!("header missing, but the request has {others}: is it another provider or scheme?")
}

/// The header has signatures, but none under a label that is believed.
fn other_label(case: &Case<'_>) -> String {
    let (items, fields) = case.about.separators;
    let sent = case.about.proof.iter().find_map(|name| case.request.headers.get(name));
    let text = sent.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let label = |item: &str| {
        let (label, _) = item.split_once(fields.unwrap_or('='))?;
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let fits = (1..=16).contains(&label.len()) && label.bytes().all(word);
        fits.then(|| format!("`{label}`"))
    };
    let found: Vec<_> = text.split(|c| Some(c) == items).filter_map(label).collect();
    let known: Vec<_> = case.about.labels.iter().map(|label| format!("`{label}`")).collect();
    let known = known.join(", ");
    match found.as_slice() {
        [] => format!("other label: expected {known}, found none"),
        found => format!("other label: expected {known}, found {}", found.join(", ")),
    }
}

/// The signature holds, but not at this time.
fn clock(case: &Case<'_>) -> String {
    let age_ms = case.age_ms().unwrap_or_default();
    if Duration::from_millis(age_ms.unsigned_abs()) > CLOCK_WRONG_MAX {
        return "the signature holds, but its time is years away: is it in seconds where \
                milliseconds are meant, or the other way round?"
            .to_owned();
    }
    let (off, now) = (steps::distance(age_ms), case.now);
    format!(
        "clock: the signature holds, but it was made {off} {now}; a clock is off by so much, or \
         the request was held back or sent again (`--at TIME` judges it at the time it came)"
    )
}

/// The signature is one, but not over this with these secrets.
fn mismatch(case: &Case<'_>) -> String {
    if let Some(meant) = secrets::meant(case, case.request) {
        return meant;
    }
    if let Some(other) = place::of(case) {
        return other;
    }
    for variant in variants::of(&case.request.body) {
        let request = RawRequest { body: variant.body.into(), ..case.request.clone() };
        let changed = format!("the body is not as it was signed: {}", variant.change);
        if case.holds(&request, &case.terms.secrets).is_some() {
            return changed;
        }
        if let Some(meant) = secrets::meant(case, &request) {
            return format!("{changed}; and {meant}");
        }
    }
    if let Some(changed) = changed(case.request) {
        return changed;
    }
    let has = |part: &str| case.about.parts.iter().any(|(name, _)| *name == part);
    let path = match (has("path"), has("url")) {
        (_, true) => ", or the sender used another URL (`server.public_url`, `--url`)",
        (true, false) => ", or the sender used another path (`--url`)",
        _ => "",
    };
    format!(
        "wrong secret, or the body was re-serialized on the way (by a proxy or framework that \
         parses it and writes it anew){path}"
    )
}

/// What the head says of the body that is not true of it.
fn changed(request: &RawRequest) -> Option<String> {
    let value = |name| request.headers.get(name).and_then(|value| value.to_str().ok());
    let found = request.body.len();
    let length = value(header::CONTENT_LENGTH).and_then(|text| text.parse::<usize>().ok());
    if let Some(length) = length.filter(|length| *length != found) {
        return Some(format!(
            "the body is not as it was sent: `content-length` says {length} bytes, found {found}"
        ));
    }
    let gzip = value(header::CONTENT_ENCODING).is_some_and(|text| text.contains("gzip"));
    (gzip && !request.body.starts_with(b"\x1f\x8b")).then(|| {
        "the body was unpacked: `content-encoding` says gzip, and the packed bytes are signed"
            .to_owned()
    })
}
