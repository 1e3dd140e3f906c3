//! What TLS trusts: the certificates of this system.

use super::ClientError;
use http::Uri;
use hyper_rustls::ConfigBuilderExt;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, crypto::ring};
use std::{fmt::Display, sync::Arc};

/// The TLS of a client for this URL. Where no TLS is spoken no certificate is looked for, so that
/// `http` works on systems that have none.
pub(super) fn config(url: &Uri) -> Result<ClientConfig, ClientError> {
    if url.scheme_str() == Some("https") {
        return trusting_system();
    }
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// TLS with whom this system trusts.
pub(crate) fn trusting_system() -> Result<ClientConfig, ClientError> {
    let trusting = builder()?.with_native_roots().map_err(missing)?;
    Ok(trusting.with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ClientError> {
    let provider = Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(missing)
}

fn missing(error: impl Display) -> ClientError {
    ClientError::Certificates { reason: error.to_string() }
}
