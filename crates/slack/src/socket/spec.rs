//! What Socket Mode is told of an app, and what can be wrong with it.

use super::url::Security;
use headgate_event::Secret;
use http::{HeaderValue, Uri};
use std::net::IpAddr;

/// Where Slack's Web API is, unless told otherwise (GovSlack: `https://slack-gov.com/api`).
pub const SLACK_API: &str = "https://slack.com/api";

/// What the app-level tokens begin with, which alone may open connections.
const TOKEN_PREFIX: &[u8] = b"xapp-";

/// An app whose events are received over Socket Mode.
#[derive(Clone, Debug)]
pub struct SocketSpec {
    /// The id of the channel, for logs and metrics.
    pub channel: String,
    /// The app-level token, with the scope `connections:write`.
    pub app_token: Secret,
    /// Where the Web API is: an `https` URL, or an `http` one of this machine.
    pub api: String,
}

/// What is wrong with it. None of these tells the token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketSpecError {
    /// The token is none that opens connections.
    #[error("expected an app token, which begins with `xapp-`, found another or none")]
    Token,
    /// The token cannot be sent.
    #[error("expected an app token of visible ASCII characters, found others in it")]
    TokenCharacters,
    /// The Web API is nowhere.
    #[error("expected an `https` URL without query (or `http` on loopback), found `{found}`")]
    Api {
        /// The text as found.
        found: String,
    },
    /// There are no certificates to check Slack's with.
    #[error("no certificates to check `https` with: {reason}")]
    Certificates {
        /// Why.
        reason: String,
    },
}

/// What the specification becomes.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) open: Uri,
    pub(super) bearer: HeaderValue,
    pub(super) security: Security,
}

impl SocketSpec {
    /// Whether it can be meant; nothing is asked of anyone.
    ///
    /// # Errors
    ///
    /// What is wrong with it, except that certificates are looked for when it is started.
    pub fn check(&self) -> Result<(), SocketSpecError> {
        self.endpoint().map(drop)
    }

    pub(super) fn endpoint(&self) -> Result<Endpoint, SocketSpecError> {
        let token = self.app_token.expose();
        if !token.starts_with(TOKEN_PREFIX) || token.len() == TOKEN_PREFIX.len() {
            return Err(SocketSpecError::Token);
        }
        if !token.iter().all(u8::is_ascii_graphic) {
            return Err(SocketSpecError::TokenCharacters);
        }
        let mut bearer = HeaderValue::from_bytes(&[b"Bearer ", token].concat())
            .map_err(|_| SocketSpecError::TokenCharacters)?;
        bearer.set_sensitive(true);
        let (open, security) = self.open_url()?;
        Ok(Endpoint { open, bearer, security })
    }

    fn open_url(&self) -> Result<(Uri, Security), SocketSpecError> {
        let wrong = || SocketSpecError::Api { found: self.api.chars().take(200).collect() };
        let base: Uri = self.api.parse().map_err(|_| wrong())?;
        let security = match (base.scheme_str(), base.host()) {
            (Some("https"), Some(_)) => Security::Tls,
            (Some("http"), Some(host)) if is_loopback(host) => Security::Any,
            _ => return Err(wrong()),
        };
        let userless = !base.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if base.query().is_some() || !userless {
            return Err(wrong());
        }
        let open = format!("{}/apps.connections.open", self.api.trim_end_matches('/'));
        Ok((open.parse().map_err(|_| wrong())?, security))
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(token: &str, api: &str) -> Result<String, SocketSpecError> {
        let app_token = Secret::new(token);
        let spec = SocketSpec { channel: "team".into(), app_token, api: api.into() };
        spec.endpoint().map(|endpoint| endpoint.open.to_string())
    }

    #[test]
    fn the_web_api_is_encrypted_except_on_this_machine() {
        let expected = "https://slack.com/api/apps.connections.open";
        assert_eq!(open("xapp-1-a", SLACK_API).as_deref(), Ok(expected));
        assert_eq!(open("xapp-1-a", "https://slack.com/api/").as_deref(), Ok(expected));
        for api in ["http://127.0.0.1:9/api", "http://[::1]:9", "http://localhost"] {
            assert!(open("xapp-1-a", api).is_ok(), "{api}");
        }
        for api in
            ["http://slack.com/api", "slack.com", "", "https://u:p@slack.com", "https://a/?q"]
        {
            assert!(matches!(open("xapp-1-a", api), Err(SocketSpecError::Api { .. })), "{api}");
        }
    }

    #[test]
    fn a_token_that_opens_no_connection_is_refused_and_not_told() {
        for token in ["", "xapp-", "xoxb-1-hunter2", "hunter2"] {
            let error = open(token, SLACK_API).expect_err(token);
            assert_eq!(error, SocketSpecError::Token);
            assert!(!error.to_string().contains("hunter2"));
        }
        for token in ["xapp-1\n", "xapp-1 2", "xapp-ü"] {
            assert_eq!(open(token, SLACK_API), Err(SocketSpecError::TokenCharacters));
        }
    }
}
