//! Where a push goes: a URL that may be called.

use crate::address::is_private;
use headgate_event::limits::{PUSH_CA_BYTES_MAX, PUSH_URL_BYTES_MAX};
use headgate_queue::PushSpec;
use http::Uri;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::net::IpAddr;

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Any.
    #[default]
    Anywhere,
    /// Those of the public internet alone.
    PublicOnly,
}

/// A URL that may be called, and who is trusted to have signed its certificate.
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) url: Uri,
    /// The one authority; those of the system without it.
    pub(crate) roots: Option<RootCertStore>,
    pub(crate) reach: Reach,
}

/// Why a URL cannot be pushed to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is none that is pushed to.
    #[error(
        "expected an `http` or `https` URL of at most {PUSH_URL_BYTES_MAX} bytes, found `{shown}`"
    )]
    Url {
        /// The URL, as far as it may be shown.
        shown: String,
    },
    /// It holds a user or a password.
    #[error("expected a URL without user and password, found them: give a header instead")]
    UserInfo,
    /// It names an address that may not be called.
    #[error("expected a public address, found `{address}`: `server.push_private` is `false`")]
    Private {
        /// The address.
        address: IpAddr,
    },
    /// The certificates are none.
    #[error("expected certificates in PEM, at most {PUSH_CA_BYTES_MAX} bytes, found {found}")]
    Ca {
        /// What was found.
        found: String,
    },
}

impl TargetError {
    /// The field that is to blame.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Ca { .. } => "ca",
            _ => "url",
        }
    }
}

impl Target {
    /// The target of a push, when it may be called.
    pub fn new(spec: &PushSpec, reach: Reach) -> Result<Self, TargetError> {
        let url = url(&spec.url)?;
        if let Some(address) = literal(&url)
            && reach == Reach::PublicOnly
            && is_private(address)
        {
            return Err(TargetError::Private { address });
        }
        let roots = spec.ca.as_deref().map(roots).transpose()?;
        Ok(Self { url, roots, reach })
    }
}

fn url(text: &str) -> Result<Uri, TargetError> {
    let wrong = || {
        // What stands before an `@` may be a password.
        let shown = text.rsplit('@').next().unwrap_or_default();
        TargetError::Url { shown: shown.chars().take(80).flat_map(char::escape_debug).collect() }
    };
    if text.len() > PUSH_URL_BYTES_MAX || text.contains('#') {
        return Err(wrong());
    }
    let url: Uri = text.parse().map_err(|_| wrong())?;
    let authority = url.authority().ok_or_else(wrong)?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(wrong());
    }
    if authority.as_str().contains('@') {
        return Err(TargetError::UserInfo);
    }
    // `http://:80/` and `http://host:99999/` are read by the parser.
    let port = authority.as_str().rsplit(']').next().and_then(|rest| rest.split_once(':'));
    if authority.host().is_empty()
        || (port.is_some() && authority.port_u16().is_none_or(|p| p == 0))
    {
        return Err(wrong());
    }
    Ok(url)
}

/// The address that stands in a URL.
fn literal(url: &Uri) -> Option<IpAddr> {
    let host = url.host()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

fn roots(pem: &str) -> Result<RootCertStore, TargetError> {
    let wrong = |found: String| TargetError::Ca { found };
    if pem.len() > PUSH_CA_BYTES_MAX {
        return Err(wrong(format!("{} bytes", pem.len())));
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("none".to_owned()));
    }
    Ok(roots)
}

/// A push to a URL.
#[cfg(test)]
pub(crate) fn spec_of(url: &str) -> PushSpec {
    PushSpec {
        url: url.to_owned(),
        headers: Vec::new(),
        timeout_ms: 15_000,
        max_in_flight: 16,
        rate: None,
        ca: None,
        format: headgate_queue::PushFormat::Event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_may_be_called_are_taken() {
        for url in [
            "http://localhost:9000/hook",
            "https://example.com",
            "https://example.com/a?b=c",
            "http://[::1]:8080/",
            "http://127.0.0.1/",
        ] {
            assert!(Target::new(&spec_of(url), Reach::Anywhere).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_may_not_be_called_is_refused_and_said() {
        let long = format!("http://example.com/{}", "a".repeat(PUSH_URL_BYTES_MAX));
        let told: Vec<String> = [
            "",
            "example.com/hook",
            "/hook",
            "ftp://example.com/",
            "http:///hook",
            "http://:80/",
            "http://host:0/",
            "http://host:99999/",
            "http://a b/",
            "https://example.com/#part",
            "https://user:hunter2@example.com/",
            "ftp://user:hunter2@example.com/",
            "http://127.0.0.1/",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254/latest",
            &long[..],
        ]
        .iter()
        .map(|url| Target::new(&spec_of(url), Reach::PublicOnly).expect_err(url).to_string())
        .collect();
        insta::assert_snapshot!("targets", told.join("\n"));
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        for ca in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            let spec = PushSpec { ca: Some(ca.to_owned()), ..spec_of("https://example.com/") };
            let error = Target::new(&spec, Reach::Anywhere).expect_err(ca);
            assert_eq!(error.field(), "ca", "{error}");
        }
    }
}
