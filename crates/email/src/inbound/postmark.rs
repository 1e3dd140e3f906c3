//! Postmark: JSON, with the message itself in `RawEmail` where the server is set so. It signs
//! nothing; its URL holds a user and a password.

use super::{
    compose::{Content, File, Parts, mailboxes},
    json::{self, filled, text},
    proof::basic,
    provider::{Check, Handed, Origin, Provider, SecretError, Unreadable, Window},
};
use bytes::Bytes;
use headgate_event::{Secret, data::Envelope};
use headgate_http::RawRequest;
use serde::Deserialize;

#[derive(Debug)]
pub(super) struct Postmark;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inbound {
    #[serde(deserialize_with = "text")]
    record_type: String,
    #[serde(rename = "MessageID", deserialize_with = "text")]
    message_id: String,
    #[serde(deserialize_with = "text")]
    from: String,
    from_full: Full,
    to_full: Vec<Full>,
    cc_full: Vec<Full>,
    #[serde(deserialize_with = "text")]
    original_recipient: String,
    #[serde(deserialize_with = "text")]
    mailbox_hash: String,
    #[serde(deserialize_with = "text")]
    subject: String,
    #[serde(deserialize_with = "text")]
    date: String,
    #[serde(deserialize_with = "text")]
    reply_to: String,
    #[serde(deserialize_with = "text")]
    text_body: String,
    #[serde(deserialize_with = "text")]
    html_body: String,
    #[serde(deserialize_with = "text")]
    raw_email: String,
    headers: Vec<Header>,
    attachments: Vec<Attachment>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Full {
    #[serde(deserialize_with = "text")]
    email: String,
    #[serde(deserialize_with = "text")]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Header {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attachment {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    content_type: String,
    /// The console's test requests call it `Data`.
    #[serde(alias = "Data", deserialize_with = "text")]
    content: String,
    #[serde(rename = "ContentID", deserialize_with = "text")]
    content_id: String,
}

impl Provider for Postmark {
    fn name(&self) -> &'static str {
        "postmark"
    }

    fn secret_form(&self) -> &'static str {
        "`user:password`, as in the URL that Postmark is given"
    }

    fn check(&self, secrets: &[Secret], _: Window) -> Result<Check, (usize, SecretError)> {
        basic(secrets)
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let mut inbound: Inbound = json::read(&request.body)?;
        if !matches!(inbound.record_type.as_str(), "" | "Inbound") {
            let found: String = inbound.record_type.chars().take(40).collect();
            return Err(Unreadable::NoMessage(format!(
                "expected RecordType `Inbound`, found `{found}`"
            )));
        }
        let id = filled(std::mem::take(&mut inbound.message_id));
        let delivery_id = id.ok_or_else(|| Unreadable::missing("a MessageID"))?;
        let envelope = Envelope {
            mail_from: inbound.return_path(),
            rcpt_to: filled(inbound.original_recipient.clone()).into_iter().collect(),
            ..Envelope::default()
        };
        let tag = filled(std::mem::take(&mut inbound.mailbox_hash));
        let (message, origin) = match filled(std::mem::take(&mut inbound.raw_email)) {
            Some(raw) => (Bytes::from(raw), Origin::Sender),
            None => (inbound.parts().message(), Origin::Parts),
        };
        let delivery_id = Some(delivery_id);
        Ok(Handed { message, origin, envelope, delivery_id, tag, ..Handed::default() })
    }
}

impl Inbound {
    /// Postmark puts it before all other headers.
    fn return_path(&self) -> Option<String> {
        let first = self.headers.iter().find(|one| one.name.eq_ignore_ascii_case("return-path"))?;
        Some(first.value.trim().trim_matches(['<', '>']).to_owned())
    }

    /// What is not among the headers stands in fields of its own.
    fn parts(self) -> Parts {
        let list = |list: &[Full]| mailboxes(list.iter().map(|one| (&*one.name, &*one.email)));
        let mut parts = Parts::default();
        let from =
            list(std::slice::from_ref(&self.from_full)).or_else(|| filled(self.from.clone()));
        parts.field("From", from);
        parts.field("To", list(&self.to_full));
        parts.field("Cc", list(&self.cc_full));
        parts.field("Reply-To", filled(self.reply_to));
        parts.field("Subject", filled(self.subject));
        parts.field("Date", filled(self.date));
        for Header { name, value } in self.headers {
            let known = |(known, _): &(String, String)| known.eq_ignore_ascii_case(&name);
            if !parts.fields.iter().take(6).any(known) {
                parts.field(&name, Some(value));
            }
        }
        parts.text = filled(self.text_body);
        parts.html = filled(self.html_body);
        let file = |one: Attachment| File {
            name: one.name,
            content_type: one.content_type,
            content_id: filled(one.content_id),
            content: Content::Base64(one.content),
        };
        parts.files = self.attachments.into_iter().map(file).collect();
        parts
    }
}
