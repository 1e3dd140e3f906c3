//! What a secret may have been meant to be.

use super::Case;
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::Secret;
use headgate_http::RawRequest;

/// What is wrong with the secret, when one that was meant makes the proof hold.
pub(super) fn meant(case: &Case<'_>, request: &RawRequest) -> Option<String> {
    let mut others = case.terms.secrets.iter().flat_map(others);
    let holds = |secret: &Secret| case.holds(request, std::slice::from_ref(secret)).is_some();
    if let Some((_, wrong)) = others.find(|(secret, _)| !secret.is_empty() && holds(secret)) {
        return Some(format!("wrong secret: {wrong}"));
    }
    let of_another = case.others.iter().find(|other| other.secrets.iter().any(holds))?;
    let id = &of_another.id;
    Some(format!(
        "secret of another channel: it is the one of `{id}`; either the sender has the wrong \
         secret, or its URL is meant to be that channel's"
    ))
}

/// What else a secret may be, and what is then wrong with it.
fn others(secret: &Secret) -> Vec<(Secret, &'static str)> {
    let bytes = secret.expose();
    let trimmed = bytes.trim_ascii();
    let mut others = Vec::new();
    if trimmed.len() != bytes.len() {
        let wrong = "it has white space around it that the sender's has not";
        others.push((Secret::new(trimmed), wrong));
    }
    let unquoted = trimmed.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    if let Some(unquoted) = unquoted {
        others.push((Secret::new(unquoted), "it has quotes around it that the sender's has not"));
    }
    others.push((Secret::new([bytes, b"\n"].concat()), "the sender's ends in a line end"));
    if let Ok(key) = STANDARD.decode(trimmed) {
        others.push((Secret::new(key), "the sender's key is what it says in base64"));
    }
    if let Ok(key) = hex::decode(trimmed) {
        others.push((Secret::new(key), "the sender's key is what it says in hexadecimal"));
    }
    if let Some(text) = trimmed.strip_prefix(b"whsec_") {
        others.push((Secret::new(text), "the sender's is without `whsec_`"));
        if let Ok(key) = STANDARD.decode(text) {
            let wrong = "the sender's key is what it says in base64 after `whsec_`";
            others.push((Secret::new(key), wrong));
        }
    } else {
        let with = [b"whsec_", trimmed].concat();
        others.push((Secret::new(with), "the sender's begins with `whsec_`"));
    }
    others
}
