//! Something that fetches, and has all that it fetches.

use bytes::Bytes;
use headgate_event::{BoxFuture, Secret};
use headgate_webhook::{Fetch, FetchError};
use rustls_pki_types::{CertificateDer, TrustAnchor, pem::PemObject};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Files by their URL.
#[derive(Debug)]
pub(crate) struct Files {
    files: BTreeMap<String, Bytes>,
    trusted: Vec<TrustAnchor<'static>>,
    pub(crate) fetches: AtomicUsize,
    /// What was posted, in its order.
    pub(crate) posted: Mutex<Vec<String>>,
}

impl Files {
    /// These files, and the certificate that is trusted, in PEM.
    pub(crate) fn new(files: BTreeMap<String, Bytes>, trusted: Option<&[u8]>) -> Self {
        let anchor = |pem: &[u8]| {
            let certificate = CertificateDer::from_pem_slice(pem).expect("a certificate");
            webpki::anchor_from_trusted_cert(&certificate).expect("an anchor").to_owned()
        };
        let trusted = trusted.map(anchor).into_iter().collect();
        Self { files, trusted, fetches: AtomicUsize::new(0), posted: Mutex::default() }
    }
}

impl Fetch for Files {
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            // A confirmation is asked for, and what it answers is nothing to anybody.
            let confirms = url.contains("Action=ConfirmSubscription");
            let found = self.files.get(url).cloned().or(confirms.then(Bytes::new));
            let reason = "expected status 200, found 404".to_owned();
            found.ok_or_else(|| FetchError { url: url.to_owned(), reason })
        })
    }

    fn post<'a>(
        &'a self,
        url: &'a str,
        body: &'a Secret,
    ) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        let text = String::from_utf8_lossy(body.expose()).into_owned();
        self.posted.lock().expect("not poisoned").push(text);
        self.fetch(url)
    }

    fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.trusted
    }
}
