//! The message itself as the body of a POST, with a signature of our own: for Postfix, fetchmail,
//! a Cloudflare Worker, and whatever else can run `openssl`.
//!
//! The signature is HMAC-SHA256 in hex over five lines and the message:
//!
//! ```text
//! v1
//! {x-headgate-timestamp}
//! {x-envelope-from}
//! {x-envelope-to}
//! {x-envelope-client}
//! {the body}
//! ```
//!
//! Each line ends with one LF; a header that is not sent is an empty line. So the envelope is
//! proved with the message.

use super::{
    proof::{Keys, admit, header, mismatch, proved, seconds},
    provider::{Check, Handed, Provider, SecretError, Unreadable, Window},
};
use headgate_event::{Covers, Secret, Timestamp, Verification, data::Envelope};
use headgate_http::{RawRequest, Reject, Verify};
use std::net::IpAddr;

pub(super) const TIMESTAMP: &str = "x-headgate-timestamp";
pub(super) const SIGNATURE: &str = "x-headgate-signature";
pub(super) const FROM: &str = "x-envelope-from";
pub(super) const TO: &str = "x-envelope-to";
pub(super) const CLIENT: &str = "x-envelope-client";
const SECRET_FORM: &str = "a secret of your own";

#[derive(Debug)]
pub(super) struct Raw;

struct Signed {
    keys: Keys,
    window: Window,
}

/// What is signed before the message.
pub(super) fn preamble(time: &[u8], from: &[u8], to: &[u8], client: &[u8]) -> Vec<u8> {
    let mut text = b"v1\n".to_vec();
    for line in [time, from, to, client] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text
}

impl Provider for Raw {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn secret_form(&self) -> &'static str {
        SECRET_FORM
    }

    fn check(&self, secrets: &[Secret], window: Window) -> Result<Check, (usize, SecretError)> {
        let keys = Keys::of_texts(secrets, SECRET_FORM)?;
        Ok(Box::new(Signed { keys, window }))
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let text = |name: &str| {
            let value = request.headers.get(name).map(http::HeaderValue::as_bytes);
            value.map(|value| String::from_utf8_lossy(value).trim().to_owned())
        };
        let bare = |address: &str| address.trim().trim_matches(['<', '>']).to_owned();
        let client = text(CLIENT).unwrap_or_default();
        let mut words = client.split_whitespace();
        let remote_ip = words.next().and_then(|word| word.parse::<IpAddr>().ok());
        let to = text(TO).unwrap_or_default();
        let envelope = Envelope {
            mail_from: text(FROM).filter(|from| !from.is_empty()).map(|from| bare(&from)),
            rcpt_to: to.split(',').map(bare).filter(|one| !one.is_empty()).collect(),
            helo: words.next().map(str::to_owned),
            remote_ip: remote_ip.map(|ip| ip.to_string()),
            tls: false,
        };
        if request.body.is_empty() {
            return Err(Unreadable::missing("a message as the body"));
        }
        Ok(Handed { message: request.body.clone(), envelope, ..Handed::default() })
    }
}

impl Verify for Signed {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let signature = header(request, SIGNATURE, "missing_signature")?;
        let time = header(request, TIMESTAMP, "missing_timestamp")?;
        let mut digest = [0; 32];
        let hex =
            signature.strip_prefix(b"v1=").filter(|hex| !hex.iter().any(u8::is_ascii_uppercase));
        hex.and_then(|hex| hex::decode_to_slice(hex, &mut digest).ok()).ok_or_else(|| {
            let form = "`v1=` and 64 lower-case hex digits";
            let message = format!("header `{SIGNATURE}` is not {form}");
            Reject::unauthorized("malformed_signature", message)
        })?;
        let signed = seconds(time, &format!("header `{TIMESTAMP}`"))?;
        let line = |name| request.single_header(name).map(Option::unwrap_or_default);
        let preamble = preamble(time, line(FROM)?, line(TO)?, line(CLIENT)?);
        let key = self.keys.signer(&[&preamble, &request.body], &[digest]).ok_or_else(mismatch)?;
        admit(signed, now, self.window)?;
        Ok(proved("hmac", Covers::BodyAndTime, key))
    }
}
