//! Headers, path and query as an event shows them: one value for each name, nothing secret.

use crate::scheme::Scheme;
use headgate_event::prompt::redact::{REDACTED, header_value};
use http::{HeaderMap, HeaderName};
use std::{borrow::Cow, collections::BTreeMap};

/// The headers of a request: repeats joined, bytes that are not UTF-8 replaced, values that prove
/// or log in left out.
pub(crate) fn shown(headers: &HeaderMap, scheme: &dyn Scheme) -> BTreeMap<String, String> {
    headers.keys().map(|name| (name.as_str().to_owned(), value(headers, name, scheme))).collect()
}

fn value(headers: &HeaderMap, name: &HeaderName, scheme: &dyn Scheme) -> String {
    if scheme.is_proof(name) {
        return REDACTED.to_owned();
    }
    let mut joined = String::new();
    for (at, value) in headers.get_all(name).iter().enumerate() {
        if at > 0 {
            joined.push_str(", ");
        }
        joined.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
    header_value(name.as_str(), &joined).into_owned()
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
        let name = name.to_ascii_lowercase();
        SHORT.contains(&name.as_str()) || header_value(&name, "") == REDACTED
    };
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
