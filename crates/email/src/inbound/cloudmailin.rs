//! CloudMailin: JSON or a multipart form ("normalized"), or a form with the message itself in
//! `message` ("raw"). It signs nothing; its URL holds a user and a password.

use super::{
    compose::{Content, File, Parts},
    form::{Form, is_type},
    json::{self, filled, strings, text, texts},
    proof::basic,
    provider::{Check, Handed, Origin, Provider, SecretError, Unreadable, Window},
};
use headgate_event::{
    Secret,
    data::{Auth, AuthResult, Envelope},
};
use headgate_http::RawRequest;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct CloudMailin;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inbound {
    envelope: HandOver,
    /// In lower case with underscores; of repeated fields a list.
    headers: Map<String, Value>,
    #[serde(deserialize_with = "text")]
    plain: String,
    #[serde(deserialize_with = "text")]
    html: String,
    attachments: Vec<Attachment>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HandOver {
    #[serde(deserialize_with = "text")]
    to: String,
    #[serde(deserialize_with = "texts")]
    recipients: Vec<String>,
    from: Option<String>,
    #[serde(deserialize_with = "text")]
    helo_domain: String,
    #[serde(deserialize_with = "text")]
    remote_ip: String,
    tls: Value,
    spf: Spf,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spf {
    #[serde(deserialize_with = "text")]
    result: String,
    #[serde(deserialize_with = "text")]
    domain: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attachment {
    #[serde(deserialize_with = "text")]
    content: String,
    #[serde(deserialize_with = "text")]
    url: String,
    #[serde(deserialize_with = "text")]
    file_name: String,
    #[serde(deserialize_with = "text")]
    content_type: String,
    #[serde(deserialize_with = "text")]
    content_id: String,
}

impl Provider for CloudMailin {
    fn name(&self) -> &'static str {
        "cloudmailin"
    }

    fn secret_form(&self) -> &'static str {
        "`user:password`, as in the URL that CloudMailin is given"
    }

    fn check(&self, secrets: &[Secret], _: Window) -> Result<Check, (usize, SecretError)> {
        basic(secrets)
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let kind = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if is_type(kind.unwrap_or_default(), "application/json") {
            let inbound: Inbound = json::read(&request.body)?;
            return Ok(inbound.handed(Vec::new()));
        }
        let form = Form::read(request)?;
        let (inbound, files) = of_form(&form);
        if let Some(message) = form.bytes("message") {
            let (envelope, auth) = inbound.envelope.told();
            let (message, origin) = (message.clone(), Origin::Sender);
            return Ok(Handed { message, origin, envelope, auth, ..Handed::default() });
        }
        if inbound.headers.is_empty() {
            return Err(Unreadable::missing("`message` or `headers[..]`"));
        }
        Ok(inbound.handed(files))
    }
}

impl Inbound {
    fn handed(self, files: Vec<File>) -> Handed {
        let (envelope, auth) = self.envelope.told();
        let mut metadata = BTreeMap::new();
        let elsewhere: Vec<Value> = self
            .attachments
            .iter()
            .filter(|one| !one.url.is_empty())
            .map(|one| {
                serde_json::json!({
                    "filename": one.file_name, "content_type": one.content_type, "url": one.url,
                })
            })
            .collect();
        if !elsewhere.is_empty() {
            metadata.insert("content_pending".to_owned(), true.into());
            metadata.insert("attachments_at_provider".to_owned(), elsewhere.into());
        }
        let mut parts = Parts { files, ..Parts::default() };
        for (name, value) in &self.headers {
            for text in strings(value) {
                parts.field(&written(name), Some(text));
            }
        }
        parts.text = filled(self.plain);
        parts.html = filled(self.html);
        let here = self.attachments.into_iter().filter(|one| one.url.is_empty());
        parts.files.extend(here.map(|one| File {
            name: one.file_name,
            content_type: one.content_type,
            content_id: filled(one.content_id),
            content: Content::Base64(one.content),
        }));
        let (message, origin) = (parts.message(), Origin::Parts);
        Handed { message, origin, envelope, auth, metadata, ..Handed::default() }
    }
}

impl HandOver {
    /// The envelope, and what CloudMailin says of SPF.
    fn told(&self) -> (Envelope, Option<Auth>) {
        let mut rcpt_to = self.recipients.clone();
        if rcpt_to.is_empty() {
            rcpt_to.extend(filled(self.to.clone()));
        }
        let envelope = Envelope {
            mail_from: self.from.clone(),
            rcpt_to,
            helo: filled(self.helo_domain.clone()),
            remote_ip: filled(self.remote_ip.clone()),
            tls: matches!(&self.tls, Value::Bool(true)) || self.tls.as_str() == Some("true"),
        };
        let spf = filled(self.spf.result.to_ascii_lowercase()).map(|verdict| AuthResult {
            verdict,
            domain: filled(self.spf.domain.to_ascii_lowercase()),
        });
        (envelope, spf.map(|spf| Auth { spf: Some(spf), ..Auth::default() }))
    }
}

/// The same of a form, whose names have their places in brackets: `envelope[spf][result]`.
fn of_form(form: &Form) -> (Inbound, Vec<File>) {
    let text = |name: &str| form.text(name).map(|text| text.into_owned()).unwrap_or_default();
    let mut inbound = Inbound {
        envelope: HandOver {
            to: text("envelope[to]"),
            recipients: Vec::new(),
            from: form.text("envelope[from]").map(|from| from.into_owned()),
            helo_domain: text("envelope[helo_domain]"),
            remote_ip: text("envelope[remote_ip]"),
            tls: text("envelope[tls]").into(),
            spf: Spf {
                result: text("envelope[spf][result]"),
                domain: text("envelope[spf][domain]"),
            },
        },
        plain: text("plain"),
        html: text("html"),
        ..Inbound::default()
    };
    let mut files = Vec::new();
    for field in form.fields() {
        let value = || String::from_utf8_lossy(&field.value).into_owned();
        if field.name.starts_with("envelope[recipients]") {
            inbound.envelope.recipients.push(value());
        } else if let Some(name) = field.name.strip_prefix("headers[") {
            let name = name.split(']').next().unwrap_or_default().to_owned();
            let list = inbound.headers.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().into_iter().for_each(|list| list.push(value().into()));
        } else if field.name.starts_with("attachments[") && field.filename.is_some() {
            files.push(File {
                name: field.filename.clone().unwrap_or_default(),
                content_type: field.content_type.clone().unwrap_or_default(),
                content_id: None,
                content: Content::Bytes(field.value.clone()),
            });
        }
    }
    (inbound, files)
}

/// `message_id` as fields are written: `Message-Id`.
fn written(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('_').map(word).collect::<Vec<_>>().join("-")
}
