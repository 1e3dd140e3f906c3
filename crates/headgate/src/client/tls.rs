//! What TLS trusts: the certificates of this system.

use super::ClientError;
use http::Uri;
use hyper_rustls::ConfigBuilderExt;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::sync::Arc;

/// The TLS of a client for this URL. Where no TLS is spoken no certificate is looked for, so that
/// `http` works on systems that have none.
pub(super) fn config(url: &Uri) -> Result<ClientConfig, ClientError> {
    let missing = |reason: String| ClientError::Certificates { reason };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| missing(error.to_string()))?;
    let builder = match url.scheme_str() {
        Some("https") => builder.with_native_roots().map_err(|error| missing(error.to_string()))?,
        _ => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}
