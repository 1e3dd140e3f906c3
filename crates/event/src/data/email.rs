//! `data` of `email.received`.

use crate::{Open, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A message, who really sent it, what is new in it and what hangs on it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EmailData {
    /// The Message-ID with angle brackets; made from a digest, and flagged, when missing.
    pub message_id: String,
    /// The address of the author.
    pub from: String,
    /// The addresses of To.
    pub to: Vec<String>,
    /// The addresses of Cc.
    pub cc: Vec<String>,
    /// Envelope recipients that neither To nor Cc names.
    pub bcc: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The text, from the plain part or made from HTML.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
    /// What hangs on it.
    pub attachments: Vec<Attachment>,
    /// When it was received.
    pub received_at: Timestamp,
    /// The author's display name.
    #[serde(default)]
    pub from_name: Option<String>,
    /// The address of Sender.
    #[serde(default)]
    pub sender: Option<String>,
    /// The addresses of Reply-To.
    #[serde(default)]
    pub reply_to: Vec<String>,
    /// The Date header.
    #[serde(default)]
    pub date: Option<Timestamp>,
    /// The Message-ID it answers.
    #[serde(default)]
    pub in_reply_to: Option<String>,
    /// The Message-IDs of its thread, oldest first.
    #[serde(default)]
    pub references: Vec<String>,
    /// What is new in it: quoted history and signature removed.
    #[serde(default)]
    pub reply_text: Option<String>,
    /// Where `text` is from: `plain` or `html`.
    #[serde(default)]
    pub text_source: Option<String>,
    /// How many bytes of text a reader would not see.
    #[serde(default)]
    pub hidden_text_bytes: u64,
    /// The tag of a plus address, or what a catch-all matched.
    #[serde(default)]
    pub tag: Option<String>,
    /// The configured address that matched.
    #[serde(default)]
    pub matched_address: Option<String>,
    /// How it was handed over.
    #[serde(default)]
    pub envelope: Option<Envelope>,
    /// What SPF, DKIM and DMARC say.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Whether a machine wrote it.
    #[serde(default)]
    pub auto: AutoFlags,
    /// The headers in their order.
    #[serde(default)]
    pub headers: Vec<MailHeader>,
    /// What is wrong with the message, one code each.
    #[serde(default)]
    pub defects: Vec<String>,
    /// Whether a text was cut.
    #[serde(default)]
    pub truncated: bool,
    /// The size of the message as it came, in bytes.
    #[serde(default)]
    pub size_bytes: u64,
    /// Where the message as it came can be fetched.
    #[serde(default)]
    pub raw_url: Option<String>,
}

/// A part of a message that is not its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The name, made safe for a file system.
    pub filename: String,
    /// The media type.
    pub content_type: String,
    /// The decoded size in bytes.
    pub size_bytes: u64,
    /// Where it can be fetched; signed, short-lived, made when served.
    pub url: Option<String>,
    /// SHA-256 of the decoded bytes, in hex.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The Content-ID without angle brackets.
    #[serde(default)]
    pub content_id: Option<String>,
    /// Whether the text shows it.
    #[serde(default)]
    pub inline: bool,
    /// `file`, `calendar`, `message`, `tnef`, `signature`, `encrypted`, `report`.
    #[serde(default)]
    pub kind: Option<String>,
    /// How it is protected: `smime` or `pgp`; null for anything else.
    #[serde(default)]
    pub protection: Option<String>,
    /// What a calendar invites to; null for anything else.
    #[serde(default)]
    pub calendar: Option<Calendar>,
    /// The files that a winmail.dat holds.
    #[serde(default)]
    pub contains: Vec<Contained>,
    /// Where its bytes are in the message.
    #[serde(default)]
    pub place: Option<Place>,
}

/// What an invitation says (RFC 5545, RFC 5546).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Calendar {
    /// What is asked: `REQUEST`, `REPLY`, `CANCEL`, ..
    pub method: Option<String>,
    /// The name of the appointment, the same in every message about it.
    pub uid: Option<String>,
    /// When it begins, as written: `20260419T091500Z`.
    pub start: Option<String>,
    /// The time zone of a beginning that does not end in `Z`.
    pub start_zone: Option<String>,
    /// What it is about.
    pub summary: Option<String>,
}

/// A file inside an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contained {
    /// The name, made safe for a file system.
    pub filename: String,
    /// The size in bytes.
    pub size_bytes: u64,
}

/// Where an attachment is in the stored message: its bytes are read from there, not kept twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Bytes of it, encoded as they are.
    pub length: u64,
    /// What decodes them.
    pub encoding: Open<TransferEncoding>,
}

/// A Content-Transfer-Encoding (RFC 2045, 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, and every name nobody knows.
    #[default]
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
}

/// How a message was handed over by SMTP or a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Envelope {
    /// MAIL FROM; empty for a bounce.
    pub mail_from: Option<String>,
    /// RCPT TO.
    pub rcpt_to: Vec<String>,
    /// The name in HELO or EHLO.
    pub helo: Option<String>,
    /// The address of the client.
    pub remote_ip: Option<String>,
    /// Whether it came over TLS.
    pub tls: bool,
}

/// What SPF, DKIM and DMARC say of the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Auth {
    /// The SPF result of MAIL FROM.
    pub spf: Option<AuthResult>,
    /// The result of each DKIM signature.
    pub dkim: Vec<AuthResult>,
    /// The DMARC result of the author's domain.
    pub dmarc: Option<AuthResult>,
    /// Whether the author's address is proved: a DMARC pass on exactly one From.
    pub from_verified: bool,
    /// Who checked: `headgate` or the provider.
    pub source: Option<String>,
}

/// One result of sender authentication (RFC 8601 names).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthResult {
    /// `pass`, `fail`, `softfail`, `neutral`, `none`, `temperror`, `permerror`.
    pub verdict: String,
    /// The domain it is about.
    pub domain: Option<String>,
}

/// Whether a machine wrote a message, so that agents do not answer each other for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AutoFlags {
    /// A delivery report.
    pub is_bounce: bool,
    /// An automatic answer.
    pub is_auto_reply: bool,
    /// Sent to a list.
    pub is_list: bool,
    /// Which headers say so.
    pub reasons: Vec<String>,
}

/// One header of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailHeader {
    /// The name as written.
    pub name: String,
    /// The value, decoded and unfolded.
    pub value: String,
}
