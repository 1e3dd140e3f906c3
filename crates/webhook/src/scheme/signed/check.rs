//! The check of a request against the keys of one channel.

use super::{
    Signer,
    certificate::RsaKey,
    content::{self, Inputs},
    key::{Algorithm, Key, joined},
    presented::{Presented, Stamp},
    table::Ports,
};
use crate::{
    Fetched, Wanted,
    scheme::{Headers, Proof, Settings, settings},
};
use headgate_event::{Timestamp, Verdict, Verification, json::Doc};
use headgate_http::{RawRequest, Reject, Verify};
use http::header;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The scheme with the keys of a channel, in the order in which they are configured.
pub(super) struct Prepared {
    pub(super) signer: Signer,
    pub(super) keys: Vec<Key>,
    pub(super) method: String,
    pub(super) public_url: Option<String>,
    pub(super) settings: Settings,
    pub(super) fetched: Arc<Fetched>,
}

impl Prepared {
    /// The signatures that have the form of one. Those that do not are passed over, because a
    /// sender that rolls its keys or its format sends several.
    fn decoded(&self, presented: &Presented<'_>) -> Result<Vec<Vec<u8>>, Reject> {
        let (encoding, algorithm) = (self.signer.encoding, self.signer.algorithm);
        let texts = presented.signatures.iter();
        let signatures: Vec<_> =
            texts.filter_map(|text| encoding.decode(text, algorithm)).collect();
        if signatures.is_empty() {
            return Err(self.signer.signature.malformed(encoding, algorithm));
        }
        Ok(signatures)
    }

    fn id<'a>(&self, header: &Headers, request: &'a RawRequest) -> Result<&'a str, Reject> {
        let id = header.text(request, "missing_id", "malformed_id")?;
        match self.signer.content.after_id() {
            Some(end) if id.contains(end) => {
                let message = format!("header `{}` holds `{end}`", header.first);
                Err(Reject::unauthorized("malformed_id", message))
            }
            _ => Ok(id),
        }
    }

    /// Which key made one of the signatures.
    fn matching(
        &self,
        inputs: &Inputs<'_>,
        signatures: &[Vec<u8>],
        certified: Option<&RsaKey>,
    ) -> Option<usize> {
        let pieces = self.signer.content.pieces(inputs);
        if let Some(key) = certified {
            let message = joined(&pieces);
            return signatures.iter().position(|found| key.verify(&message, found).is_ok());
        }
        self.keys.iter().position(|key| key.made(&pieces, signatures))
    }

    /// The URLs that the sender may have meant.
    fn urls(&self, request: &RawRequest) -> Vec<String> {
        if !self.signer.content.covers_url() {
            return vec![String::new()];
        }
        let url = settings::url(self.public_url.as_deref(), &request.path, &request.query);
        match self.signer.ports {
            Ports::AsConfigured => vec![url],
            Ports::Either => other_port(&url).into_iter().chain([url.clone()]).collect(),
        }
    }

    /// What else has to hold of a body whose signature covers only parts of it.
    fn admits_body(&self, request: &RawRequest) -> Result<(), Reject> {
        let mismatch = |message: &'static str| Reject::unauthorized("signature_mismatch", message);
        if let Some(path) = &self.signer.single {
            let doc = Doc::parse(request.body.clone()).ok();
            let items = doc.as_ref().and_then(|doc| doc.root().path(path)).map(|node| node.len());
            if items != Some(1) {
                let message = "the signature covers one item, and the body does not hold just one";
                return Err(mismatch(message));
            }
        }
        // What is behind a digest of the secret can be lengthened without it, but not with text.
        if self.signer.algorithm == Algorithm::Concat && std::str::from_utf8(&request.body).is_err()
        {
            return Err(mismatch("the body is not UTF-8, as everything is that is signed so"));
        }
        let is_form = content::is_form(request.headers.get(header::CONTENT_TYPE));
        match &self.signer.body_digest {
            Some(name) if !is_form && !has_digest(request, name) => {
                Err(mismatch("the query, which is signed, does not have the digest of the body"))
            }
            _ => Ok(()),
        }
    }
}

