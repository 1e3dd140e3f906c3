//! Headers, path and query as an event shows them: one value for each name, nothing secret.

use crate::scheme::Scheme;
use headgate_event::prompt::redact::{REDACTED, is_secret_header};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{borrow::Cow, collections::BTreeMap};

/// The headers of a request: repeats joined, bytes that are not UTF-8 replaced, values that prove
/// or log in left out.
pub(crate) fn shown<'h>(
    headers: &'h HeaderMap,
    scheme: &dyn Scheme,
) -> BTreeMap<&'h str, Cow<'h, str>> {
    headers.keys().map(|name| (name.as_str(), value(headers, name, scheme))).collect()
}

fn value<'h>(headers: &'h HeaderMap, name: &HeaderName, scheme: &dyn Scheme) -> Cow<'h, str> {
    if scheme.is_proof(name) || is_secret_header(name.as_str()) {
        return Cow::Borrowed(REDACTED);
    }
    let mut values = headers.get_all(name).iter();
    let text = |value: &'h HeaderValue| String::from_utf8_lossy(value.as_bytes());
    let mut joined = values.next().map(text).unwrap_or_default();
    for value in values {
        let joined = joined.to_mut();
        joined.push_str(", ");
        joined.push_str(&text(value));
    }
    joined
}

/// The path of a channel's request. What follows the channel may be a secret, and is masked.
pub(crate) fn masked_path(path: &str, prefix: &str) -> String {
    let after = path.strip_prefix(prefix).unwrap_or_default();
    match after.split_once('/') {
        Some((channel, rest)) if !rest.is_empty() => format!("{prefix}{channel}/{REDACTED}"),
        _ => path.to_owned(),
    }
}

/// The query as sent, but for the values of parameters whose names say that they are secret.
pub(crate) fn masked_query(query: &str) -> Cow<'_, str> {
    const SHORT: [&str; 6] = ["key", "sig", "auth", "pass", "pwd", "code"];
    let secret = |name: &str| {
        SHORT.iter().any(|short| name.eq_ignore_ascii_case(short)) || is_secret_header(name)
    };
    if query.is_empty() {
        return Cow::Borrowed(query);
    }
    let mask = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if secret(name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    };
    let masked: Vec<_> = query.split('&').map(mask).collect();
    Cow::Owned(masked.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_channel_is_masked() {
        let prefix = "/v1/webhook/";
        assert_eq!(masked_path("/v1/webhook/a", prefix), "/v1/webhook/a");
        assert_eq!(masked_path("/v1/webhook/a/", prefix), "/v1/webhook/a/");
        assert_eq!(masked_path("/v1/webhook/a/s3cr3t/x", prefix), "/v1/webhook/a/[redacted]");
    }

    #[test]
    fn a_secret_in_the_query_is_masked() {
        assert_eq!(masked_query("a=1&Access_Token=s3cr3t&b"), "a=1&Access_Token=[redacted]&b");
        assert_eq!(masked_query("key=x&monkey=y"), "key=[redacted]&monkey=y");
        assert_eq!(masked_query("code=s3cr3t&barcode=7"), "code=[redacted]&barcode=7");
        assert_eq!(masked_query(""), "");
    }
}
