//! What a sender may have meant by its URL or its form, when its signature does not hold because of
//! that.

use super::Case;
use crate::scheme::Terms;
use headgate_http::RawRequest;
use http::{HeaderValue, header};

/// What most likely is wrong with the URL or the form, when another one makes the proof hold.
pub(super) fn of(case: &Case<'_>) -> Option<String> {
    if case.provider.signs_url() {
        return url(case);
    }
    form(case)
}

/// The URLs by which a proxy may have been reached.
fn url(case: &Case<'_>) -> Option<String> {
    let text = |name: &str| case.request.headers.get(name).and_then(|value| value.to_str().ok());
    let hosts = [text("x-forwarded-host"), text("x-original-host"), text("host")];
    let ours = case.terms.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
    let own = ours.split("://").nth(1);
    let mut tried = Vec::new();
    for host in hosts.into_iter().flatten().chain(own) {
        for scheme in ["https", "http"] {
            for ending in ["", ":443", ":80", ":8080"] {
                tried.push(format!("{scheme}://{host}{ending}"));
            }
        }
    }
    let holds = |base: &String| {
        let terms = Terms { public_url: Some(base.clone()), ..case.terms.clone() };
        case.holds_by(case.request, terms).is_some()
    };
    if let Some(base) = tried.into_iter().find(holds) {
        let ours = if ours.is_empty() { "none".to_owned() } else { format!("`{ours}`") };
        return Some(format!(
            "another URL: the sender used `{base}`, and `server.public_url` is {ours}; a proxy on \
             the way is reached by another name, scheme or port"
        ));
    }
    let slash = format!("{}/", case.request.path);
    let path = case.request.path.strip_suffix('/').map_or(slash, str::to_owned);
    let request = RawRequest { path, ..case.request.clone() };
    let held = case.holds(&request, &case.terms.secrets).is_some();
    held.then(|| "another URL: the sender's differs in the `/` at its end".to_owned())
}

/// A form whose field was signed, or the other way round.
fn form(case: &Case<'_>) -> Option<String> {
    let sent = |body: Vec<u8>| RawRequest { body: body.into(), ..case.request.clone() };
    let held = |request: &RawRequest| case.holds(request, &case.terms.secrets).is_some();
    let mut fields = form_urlencoded::parse(&case.request.body);
    if let Some((_, payload)) = fields.find(|(name, _)| name == "payload")
        && held(&sent(payload.into_owned().into_bytes()))
    {
        return Some("the JSON in the form was signed, and not the form around it".to_owned());
    }
    let mut plain = case.request.clone();
    let kind = HeaderValue::from_static("application/octet-stream");
    plain.headers.insert(header::CONTENT_TYPE, kind);
    held(&plain).then(|| "the form itself was signed, and not the JSON in it".to_owned())
}
