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
            ClientError::configuration("url", expected, shown(base))
        };
        let uri: Uri = base.parse().map_err(|_| wrong())?;
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.authority().is_some_and(|host| !host.as_str().contains('@'));
        // A fragment is never sent, so one here is a mistake.
        if !scheme || !host || uri.query().is_some() || base.contains('#') {
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
    pub(crate) fn resolve(&self, url: &str) -> Result<(String, bool), ClientError> {
        let wrong = || {
            let expected = "an `http://` or `https://` URL, or a path that begins with `/`";
            ClientError::configuration("attachment", expected, shown(url))
        };
        let whole = if url.starts_with('/') {
            let path = self.uri.path_and_query().map_or("", PathAndQuery::path);
            let origin = self.base.strip_suffix(path.trim_end_matches('/')).unwrap_or(&self.base);
            format!("{origin}{url}")
        } else {
            url.to_owned()
        };
        let uri: Uri = whole.parse().map_err(|_| wrong())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(wrong());
        }
        // A URL that names a user is another's: ours names none.
        let is_ours = (uri.scheme(), uri.authority()) == (self.uri.scheme(), self.uri.authority());
        Ok((whole, is_ours))
    }
}

/// What may be shown of a URL: nothing that may be a password, and no query.
fn shown(url: &str) -> &str {
    let begins = url.find(['?', '#']).unwrap_or(url.len());
    match url.rfind('@') {
        // Which of the two it belongs to cannot be told.
        Some(at) if at > begins => "..",
        Some(at) => url.get(at + 1..begins).unwrap_or_default(),
        None => url.get(..begins).unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, url: &str) -> Result<(String, bool), String> {
        let address = Address::new(base, None).expect("a gateway");
        address.resolve(url).map_err(|error| error.to_string())
    }

    #[test]
    fn the_key_goes_to_the_gateway_alone() {
        for (base, url, whole, is_ours) in [
            ("http://gw.example", "/v1/a?s=1", "http://gw.example/v1/a?s=1", true),
            ("http://gw.example/base/", "/v1/a", "http://gw.example/v1/a", true),
            ("http://gw.example", "//evil.example/x", "http://gw.example//evil.example/x", true),
            ("http://gw.example", "http://gw.example/v1/a", "http://gw.example/v1/a", true),
            ("http://gw.example", "http://GW.example/v1/a", "http://GW.example/v1/a", true),
            ("http://gw.example", "https://gw.example/v1/a", "https://gw.example/v1/a", false),
            ("http://gw.example", "http://gw.example:81/a", "http://gw.example:81/a", false),
            ("http://gw.example", "http://gw.example@evil/a", "http://gw.example@evil/a", false),
            ("http://gw.example", "http://gw.example.evil/a", "http://gw.example.evil/a", false),
        ] {
            assert_eq!(resolved(base, url), Ok((whole.to_owned(), is_ours)), "{url}");
        }
    }

    #[test]
    fn what_is_neither_a_path_nor_a_url_is_asked_for_nowhere() {
        for url in
            ["@evil.example/x", "evil.example/x", ".evil.example/x", "", "ftp://gw.example/x"]
        {
            let error = resolved("http://gw.example", url).expect_err(url);
            assert!(error.contains("a path that begins with `/`"), "{error}");
        }
    }

    #[test]
    fn nothing_is_shown_of_a_url_that_may_be_a_secret() {
        for (url, expected) in [
            ("ftp://host/x", "ftp://host/x"),
            ("https://gw.example/?key=hg_secret_123", "https://gw.example/"),
            ("https://gw.example/#hg_secret_123", "https://gw.example/"),
            ("https://user:secret@gw.example?key=1", "gw.example"),
            ("https://gw.example/?key=sec@ret", ".."),
            ("https://user:sec?ret@gw.example", ".."),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
