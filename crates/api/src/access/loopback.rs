//! The check while no keys are configured: only what this machine itself says to us directly.
//!
//! A page in the browser, a tunnel and a proxy all connect from loopback too. A page gives itself
//! away by `Origin`, or by a `Host` of its own when its name was rebound to 127.0.0.1; a tunnel by
//! the public name in `Host` or by what it says of the client it forwards for.

use super::Caller;
use crate::error::ApiError;
use http::{HeaderMap, StatusCode, Uri, header, uri::Authority};
use std::net::IpAddr;

/// What proxies and tunnels add, besides what their names give away.
const FORWARDING: [&str; 5] =
    ["via", "x-real-ip", "x-original-host", "x-envoy-external-address", "cf-connecting-ip"];

pub(super) fn check(caller: Caller<'_>) -> Result<(), ApiError> {
    let Some(arrival) = caller.arrival else {
        return Err(refused("not_local", "the address of the caller is not known"));
    };
    let remote = arrival.remote.ip().to_canonical();
    if !remote.is_loopback() {
        return Err(refused("not_local", format!("the call comes from `{remote}`")));
    }
    if let Some(name) = forwarding_header(caller.headers) {
        let message = format!("the call was forwarded (header `{name}`)");
        return Err(refused("forwarded", message));
    }
    if let Some(name) = page_header(caller.headers) {
        let message = format!("the call comes from a web page (header `{name}`)");
        return Err(refused("from_web_page", message));
    }
    check_host(caller.uri, caller.headers)
}

fn forwarding_header(headers: &HeaderMap) -> Option<&str> {
    // `X-Forwarded-For`, `X-Original-Forwarded-For`, `Forwarded`; `True-Client-IP`, `Fly-Client-IP`.
    let forwards = |name: &&str| {
        name.contains("forwarded") || name.ends_with("client-ip") || FORWARDING.contains(name)
    };
    headers.keys().map(http::HeaderName::as_str).find(forwards)
}

/// The header by which a browser says that a page makes the call.
fn page_header(headers: &HeaderMap) -> Option<&'static str> {
    if headers.contains_key(header::ORIGIN) {
        return Some("Origin");
    }
    // `none` is what a person typed into the address bar.
    let site = headers.get("sec-fetch-site")?;
    (site.as_bytes() != b"none").then_some("Sec-Fetch-Site")
}

fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let mut named = Vec::new();
    for value in headers.get_all(header::HOST) {
        let host = value.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        named.push(host.ok_or_else(|| refused("not_local", "header `Host` cannot be read"))?);
    }
    named.extend(uri.authority().cloned());
    if named.is_empty() {
        return Err(refused("not_local", "header `Host` is missing"));
    }
    match named.iter().find(|host| !is_loopback_name(host.host())) {
        Some(host) => {
            let shown: String = host.host().chars().take(80).collect();
            let message = format!("header `Host` names `{shown}`, which is not this machine");
            Err(refused("not_local", message))
        }
        None => Ok(()),
    }
}

fn is_loopback_name(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn refused(code: &'static str, why: impl std::fmt::Display) -> ApiError {
    let message = format!(
        "{why}; without API keys only direct calls from this machine are let in: \
         configure an `[[api_key]]` and send it as `Authorization: Bearer <key>`"
    );
    ApiError::new(StatusCode::FORBIDDEN, code, message)
}
