//! TLS: a certificate and its key from two files, read again while connections go on.
//!
//! Not for clients, and not for who a client is: no certificate is asked of it.

use headgate_event::Timestamp;
use rustls::{
    CertificateError, RootCertStore, ServerConfig,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem, pem::PemObject},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    collections::hash_map::DefaultHasher,
    fmt, fs,
    hash::{Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio_rustls::TlsAcceptor;

/// The protocols that are offered inside of TLS, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// A moment beyond the end of every certificate: the last second of the year 9999.
const BEYOND: Duration = Duration::from_secs(253_402_300_799);

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those that lead to its issuer, in PEM.
    pub certificate: PathBuf,
    /// The private key of the certificate, in PEM.
    pub key: PathBuf,
}

/// TLS with the pair that was read last. A clone uses the same.
#[derive(Clone)]
pub struct Tls {
    pair: Arc<Pair>,
    acceptor: TlsAcceptor,
}

/// What came of looking at the files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// They are as they were when they were looked at last.
    Unchanged,
    /// Handshakes use what is in them from here on.
    Renewed,
}

/// A pair that cannot be used, with the file that is to blame.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("expected a file that can be read, found `{}`: {cause}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file holds something else.
    #[error("expected {expected} in `{}`, found {found}", .file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// The key belongs to another certificate.
    #[error(
        "expected the key of the first certificate in `{}`, found another one in `{}`",
        .certificate.display(), .key.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The library takes none of it.
    #[error("expected TLS 1.2 and 1.3 of the cryptography in use, found: {0}")]
    Protocol(rustls::Error),
}

/// The pair in use, and what is known of its files.
#[derive(Debug)]
struct Pair {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    in_use: RwLock<Arc<CertifiedKey>>,
    /// The digest of the files as they were looked at last, usable or not.
    looked_at: Mutex<u64>,
}

impl Tls {
    /// Reads both files; the certificate must be valid at `now` and the key must be its own.
    pub fn load(files: TlsFiles, now: Timestamp) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let bytes = Bytes::read(&files)?;
        let in_use = Arc::new(certified(&files, &bytes, &provider, now)?);
        let pair = Arc::new(Pair {
            looked_at: Mutex::new(bytes.digest()),
            in_use: RwLock::new(in_use),
            files,
            provider: Arc::clone(&provider),
        });
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Pair>::clone(&pair);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Protocol)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { pair, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Reads both files again and uses what is in them, if they are not as they were looked at
    /// last. When they cannot be used, what was in use stays in use; that is told once, and they
    /// are looked at again when they have changed.
    pub fn reload(&self, now: Timestamp) -> Result<Renewal, TlsError> {
        let bytes = Bytes::read(&self.pair.files)?;
        let digest = bytes.digest();
        let known = *self.pair.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if digest == known { Ok(Renewal::Unchanged) } else { self.take(&bytes, now) }
    }

    /// Uses the pair that another one has read.
    pub fn adopt(&self, other: &Self) {
        let looked_at = *other.pair.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        *self.pair.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = looked_at;
        *self.pair.in_use.write().unwrap_or_else(PoisonError::into_inner) = other.pair.in_use();
    }

    /// The last moment at which the certificate in use is valid, in seconds since 1970.
    #[must_use]
    pub fn valid_until_unix_s(&self) -> Option<u64> {
        let in_use = self.pair.in_use();
        let certificate = ParsedCertificate::try_from(in_use.cert.first()?).ok()?;
        match checked_at(&certificate, BEYOND, &self.pair.provider) {
            Some(CertificateError::ExpiredContext { not_after, .. }) => Some(not_after.as_secs()),
            _ => None,
        }
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Handshakes for what is not HTTP: with the same pair, and no protocol is offered inside.
    #[must_use]
    pub fn acceptor_without_protocols(&self) -> TlsAcceptor {
        let mut config = rustls::ServerConfig::clone(self.acceptor.config());
        config.alpn_protocols = Vec::new();
        TlsAcceptor::from(Arc::new(config))
    }

    fn take(&self, bytes: &Bytes, now: Timestamp) -> Result<Renewal, TlsError> {
        let pair = &self.pair;
        *pair.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = bytes.digest();
        let renewed = Arc::new(certified(&pair.files, bytes, &pair.provider, now)?);
        *pair.in_use.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(Renewal::Renewed)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.pair.files).finish_non_exhaustive()
    }
}

impl Pair {
    fn in_use(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.in_use.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.in_use())
    }
}

/// Both files as they are at one moment.
struct Bytes {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Bytes {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |file: &Path| {
            fs::read(file).map_err(|cause| TlsError::Unreadable { file: file.to_owned(), cause })
        };
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.certificate, &self.key).hash(&mut hasher);
        hasher.finish()
    }
}

fn certified(
    files: &TlsFiles,
    bytes: &Bytes,
    provider: &CryptoProvider,
    now: Timestamp,
) -> Result<CertifiedKey, TlsError> {
    let chain = chain(&files.certificate, &bytes.certificate)?;
    check_validity(&files.certificate, &chain, provider, now)?;
    let wrong_key = |found: String| TlsError::Content {
        file: files.key.clone(),
        expected: "a private key in PEM",
        found,
    };
    let key = PrivateKeyDer::from_pem_slice(&bytes.key).map_err(|error| wrong_key(told(&error)))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() }
        }
        error => wrong_key(format!("one that cannot be used: {error}")),
    })
}

fn chain(file: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |found: String| TlsError::Content {
        file: file.to_owned(),
        expected: "a certificate in PEM",
        found,
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(wrong("none".to_owned())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(wrong(told(&error))),
    }
}

fn told(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "none".to_owned(),
        error => format!("other text: {error}"),
    }
}

fn check_validity(
    file: &Path,
    chain: &[CertificateDer<'_>],
    provider: &CryptoProvider,
    now: Timestamp,
) -> Result<(), TlsError> {
    let wrong = |found: String| TlsError::Content {
        file: file.to_owned(),
        expected: "a certificate that is valid at this time",
        found,
    };
    let of = |time: UnixTime| {
        Timestamp::from_unix_s(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)).to_string()
    };
    let Some(first) = chain.first() else { return Err(wrong("none".to_owned())) };
    let first = ParsedCertificate::try_from(first)
        .map_err(|error| wrong(format!("one that cannot be read: {error}")))?;
    let now = Duration::from_millis(u64::try_from(now.unix_ms()).unwrap_or(0));
    match checked_at(&first, now, provider) {
        Some(CertificateError::ExpiredContext { not_after, .. }) => {
            Err(wrong(format!("one that expired at {}", of(not_after))))
        }
        Some(CertificateError::NotValidYetContext { not_before, .. }) => {
            Err(wrong(format!("one that is valid only from {}", of(not_before))))
        }
        // Whether the issuer is known is for clients to judge.
        _ => Ok(()),
    }
}

/// What is wrong with a certificate at a moment. Its times are looked at before its issuer, and no
/// issuer is known here.
fn checked_at(
    certificate: &ParsedCertificate<'_>,
    at: Duration,
    provider: &CryptoProvider,
) -> Option<CertificateError> {
    let checked = verify_server_cert_signed_by_trust_anchor(
        certificate,
        &RootCertStore::empty(),
        &[],
        UnixTime::since_unix_epoch(at),
        provider.signature_verification_algorithms.all,
    );
    match checked {
        Err(rustls::Error::InvalidCertificate(error)) => Some(error),
        _ => None,
    }
}