/// The same URL with the usual port of its scheme written out, or left out.
fn other_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, after) = rest.split_at(end);
    if let Some(without) = host.strip_suffix(usual) {
        return Some(format!("{scheme}://{without}{after}"));
    }
    let name = host.rsplit_once(']').map_or(host, |(_, port)| port);
    (!name.contains(':')).then(|| format!("{scheme}://{host}{usual}{after}"))
}

/// Whether a parameter of the query is the SHA-256 of the body in hex. Without a body there is
/// nothing to be told of it.
fn has_digest(request: &RawRequest, name: &str) -> bool {
    let mut pairs = form_urlencoded::parse(request.query.as_bytes());
    let Some((_, sent)) = pairs.find(|(found, _)| found == name) else {
        return request.body.is_empty();
    };
    let digest = hex::encode(Sha256::digest(&request.body));
    sent.to_ascii_lowercase().as_bytes().ct_eq(digest.as_bytes()).into()
}

impl Proof for Prepared {
    fn wants(&self, request: &RawRequest, now: Timestamp) -> Result<Option<Wanted>, Reject> {
        let Some(certificate) = &self.signer.certificate else { return Ok(None) };
        let url = certificate.url(request)?;
        Ok(self.fetched.find(&url, now).is_none().then(|| url.as_str().into()))
    }
}

impl Verify for Prepared {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let signer = &self.signer;
        let stamp = signer.stamp.as_ref();
        let presented = signer.signature.read(request, stamp)?;
        let signatures = self.decoded(&presented)?;
        let read = |stamp: &Stamp| stamp.read(request, &presented);
        // A time in the body is read once the body has proved itself, unless it is signed by
        // itself.
        let before = stamp.filter(|stamp| !stamp.in_body() || signer.signs_timestamp());
        let time = before.map(read).transpose()?;
        let id = signer.id.as_ref().map(|header| self.id(header, request)).transpose()?;
        let is_form = content::is_form(request.headers.get(header::CONTENT_TYPE));
        let inner = signer.inner.as_ref().filter(|_| is_form);
        let inner = inner.and_then(|field| content::in_form(&request.body, field));
        let body: &[u8] = inner.as_deref().map_or(&request.body, str::as_bytes);
        let certificate = signer.certificate.as_ref();
        let certified =
            certificate.map(|named| named.key(request, &self.fetched, now)).transpose()?;
        let matches = |url: &String| {
            let inputs = Inputs {
                method: &request.method,
                path: &request.path,
                url,
                is_form,
                body,
                timestamp: time.as_ref().map_or("", |(text, _)| text),
                id: id.unwrap_or_default(),
                settings: &self.settings,
            };
            self.matching(&inputs, &signatures, certified.as_ref())
        };
        let Some(key) = self.urls(request).iter().find_map(matches) else {
            return Err(Reject::unauthorized(
                "signature_mismatch",
                "no signature was made with a secret of this channel over what was received",
            ));
        };
        self.admits_body(request)?;
        // Only a time that the signature covers says anything, so it is looked at last.
        if let Some(stamp) = stamp {
            let (_, time) = time.map_or_else(|| read(stamp), Ok)?;
            stamp.admits(time, now)?;
        }
        signer.expect.iter().try_for_each(|expect| expect.admit(request, &self.settings))?;
        Ok(Verification {
            verdict: Verdict::Verified.into(),
            method: self.method.clone().into(),
            covers: signer.covers().into(),
            detail: signer.detail.clone(),
            key: certified.is_none().then(|| u32::try_from(key).ok()).flatten(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::other_port;

    #[test]
    fn the_usual_port_is_written_out_or_left_out() {
        for (url, other) in [
            ("https://a.example/x?y=:1", Some("https://a.example:443/x?y=:1")),
            ("https://a.example:443/x", Some("https://a.example/x")),
            ("http://a.example:80", Some("http://a.example")),
            ("http://a.example:443/x", None),
            ("https://[::1]/x", Some("https://[::1]:443/x")),
            ("/x", None),
        ] {
            assert_eq!(other_port(url).as_deref(), other, "{url}");
        }
    }
}
