//! A keyed digest over the body and what is signed with it, described by data.
//!
//! `table` is its form in a provider file, `presented` reads what a request shows as proof,
//! `content` says what is signed, `key` decodes secrets and digests, `check` puts them together.

mod about;
mod check;
mod content;
mod key;
mod presented;
mod table;

pub(super) use key::{Algorithm, Encoding, KeyEncoding};
pub(super) use presented::Unit;
pub(super) use table::{HmacTable, IdTable, KeyTable, SignatureTable, TimestampTable};

use super::{About, Check, Headers, Scheme, SecretError, Tolerance, Unsigned, header_value};
use crate::provider::{Problems, ProviderText, VerifyTable};
use check::Prepared;
use content::{Content, Inputs};
use headgate_event::{Covers, Secret, Timestamp};
use headgate_http::RawRequest;
use http::{HeaderName, HeaderValue};
use key::{Key, KeyForm};
use presented::{Signature, Stamp};

/// The scheme as one provider uses it.
#[derive(Clone, Debug)]
struct Hmac {
    algorithm: Algorithm,
    encoding: Encoding,
    key: KeyForm,
    content: Content,
    signature: Signature,
    stamp: Option<Stamp>,
    id: Option<Headers>,
}

/// Reads the `[verify]` table.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    build(text.table::<VerifyTable<HmacTable>>(problems)?.verify, problems)
}

/// Checks what the table says.
pub(super) fn build(table: HmacTable, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    table.checked(problems).map(|hmac| Box::new(hmac) as Box<dyn Scheme>)
}

impl Hmac {
    fn covers(&self) -> Covers {
        if self.stamp.is_some() { Covers::BodyAndTime } else { Covers::Body }
    }

    fn prepare(&self, secret: &Secret) -> Result<Key, SecretError> {
        Ok(self.algorithm.key(&self.key.decode(secret)?))
    }
}

impl Scheme for Hmac {
    fn check(
        &self,
        method: &str,
        secrets: &[Secret],
        tolerance: Option<Tolerance>,
    ) -> Result<Check, (usize, SecretError)> {
        let mut hmac = self.clone();
        if let (Some(stamp), Some(tolerance)) = (&mut hmac.stamp, tolerance) {
            stamp.tolerance = tolerance;
        }
        let prepare = |(at, secret)| self.prepare(secret).map_err(|error| (at, error));
        let keys = secrets.iter().enumerate().map(prepare).collect::<Result<_, _>>()?;
        Ok(Box::new(Prepared { hmac, keys, method: method.to_owned() }))
    }

    fn sign(
        &self,
        request: &Unsigned<'_>,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SecretError> {
        let key = self.prepare(secret)?;
        let time = self.stamp.as_ref().map(|stamp| stamp.unit.write(now));
        let inputs = Inputs {
            method: request.method,
            path: request.path,
            body: request.body,
            timestamp: time.as_deref().unwrap_or_default(),
            id: request.id,
        };
        let proof = self.encoding.encode(&key.digest(&self.content, &inputs));
        let mut headers = vec![self.signature.write(&proof, self.stamp.as_ref(), time.as_deref())];
        let stamped = self.stamp.as_ref().and_then(Stamp::header).zip(time);
        headers.extend(stamped.map(|(header, time)| (header.name(), time)));
        headers.extend(self.id.as_ref().map(|header| (header.name(), request.id.to_owned())));
        headers.into_iter().map(|(name, text)| header_value(name, text.as_bytes())).collect()
    }

    fn about(&self, request: &RawRequest, _: &Secret) -> About {
        about::about(self, request)
    }

    fn describe(&self) -> String {
        about::describe(self)
    }

    fn takes_secrets(&self) -> bool {
        true
    }

    fn signs_time(&self) -> bool {
        self.stamp.is_some()
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        self.signature.header.has(header)
    }

    fn covers_header(&self, header: &HeaderName) -> bool {
        let stamp = self.stamp.as_ref().and_then(Stamp::header);
        self.id.iter().chain(stamp).any(|headers| headers.has(header))
    }
}
