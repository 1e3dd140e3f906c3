//! Where a gateway is, and the key that it takes: checked once, and never printed.

use crate::error::ClientError;
use headgate_event::Secret;
use http::{HeaderValue, Uri, uri::PathAndQuery};
use std::fmt::Write;

/// The base URL of a gateway and what every request to it carries.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    base: String,
    uri: Uri,
    /// Marked as sensitive: it does not print.
    authorization: Option<HeaderValue>,
}

impl Address {
    pub(crate) fn new(url: &str, key: Option<&Secret>) -> Result<Self, ClientError> {
        let base = url.trim().trim_end_matches('/');
        let wrong = || {
            let expected = "an `http://` or `https://` URL of a gateway without user, password \
                            and query";
            // Of a URL with a password nothing is shown before its end.
            let shown = base.rsplit_once('@').map_or(base, |(_, host)| host);
            let shown = shown.split('?').next().unwrap_or_default();
            ClientError::configuration("url", expected, shown)
        };
        let uri: Uri = base.parse().map_err(|_| wrong())?;
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.authority().is_some_and(|host| !host.as_str().contains('@'));
        if !scheme || !host || uri.query().is_some() {
            return Err(wrong());
        }
        let authorization = key.map(bearer).transpose()?;
        Ok(Self { base: base.to_owned(), uri, authorization })
    }

    /// The URL as it was given.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The URL of a stream: `ws` for `http` and `wss` for `https`.
    pub(crate) fn web_socket(&self, path: &str) -> String {
        format!("ws{}{path}", self.base.trim_start_matches("http"))
    }

    /// Where to connect to: the host without the brackets of IPv6, and the port.
    pub(crate) fn place(&self) -> (&str, u16) {
        let host = self.uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let port = if self.is_tls() { 443 } else { 80 };
        (bare.unwrap_or(host), self.uri.port_u16().unwrap_or(port))
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The URL of what an event names by its path or whole, and whether it is this gateway's.
    pub(crate) fn resolve(&self, url: &str) -> (String, bool) {
        if url.contains("://") {
            let inside = url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'));
            return (url.to_owned(), inside);
        }
        let path = self.uri.path_and_query().map_or("", PathAndQuery::path);
        let origin = self.base.strip_suffix(path.trim_end_matches('/')).unwrap_or(&self.base);
        (format!("{origin}{url}"), true)
    }
}

fn bearer(key: &Secret) -> Result<HeaderValue, ClientError> {
    let text = key.expose().trim_ascii();
    let value = HeaderValue::from_bytes(&[b"Bearer ", text].concat());
    match value {
        Ok(mut value) if !text.is_empty() => {
            value.set_sensitive(true);
            Ok(value)
        }
        _ => Err(ClientError::configuration(
            "key",
            "visible characters",
            "others, or none at all (it is not shown)",
        )),
    }
}

/// A name as one part of a path: what RFC 3986 does not let stand there is escaped.
pub(crate) fn segment(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
