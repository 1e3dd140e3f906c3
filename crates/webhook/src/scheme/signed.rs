//! A signature over the body and what is signed with it, described by data: keyed digests, digests
//! with the secret in them, and signatures under a sender's public key.
//!
//! `table` is its form in a provider file, `presented` reads what a request shows as proof,
//! `content` says what is signed, `key` decodes keys and signatures, `signing` makes signatures for
//! samples, `check` puts them together.

mod about;
mod certificate;
mod check;
mod content;
mod der;
mod expect;
mod key;
mod presented;
mod signing;
mod table;

pub(super) use key::{Algorithm, Encoding, Hash, KeyEncoding};
pub(super) use presented::Unit;
pub(super) use table::{IdTable, KeyTable, Ports, SignatureTable, SignedTable, TimestampTable};

use super::{
    About, Check, Headers, Scheme, SecretError, Signed, Terms, Tolerance, Unsigned, header_value,
    settings,
};
use crate::provider::{Problems, ProviderText, VerifyTable};
use certificate::Certificate;
use check::Prepared;
use content::{Content, Inputs};
use expect::Expect;
use headgate_event::{Covers, Secret, Timestamp, json::Doc};
use headgate_http::RawRequest;
use http::{HeaderName, header};
use key::{Key, KeyForm};
use presented::{Signature, SignatureAt, Stamp, StampAt};
use std::sync::Arc;

/// The scheme as one provider uses it.
#[derive(Clone, Debug)]
struct Signer {
    algorithm: Algorithm,
    encoding: Encoding,
    key: KeyForm,
    content: Content,
    signature: Signature,
    stamp: Option<Stamp>,
    id: Option<Headers>,
    /// Whether the port of a URL may be left out or written, whatever we are told of it.
    ports: Ports,
    /// The parameter of the query that holds the SHA-256 of a body that is no form, in hex.
    body_digest: Option<String>,
    /// The array in the body that may have one item alone, because no other is signed.
    single: Option<String>,
    /// The field of a form that is signed instead of the form around it.
    inner: Option<String>,
    /// The certificate whose key signs, where the channel has none.
    certificate: Option<Certificate>,
    /// What has to stand in the body once it is proved.
    expect: Vec<Expect>,
    /// What is said of an event beside what its proof covers.
    detail: Option<String>,
}

/// Reads the `[verify]` table of the schemes that are one with another algorithm.
pub(super) fn read(
    text: &ProviderText<'_>,
    scheme: &str,
    problems: &mut Problems,
) -> Option<Box<dyn Scheme>> {
    let table: SignedTable = text.table::<VerifyTable<SignedTable>>(problems)?.verify;
    build(table, scheme, problems)
}

/// Checks what the table says.
pub(super) fn build(
    table: SignedTable,
    scheme: &str,
    problems: &mut Problems,
) -> Option<Box<dyn Scheme>> {
    table.checked(scheme, problems).map(|signer| Box::new(signer) as Box<dyn Scheme>)
}

impl Signer {
    fn covers(&self) -> Covers {
        let (body, url) = (self.content.covers_body(), self.content.covers_url());
        match (body || self.body_digest.is_some(), url, &self.stamp) {
            (false, ..) => Covers::Token,
            (true, _, Some(_)) => Covers::BodyAndTime,
            (true, true, None) => Covers::UrlAndBody,
            (true, false, None) => Covers::Body,
        }
    }

    /// Whether the time is signed apart from the body.
    fn signs_timestamp(&self) -> bool {
        self.content.has(&content::Part::Timestamp)
    }

    fn prepare(&self, secret: &Secret) -> Result<Key, SecretError> {
        Key::of(self.algorithm, &self.key, secret)
    }

    /// The time that a sample signs, as it is written.
    fn time(&self, request: &Unsigned<'_>, now: Timestamp) -> Option<String> {
        let stamp = self.stamp.as_ref()?;
        let StampAt::Json(path) = &stamp.at else { return Some(stamp.unit.write(now)) };
        let doc = Doc::parse(request.body.to_vec().into()).ok()?;
        Some(doc.root().path(path)?.scalar()?.into_owned())
    }
}

impl Scheme for Signer {
    fn check(&self, method: &str, terms: &Terms) -> Result<Check, (usize, SecretError)> {
        let mut signer = self.clone();
        if let (Some(stamp), Some(tolerance)) = (&mut signer.stamp, terms.tolerance) {
            stamp.tolerance = tolerance;
        }
        let prepare = |(at, secret)| self.prepare(secret).map_err(|error| (at, error));
        let keys = terms.secrets.iter().enumerate().map(prepare).collect::<Result<_, _>>()?;
        Ok(Box::new(Prepared {
            signer,
            keys,
            method: method.to_owned(),
            public_url: terms.public_url.clone(),
            settings: terms.settings.clone(),
            fetched: Arc::clone(&terms.fetched),
        }))
    }

    fn sign(
        &self,
        request: &Unsigned<'_>,
        terms: &Terms,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Signed, SecretError> {
        let time = self.time(request, now);
        let content_type = request.headers.iter().find(|(name, _)| name == header::CONTENT_TYPE);
        let url = settings::url(terms.public_url.as_deref(), request.path, request.query);
        let inputs = Inputs {
            method: request.method,
            path: request.path,
            url: &url,
            is_form: content::is_form(content_type.map(|(_, value)| value)),
            body: request.body,
            timestamp: time.as_deref().unwrap_or_default(),
            id: request.id,
            settings: &terms.settings,
        };
        let pieces = self.content.pieces(&inputs);
        let proof = signing::signature(self.algorithm, &self.key, secret, &pieces)?;
        let proof = self.encoding.encode(&proof);
        let mut headers: Vec<(HeaderName, String)> = Vec::new();
        headers.extend(self.signature.write(&proof, self.stamp.as_ref(), time.as_deref()));
        let stamped = self.stamp.as_ref().and_then(Stamp::header).zip(time);
        headers.extend(stamped.map(|(header, time)| (header.name(), time)));
        headers.extend(self.id.as_ref().map(|header| (header.name(), request.id.to_owned())));
        let headers: Result<Vec<_>, _> =
            headers.into_iter().map(|(name, text)| header_value(name, text.as_bytes())).collect();
        let in_body = matches!(self.signature.at, SignatureAt::Json(_)).then_some(proof);
        Ok(Signed { headers: headers?, in_body })
    }

    fn about(&self, request: &RawRequest, terms: &Terms) -> About {
        about::about(self, request, terms)
    }

    fn describe(&self) -> String {
        about::describe(self)
    }

    fn covers(&self) -> Covers {
        Signer::covers(self)
    }

    fn takes_secrets(&self) -> bool {
        self.certificate.is_none()
    }

    fn needs_url(&self) -> bool {
        self.content.covers_url()
    }

    fn signs_time(&self) -> bool {
        self.stamp.is_some()
    }

    fn tolerance(&self) -> Option<Tolerance> {
        self.stamp.as_ref().map(|stamp| stamp.tolerance)
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        self.signature.headers().contains(&header)
    }

    fn covers_header(&self, header: &HeaderName) -> bool {
        let stamp = self.stamp.as_ref().and_then(Stamp::header);
        self.id.iter().chain(stamp).any(|headers| headers.has(header))
    }
}
