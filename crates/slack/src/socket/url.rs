//! What `apps.connections.open` answers: the URL of one connection, or why there is none.
//!
//! The URL holds a ticket that lets anybody in once, so it is a secret: it does not print, and no
//! error tells it. Not for the request itself.

use super::pool::Refusal;
use headgate_event::Secret;
use http::{StatusCode, Uri};
use serde::Deserialize;
use std::time::Duration;

/// The longest code of Slack's that is shown, in bytes.
const CODE_BYTES_MAX: usize = 64;

/// Errors that come again until a person mends the token, the app or the workspace.
const FATAL: [&str; 14] = [
    "not_authed",
    "invalid_auth",
    "account_inactive",
    "user_removed_from_team",
    "team_disabled",
    "token_revoked",
    "token_expired",
    "no_permission",
    "missing_scope",
    "not_allowed_token_type",
    "missing_args",
    "access_denied",
    "org_login_required",
    "ekm_access_denied",
];

/// Whether connections have to be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// `wss` alone: the request for the URL was `https`.
    Tls,
    /// `ws` too.
    Any,
}

/// The URL of one connection. It lets anybody in, once.
#[derive(Debug)]
pub(super) struct TicketUrl(Secret);

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    url: Option<String>,
    error: Option<String>,
}

impl TicketUrl {
    /// Reads an answer with this status, `Retry-After` and body.
    pub(super) fn read(
        status: StatusCode,
        retry_after: Option<&str>,
        body: &[u8],
        security: Security,
    ) -> Result<Self, Refusal> {
        let retry_after =
            || retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Refusal::RateLimited(retry_after()));
        }
        if status == StatusCode::NOT_FOUND {
            return Err(Refusal::Fatal("http_404".to_owned()));
        }
        if !status.is_success() {
            return Err(Refusal::Passing(format!(
                "expected status 200, found {}",
                status.as_u16()
            )));
        }
        let answer: Answer = serde_json::from_slice(body).map_err(|_| {
            Refusal::Passing("expected a JSON object with `ok`, found none".to_owned())
        })?;
        match (answer.ok, answer.url, answer.error) {
            (true, Some(url), _) => Self::checked(url, security),
            (true, None, _) => Err(Refusal::Passing("expected a `url`, found none".to_owned())),
            (false, _, Some(code)) if code == "ratelimited" => {
                Err(Refusal::RateLimited(retry_after()))
            }
            (false, _, code) => Err(refused(&code.unwrap_or_default())),
        }
    }

    fn checked(url: String, security: Security) -> Result<Self, Refusal> {
        let passing = |words: &str| Refusal::Passing(words.to_owned());
        let uri: Uri = url
            .parse()
            .map_err(|_| passing("expected a URL to connect to, found something else"))?;
        let allowed = match (uri.scheme_str(), security) {
            (Some("wss"), _) | (Some("ws"), Security::Any) => true,
            (_, Security::Tls | Security::Any) => false,
        };
        if !allowed || uri.host().is_none_or(str::is_empty) {
            return Err(passing("expected a `wss` URL with a host, found another"));
        }
        Ok(Self(Secret::new(url)))
    }

    /// The URL, for the handshake alone.
    pub(super) fn expose(&self) -> Option<Uri> {
        Uri::try_from(self.0.expose()).ok()
    }
}

fn refused(code: &str) -> Refusal {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let shown = !code.is_empty() && code.len() <= CODE_BYTES_MAX && code.bytes().all(is_word);
    let code = if shown { code } else { "an unknown error" };
    if FATAL.contains(&code) {
        Refusal::Fatal(code.to_owned())
    } else {
        Refusal::Passing(format!("`apps.connections.open` says `{code}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, retry_after: Option<&str>, body: &str) -> Result<TicketUrl, Refusal> {
        let status = StatusCode::from_u16(status).expect("a status");
        TicketUrl::read(status, retry_after, body.as_bytes(), Security::Tls)
    }

    fn limited(seconds: u64) -> Refusal {
        Refusal::RateLimited(Some(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_url_is_a_secret() {
        let url = read(200, None, r#"{"ok":true,"url":"wss://s.example/link/?ticket=abc"}"#);
        let url = url.expect("a URL");
        assert_eq!(format!("{url:?}"), "TicketUrl(Secret(..))");
        assert_eq!(url.expose().expect("a URL").query(), Some("ticket=abc"));
    }

    #[test]
    fn what_only_a_person_can_mend_is_told_apart_from_what_passes() {
        let code = |code: &str| read(200, None, &format!(r#"{{"ok":false,"error":"{code}"}}"#));
        for fatal in FATAL {
            assert_eq!(code(fatal).expect_err(fatal), Refusal::Fatal(fatal.to_owned()));
        }
        assert_eq!(read(404, None, "").expect_err("404"), Refusal::Fatal("http_404".to_owned()));
        for passing in ["internal_error", "fatal_error", "from_2031", "", "<b>", "a b"] {
            assert!(matches!(code(passing), Err(Refusal::Passing(_))), "{passing}");
        }
        for (status, body) in [
            (500, "{}"),
            (503, ""),
            (302, ""),
            (403, ""),
            (200, ""),
            (200, "[]"),
            (200, "{}"),
            (200, r#"{"ok":true}"#),
            (200, r#"{"ok":true,"url":null}"#),
            (200, r#"{"ok":true,"url":"no url"}"#),
            (200, r#"{"ok":true,"url":"https://s.example/"}"#),
        ] {
            assert!(matches!(read(status, None, body), Err(Refusal::Passing(_))), "{body}");
        }
    }

    #[test]
    fn a_rate_limit_says_how_long() {
        let body = r#"{"ok":false,"error":"ratelimited"}"#;
        assert_eq!(read(429, Some("7"), "").expect_err("429"), limited(7));
        assert_eq!(read(200, Some(" 9 "), body).expect_err("limited"), limited(9));
        let unsaid = Refusal::RateLimited(None);
        assert_eq!(read(429, None, "").expect_err("429"), unsaid);
        assert_eq!(read(429, Some("soon"), "").expect_err("429"), unsaid);
    }

    #[test]
    fn a_connection_is_not_opened_in_the_clear_and_no_error_tells_the_ticket() {
        let body = r#"{"ok":true,"url":"ws://s.example/link/?ticket=abc"}"#;
        let refusal = read(200, None, body).expect_err("in the clear");
        assert!(!format!("{refusal:?}").contains("abc"), "{refusal:?}");
        let any = TicketUrl::read(StatusCode::OK, None, body.as_bytes(), Security::Any);
        assert!(any.is_ok(), "on loopback");
    }
}
