//! Postal: JSON, either `RawMessage` with the message itself in base64 or the hash that Postal made
//! of it. It signs the body with the key of its server.

use super::{
    compose::{Content, File, Parts},
    json::{self, filled, text},
    proof::{RsaHeader, basic, each, is_user_and_password, rsa},
    provider::{Check, Handed, Origin, Provider, SecretError, Unreadable, Window},
};
use crate::transfer;
use bytes::Bytes;
use headgate_event::{
    Secret,
    data::{Envelope, TransferEncoding},
};
use headgate_http::RawRequest;
use serde::Deserialize;
use std::slice;

const SECRET_FORM: &str =
    "the public key of the Postal server (the `p=` of its DKIM record), or `user:password`";
/// Of both the first is looked at: only old versions leave it out.
const HEADERS: &[RsaHeader] = &[RsaHeader::SHA256, RsaHeader::SHA1];

#[derive(Debug)]
pub(super) struct Postal;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inbound {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(deserialize_with = "text")]
    rcpt_to: String,
    mail_from: Option<String>,
    /// Of a `RawMessage`.
    message: Option<String>,
    base64: bool,
    #[serde(deserialize_with = "text")]
    from: String,
    #[serde(deserialize_with = "text")]
    to: String,
    #[serde(deserialize_with = "text")]
    cc: String,
    #[serde(deserialize_with = "text")]
    reply_to: String,
    #[serde(deserialize_with = "text")]
    subject: String,
    #[serde(deserialize_with = "text")]
    date: String,
    #[serde(deserialize_with = "text")]
    message_id: String,
    #[serde(deserialize_with = "text")]
    in_reply_to: String,
    #[serde(deserialize_with = "text")]
    references: String,
    #[serde(deserialize_with = "text")]
    auto_submitted: String,
    #[serde(deserialize_with = "text")]
    plain_body: String,
    #[serde(deserialize_with = "text")]
    html_body: String,
    received_with_ssl: bool,
    attachments: Vec<Attachment>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attachment {
    #[serde(deserialize_with = "text")]
    filename: String,
    #[serde(deserialize_with = "text")]
    content_type: String,
    #[serde(deserialize_with = "text")]
    data: String,
}

impl Provider for Postal {
    fn name(&self) -> &'static str {
        "postal"
    }

    fn secret_form(&self) -> &'static str {
        SECRET_FORM
    }

    fn check(&self, secrets: &[Secret], _: Window) -> Result<Check, (usize, SecretError)> {
        each(secrets, |secret| {
            if is_user_and_password(secret) {
                return basic(slice::from_ref(secret)).map_err(|(_, error)| error);
            }
            rsa(secret, HEADERS, SECRET_FORM)
        })
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let mut inbound: Inbound = json::read(&request.body)?;
        let id = filled(std::mem::take(&mut inbound.id));
        let delivery_id = id.ok_or_else(|| Unreadable::missing("an `id`"))?;
        let envelope = Envelope {
            mail_from: inbound.mail_from.take(),
            rcpt_to: filled(std::mem::take(&mut inbound.rcpt_to)).into_iter().collect(),
            tls: inbound.received_with_ssl,
            ..Envelope::default()
        };
        let (message, origin) = match inbound.message.take() {
            Some(text) if inbound.base64 => {
                let bytes = transfer::decode(text.as_bytes(), TransferEncoding::Base64);
                (Bytes::from(bytes.into_owned()), Origin::Sender)
            }
            Some(text) => (Bytes::from(text), Origin::Sender),
            None => (inbound.parts().message(), Origin::Parts),
        };
        let delivery_id = Some(format!("postal:{delivery_id}"));
        Ok(Handed { message, origin, envelope, delivery_id, ..Handed::default() })
    }
}

impl Inbound {
    fn parts(self) -> Parts {
        let bracketed = |id: String| {
            let id = id.trim().trim_matches(['<', '>']);
            (!id.is_empty()).then(|| format!("<{id}>"))
        };
        let mut parts = Parts::default();
        for (name, value) in [
            ("From", self.from),
            ("To", self.to),
            ("Cc", self.cc),
            ("Reply-To", self.reply_to),
            ("Subject", self.subject),
            ("Date", self.date),
            ("References", self.references),
            ("Auto-Submitted", self.auto_submitted),
        ] {
            parts.field(name, filled(value));
        }
        parts.field("Message-ID", bracketed(self.message_id));
        parts.field("In-Reply-To", bracketed(self.in_reply_to));
        parts.text = filled(self.plain_body);
        parts.html = filled(self.html_body);
        let file = |one: Attachment| File {
            name: one.filename,
            content_type: one.content_type,
            content_id: None,
            content: Content::Base64(one.data),
        };
        parts.files = self.attachments.into_iter().map(file).collect();
        parts
    }
}
