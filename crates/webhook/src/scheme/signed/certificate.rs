//! A certificate that a request names: where it is fetched from, and when its key is believed.

use super::presented::in_body;
use crate::{Fetched, provider::Problems, scheme::signed::der};
use headgate_event::{Timestamp, limits::STORE_RETRY_AFTER};
use headgate_http::{Hosts, RawRequest, Reject};
use http::HeaderName;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct CertificateTable {
    header: Option<Spanned<String>>,
    json: Option<String>,
    hosts: Spanned<Vec<String>>,
    /// What its path is, with one `*` for letters and digits; without it any path and query will do.
    path: Option<String>,
    /// Whether its chain has to lead to a certificate that this system trusts.
    #[serde(default)]
    chain: bool,
    /// What a name in it has to end in.
    name: Option<String>,
    /// Where the request says which digest is signed: `1` is SHA-1, `2` SHA-256.
    version: Option<String>,
}

/// Where a certificate comes from, and what it has to be.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    at: At,
    hosts: Hosts,
    path: Option<String>,
    chain: bool,
    name: Option<String>,
    version: Option<String>,
}

#[derive(Clone, Debug)]
enum At {
    Header(HeaderName),
    Json(String),
}

/// The key of a certificate, for the digest that the request names.
pub(super) type RsaKey = UnparsedPublicKey<Vec<u8>>;

impl CertificateTable {
    pub(super) fn checked(self, problems: &mut Problems) -> Option<Certificate> {
        let hosts = Hosts::read(self.hosts.get_ref())
            .map_err(|message| problems.add(self.hosts.span(), message))
            .ok();
        let at = match (self.header, self.json) {
            (Some(name), None) => At::Header(problems.header(name.get_ref(), name.span())?),
            (None, Some(path)) => At::Json(path),
            _ => {
                let message = "expected one of `certificate.header` and `certificate.json`";
                problems.add(self.hosts.span(), message);
                return None;
            }
        };
        let Self { path, chain, name, version, .. } = self;
        Some(Certificate { at, hosts: hosts?, path, chain, name, version })
    }
}

/// Whether a path, which begins after its first `/` and has its query, is this one.
fn is_path(known: &str, path: &str) -> bool {
    let known = known.strip_prefix('/').unwrap_or(known);
    match known.split_once('*') {
        None => known == path,
        Some((before, after)) => {
            let middle = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let word = |byte: u8| byte.is_ascii_alphanumeric();
            middle.is_some_and(|middle| !middle.is_empty() && middle.bytes().all(word))
        }
    }
}

impl Certificate {
    /// Its URL, when that is one of the sender's.
    pub(super) fn url(&self, request: &RawRequest) -> Result<String, Reject> {
        const CODE: &str = "missing_certificate";
        let url = match &self.at {
            At::Json(path) => in_body(request, path, CODE, "address of a certificate")?,
            At::Header(name) => {
                let value = request.single_header(name.as_str())?.unwrap_or_default();
                let text = std::str::from_utf8(value).unwrap_or_default();
                if text.is_empty() {
                    let message = format!("header `{name}` is missing or empty");
                    return Err(Reject::unauthorized(CODE, message));
                }
                text.to_owned()
            }
        };
        self.hosts.admit(&url)?;
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        if self.path.as_ref().is_some_and(|known| !is_path(known, path)) {
            let message = "the address of the certificate is not where the sender keeps them";
            return Err(Reject::unauthorized("foreign_path", message));
        }
        Ok(url)
    }

    /// The hosts and what is asked of the certificate, in words.
    pub(super) fn describe(&self) -> String {
        let chain = if self.chain { ", with a chain that this system trusts" } else { "" };
        let name = self.name.as_ref().map_or(String::new(), |name| format!(", for `*{name}`"));
        format!("under the certificate that the request names{name}{chain}")
    }

    /// The key of the certificate, which has been fetched and is believed.
    pub(super) fn key(
        &self,
        request: &RawRequest,
        fetched: &Fetched,
        now: Timestamp,
    ) -> Result<RsaKey, Reject> {
        let url = self.url(request)?;
        let Some((pem, _)) = fetched.find(&url, now) else {
            return Err(Reject::unavailable("the certificate is not at hand", STORE_RETRY_AFTER));
        };
        let refuse = |why: &'static str| Reject::unauthorized("bad_certificate", why);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
        let (first, others) = chain.split_first().ok_or_else(|| refuse("it is no certificate"))?;
        let inner = der::certificate(first).ok_or_else(|| refuse("the certificate is broken"))?;
        if !inner.is_valid_at(now) {
            return Err(refuse("the certificate is not valid at this time"));
        }
        let leaf = webpki::EndEntityCert::try_from(first)
            .map_err(|error| refuse("the certificate is broken").with_cause(error))?;
        if let Some(ending) = &self.name
            && !leaf.valid_dns_names().any(|name| name.ends_with(ending.as_str()))
        {
            return Err(refuse("the certificate is not made out to the sender"));
        }
        if self.chain {
            let seconds = u64::try_from(now.unix_s()).unwrap_or_default();
            let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            let usage = webpki::KeyUsage::server_auth();
            let algorithms = webpki::ALL_VERIFICATION_ALGS;
            leaf.verify_for_usage(algorithms, fetched.anchors(), others, time, usage, None, None)
                .map_err(|error| refuse("the certificate is not trusted").with_cause(error))?;
        }
        Ok(UnparsedPublicKey::new(self.algorithm(request)?, inner.rsa_key))
    }

    fn algorithm(
        &self,
        request: &RawRequest,
    ) -> Result<&'static ring::signature::RsaParameters, Reject> {
        let Some(path) = &self.version else { return Ok(&RSA_PKCS1_2048_8192_SHA256) };
        match in_body(request, path, "missing_signature", "version of a signature")?.as_str() {
            "1" => Ok(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
            "2" => Ok(&RSA_PKCS1_2048_8192_SHA256),
            _ => {
                let message = "the version of the signature is neither 1 nor 2";
                Err(Reject::unauthorized("no_known_signature", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn a_certificate_is_at_its_path_alone_and_without_a_query() {
        let is = |path: &str| is_path("/SimpleNotificationService-*.pem", path);
        assert!(is("SimpleNotificationService-0a1B.pem"));
        for path in [
            "",
            "?Action=GetEndpointAttributes&x=SimpleNotificationService-a.pem",
            "SimpleNotificationService-.pem",
            "SimpleNotificationService-a.pem?x=1",
            "SimpleNotificationService-a/../b.pem",
            "bucket/SimpleNotificationService-a.pem",
        ] {
            assert!(!is(path), "{path}");
        }
    }
}
