//! What was looked at, in order.

use super::{Case, Step};
use crate::{identity::digest, scheme::About};
use http::HeaderName;

/// The most of a value from the request that is shown.
const SHOWN_CHARS_MAX: usize = 80;

pub(super) fn of(case: &Case<'_>) -> Vec<Step> {
    let mut steps = vec![scheme(&case.about)];
    steps.extend((!case.about.proof.is_empty()).then(|| header(case)));
    steps.extend(signed(case));
    steps.extend(proof(case));
    steps.extend(age(case));
    steps
}

pub(super) fn scheme(about: &About) -> Step {
    let place = match about.proof.as_slice() {
        [] => about.place.clone(),
        headers => names(headers),
    };
    let text = format!("{}, in {place} as {}", about.scheme, about.form);
    Step::told("scheme", text)
}

fn names(headers: &[HeaderName]) -> String {
    let names: Vec<_> = headers.iter().map(|name| format!("`{name}`")).collect();
    format!("header {}", names.join(" or "))
}

/// Whether the header of the proof is there, once and with something in it.
fn header(case: &Case<'_>) -> Step {
    let headers = &case.request.headers;
    let sent = case.about.proof.iter().find(|name| headers.contains_key(*name));
    let Some(name) = sent else {
        return Step::wrong("header", format!("{} is missing", names(&case.about.proof)));
    };
    match headers.get_all(name).iter().collect::<Vec<_>>().as_slice() {
        [value] if value.is_empty() => Step::wrong("header", format!("`{name}` is empty")),
        [_] => Step::right("header", format!("`{name}` is there")),
        many => Step::wrong("header", format!("`{name}` is sent {} times", many.len())),
    }
}

/// What the signature is over: the template, and what stands in each of its places.
fn signed(case: &Case<'_>) -> Option<Step> {
    let template = case.about.signed.as_ref()?;
    let body = &case.request.body;
    let part = |(name, sent): &(&str, Option<String>)| match sent {
        Some(text) => format!("{name} `{}`", shown(text)),
        None => format!("{name} missing"),
    };
    let mut parts: Vec<String> = case.about.parts.iter().map(part).collect();
    let end = if body.ends_with(b"\n") { ", ends in a line end" } else { "" };
    parts.push(format!("body {} bytes{end}, {}", body.len(), digest(body)));
    let text = format!("`{template}` with {}", parts.join("; "));
    let all = case.about.parts.iter().all(|(_, sent)| sent.is_some());
    Some(if all { Step::told("signed", text) } else { Step::wrong("signed", text) })
}

/// Text of a request on one line, without what could play tricks on a terminal.
fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push_str("..");
    }
    shown
}

/// Whether the proof holds, apart from its age.
fn proof(case: &Case<'_>) -> Option<Step> {
    let step = if case.about.signed.is_some() { "signature" } else { "secret" };
    let key = match &case.outcome {
        Ok(verification) => verification.key,
        Err(_) => case.holds(case.request, &case.terms.secrets),
    };
    match (key, &case.outcome) {
        (Some(key), _) => Some(Step::right(step, format!("holds with secret {}", key + 1))),
        (None, Err(reject)) if !reject.code().starts_with("missing_") => {
            Some(Step::wrong(step, reject.message().to_owned()))
        }
        (None, _) => None,
    }
}

fn age(case: &Case<'_>) -> Option<Step> {
    let (time, tolerance) = case.about.time.as_ref()?;
    let (Some(time), Some(age_ms)) = (time, case.age_ms()) else {
        return Some(Step::wrong("age", "no signed time can be read".to_owned()));
    };
    let (past, future) = (tolerance.past.as_secs_f64(), tolerance.future.as_secs_f64());
    let text = format!(
        "signed at {time}, {} {}; taken are {past} s before to {future} s after",
        distance(age_ms),
        case.now
    );
    let fits = case.now.since(*time) <= tolerance.past && time.since(case.now) <= tolerance.future;
    Some(if fits { Step::right("age", text) } else { Step::wrong("age", text) })
}

/// How far a time is from ours: `301 s before`.
pub(super) fn distance(age_ms: i64) -> String {
    let seconds = std::time::Duration::from_millis(age_ms.unsigned_abs()).as_secs_f64();
    format!("{seconds} s {}", if age_ms < 0 { "after" } else { "before" })
}
