//! SendGrid Inbound Parse: a multipart form with the message itself in `email` where "raw" is on,
//! else with its header block, its texts in charsets of their own, and its files.

use super::{
    compose::{Content, File, Parts},
    form::Form,
    json,
    proof::{basic, each, ecdsa, is_user_and_password},
    provider::{Check, Handed, Origin, Provider, SecretError, Unreadable, Window},
};
use crate::{
    head::{Head, Keep},
    parser::{MailParser, MessageParser},
};
use headgate_event::{
    Secret,
    data::{Auth, AuthResult, Envelope},
    limits::{INBOUND_SIGNED_AGE_MAX, SENDGRID_RETRIED_AGE_MAX},
};
use headgate_http::RawRequest;
use serde::Deserialize;
use std::{collections::BTreeMap, slice, time::Duration};

const SECRET_FORM: &str = "`user:password` of the URL, or the public key of a security policy";

#[derive(Debug)]
pub(super) struct SendGrid;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Addresses {
    #[serde(deserialize_with = "json::texts")]
    to: Vec<String>,
    #[serde(deserialize_with = "json::text")]
    from: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    #[serde(deserialize_with = "json::text")]
    filename: String,
    #[serde(deserialize_with = "json::text")]
    name: String,
    #[serde(rename = "type", deserialize_with = "json::text")]
    content_type: String,
    #[serde(rename = "content-id", deserialize_with = "json::text")]
    content_id: String,
}

impl Provider for SendGrid {
    fn name(&self) -> &'static str {
        "sendgrid"
    }

    fn secret_form(&self) -> &'static str {
        SECRET_FORM
    }

    fn check(&self, secrets: &[Secret], window: Window) -> Result<Check, (usize, SecretError)> {
        each(secrets, |secret| {
            if is_user_and_password(secret) {
                return basic(slice::from_ref(secret)).map_err(|(_, error)| error);
            }
            ecdsa(secret, window, SECRET_FORM)
        })
    }

    /// SendGrid tries again for three days and does not say whether it signs anew each time. A time
    /// is believed for as long as a repeat of the message is known, which the signature covers.
    fn signed_age_max(&self, known_for: Option<Duration>) -> Duration {
        let known_for = known_for.unwrap_or_default();
        known_for.clamp(INBOUND_SIGNED_AGE_MAX, SENDGRID_RETRIED_AGE_MAX)
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let form = Form::read(request)?;
        let text = |name: &str| form.text(name).map(|text| text.trim().to_owned());
        let addresses = form.bytes("envelope").and_then(|json| serde_json::from_slice(json).ok());
        let addresses: Option<Addresses> = addresses;
        let envelope = Envelope {
            mail_from: addresses.as_ref().map(|one| one.from.clone()),
            rcpt_to: addresses.map(|one| one.to).unwrap_or_default(),
            remote_ip: text("sender_ip").filter(|ip| !ip.is_empty()),
            ..Envelope::default()
        };
        let (message, origin) = match form.bytes("email") {
            Some(message) => (message.clone(), Origin::Sender),
            None => (parts(&form)?.message(), Origin::Parts),
        };
        let auth = auth(text("SPF"), text("dkim"), &envelope);
        let mut metadata = BTreeMap::new();
        let score = text("spam_score").and_then(|score| score.parse::<f64>().ok());
        if let Some(score) = score.filter(|score| score.is_finite()) {
            metadata.insert("spam_score".to_owned(), score.into());
        }
        Ok(Handed { message, origin, envelope, auth, metadata, ..Handed::default() })
    }
}

fn parts(form: &Form) -> Result<Parts, Unreadable> {
    let block = form.bytes("headers").ok_or_else(|| Unreadable::missing("`email` or `headers`"))?;
    let charsets = form.bytes("charsets").and_then(|json| serde_json::from_slice(json).ok());
    let charsets: BTreeMap<String, String> = charsets.unwrap_or_default();
    let decoded = |name: &str| {
        let bytes = form.bytes(name)?;
        let charset = charsets.get(name).map_or("utf-8", String::as_str);
        let known = MailParser.decode(bytes, charset);
        Some(known.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned()))
    };
    let head = Head::read(block, 0, Keep::All, |_| false);
    let field = |field: &crate::head::Field<'_>| {
        (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned())
    };
    let infos = form.bytes("attachment-info").and_then(|json| serde_json::from_slice(json).ok());
    let mut infos: BTreeMap<String, Info> = infos.unwrap_or_default();
    let count = form.text("attachments").and_then(|text| text.trim().parse().ok());
    let count: usize = count.unwrap_or(0).min(form.fields().len());
    let file = |number: usize| {
        let name = format!("attachment{number}");
        let field = form.field(&name)?;
        let info = infos.remove(&name).unwrap_or_default();
        let named = [info.filename, info.name].into_iter().find(|name| !name.is_empty());
        let typed = Some(info.content_type).filter(|kind| !kind.is_empty());
        Some(File {
            name: named.or_else(|| field.filename.clone()).unwrap_or_default(),
            content_type: typed.or_else(|| field.content_type.clone()).unwrap_or_default(),
            content_id: Some(info.content_id),
            content: Content::Bytes(field.value.clone()),
        })
    };
    Ok(Parts {
        fields: head.fields.iter().map(field).collect(),
        text: decoded("text"),
        html: decoded("html"),
        files: (1..=count).filter_map(file).collect(),
    })
}

/// What SendGrid says of SPF and of each DKIM signature: `{@orchard.example : pass}`.
fn auth(spf: Option<String>, dkim: Option<String>, envelope: &Envelope) -> Option<Auth> {
    let domain = envelope.mail_from.as_deref().and_then(|from| from.rsplit_once('@'));
    let spf = spf.filter(|verdict| !verdict.is_empty()).map(|verdict| AuthResult {
        verdict: verdict.to_ascii_lowercase(),
        domain: domain.map(|(_, domain)| domain.to_ascii_lowercase()),
    });
    let dkim = dkim.unwrap_or_default();
    let each = dkim.trim().trim_start_matches('{').trim_end_matches('}').split(',');
    let one = |text: &str| {
        let (domain, verdict) = text.split_once(':')?;
        let domain = domain.trim().trim_start_matches('@');
        Some(AuthResult {
            verdict: verdict.trim().to_ascii_lowercase(),
            domain: (!domain.is_empty()).then(|| domain.to_ascii_lowercase()),
        })
    };
    let dkim: Vec<AuthResult> = each.filter_map(one).collect();
    (spf.is_some() || !dkim.is_empty()).then(|| Auth { spf, dkim, ..Auth::default() })
}
