//! The check of a request against the keys of one channel.

use super::{
    Hmac,
    content::Inputs,
    key::Key,
    presented::{Presented, Stamp},
};
use crate::scheme::Headers;
use headgate_event::{Timestamp, Verdict, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use subtle::ConstantTimeEq;

/// The scheme with the keys of a channel, in the order in which they are configured.
pub(super) struct Prepared {
    pub(super) hmac: Hmac,
    pub(super) keys: Vec<Key>,
    pub(super) method: String,
}

impl Prepared {
    /// The signatures that have the form of one. Those that do not are passed over, because a
    /// sender that rolls its keys or its format sends several.
    fn decoded(&self, presented: &Presented<'_>) -> Result<Vec<Vec<u8>>, Reject> {
        let bytes = self.hmac.algorithm.digest_bytes();
        let decode = |text: &&str| self.hmac.encoding.decode(text, bytes);
        let signatures: Vec<_> = presented.signatures.iter().filter_map(decode).collect();
        if signatures.is_empty() {
            return Err(self.hmac.signature.malformed(self.hmac.encoding, bytes));
        }
        Ok(signatures)
    }

    fn id<'a>(&self, header: &Headers, request: &'a RawRequest) -> Result<&'a str, Reject> {
        let id = header.text(request, "missing_id", "malformed_id")?;
        match self.hmac.content.after_id() {
            Some(end) if id.contains(end) => {
                let message = format!("header `{}` holds `{end}`", header.first);
                Err(Reject::unauthorized("malformed_id", message))
            }
            _ => Ok(id),
        }
    }

    /// Which key made one of the signatures.
    fn matching(&self, inputs: &Inputs<'_>, signatures: &[Vec<u8>]) -> Option<usize> {
        self.keys.iter().position(|key| {
            let digest = key.digest(&self.hmac.content, inputs);
            signatures.iter().any(|signature| signature.ct_eq(&digest).into())
        })
    }
}

impl Verify for Prepared {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let stamp = self.hmac.stamp.as_ref();
        let presented = self.hmac.signature.read(request, stamp)?;
        let signatures = self.decoded(&presented)?;
        let read = |stamp: &Stamp| stamp.read(request, &presented);
        let apart = stamp.filter(|stamp| !stamp.in_body());
        let time = apart.map(read).transpose()?;
        let id = self.hmac.id.as_ref().map(|header| self.id(header, request)).transpose()?;
        let inputs = Inputs {
            method: &request.method,
            path: &request.path,
            body: &request.body,
            timestamp: time.as_ref().map_or("", |(text, _)| text),
            id: id.unwrap_or_default(),
        };
        let Some(key) = self.matching(&inputs, &signatures) else {
            return Err(Reject::unauthorized(
                "signature_mismatch",
                "no signature was made with a secret of this channel over what was received",
            ));
        };
        // Only a time that the signature covers says anything, so it is looked at last.
        if let Some(stamp) = stamp {
            let (_, time) = time.map_or_else(|| read(stamp), Ok)?;
            stamp.admits(time, now)?;
        }
        Ok(Verification {
            verdict: Verdict::Verified,
            method: self.method.clone().into(),
            covers: self.hmac.covers(),
            detail: None,
            key: u32::try_from(key).ok(),
        })
    }
}
