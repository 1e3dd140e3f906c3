//! Amazon SES: JSON in a notification of Amazon SNS, which proves it. The message itself is in it
//! where the receipt rule has an SNS action; of every other action the headers alone are told, and
//! the event says `content_pending`.

use super::{
    compose::Parts,
    json::{self, filled, text, texts},
    provider::{
        CONTENT_PENDING, Check, Handed, Origin, Provider, SecretError, Setting, Unreadable, Window,
    },
};
use crate::transfer;
use bytes::Bytes;
use headgate_event::{
    Secret,
    data::{Auth, AuthResult, Envelope, TransferEncoding},
};
use headgate_http::RawRequest;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const SECRET_FORM: &str = "no secret: a certificate of SNS proves what it sends";

#[derive(Debug)]
pub(super) struct Ses;

/// What SNS puts around it. All that is read of it is signed.
#[derive(Deserialize)]
struct Carried {
    #[serde(rename = "Type", default, deserialize_with = "text")]
    kind: String,
    #[serde(rename = "Message", default, deserialize_with = "text")]
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Notification {
    #[serde(deserialize_with = "text")]
    notification_type: String,
    /// Of what was sent, not received, where `notificationType` is left out.
    #[serde(deserialize_with = "text")]
    event_type: String,
    #[serde(deserialize_with = "text")]
    content: String,
    mail: Mail,
    receipt: Receipt,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mail {
    #[serde(deserialize_with = "text")]
    message_id: String,
    #[serde(deserialize_with = "text")]
    timestamp: String,
    source: Option<String>,
    #[serde(deserialize_with = "texts")]
    destination: Vec<String>,
    headers: Vec<Header>,
    headers_truncated: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Receipt {
    #[serde(deserialize_with = "texts")]
    recipients: Vec<String>,
    spf_verdict: Verdict,
    dkim_verdict: Verdict,
    dmarc_verdict: Verdict,
    spam_verdict: Verdict,
    virus_verdict: Verdict,
    #[serde(deserialize_with = "text")]
    dmarc_policy: String,
    action: Action,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Verdict {
    #[serde(deserialize_with = "text")]
    status: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Action {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(deserialize_with = "text")]
    encoding: String,
    #[serde(deserialize_with = "text")]
    bucket_name: String,
    #[serde(deserialize_with = "text")]
    object_key: String,
}

impl Provider for Ses {
    fn name(&self) -> &'static str {
        "ses"
    }

    fn secret_form(&self) -> &'static str {
        SECRET_FORM
    }

    fn carrier(&self) -> Option<&'static str> {
        Some("sns")
    }

    fn settings(&self) -> &'static [Setting] {
        &[Setting {
            name: "topics",
            about: "the ARNs of the topics that may send, with commas between them; one may end \
                    in `*`",
            is_required: true,
        }]
    }

    /// There is nothing of its own to check.
    fn check(&self, _: &[Secret], _: Window) -> Result<Check, (usize, SecretError)> {
        Err((0, SecretError { expected: SECRET_FORM, found: "one" }))
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let Carried { kind, message } = json::read(&request.body)?;
        if kind != "Notification" {
            return Err(other(kind));
        }
        // A topic that is set up tells so in plain words.
        let Ok(told) = serde_json::from_str::<Value>(&message) else {
            return Err(Unreadable::OtherEvent("a text that is no notification of SES".to_owned()));
        };
        let notification: Notification = json::value(told)?;
        if notification.notification_type != "Received" {
            let Notification { notification_type, event_type, .. } = notification;
            return Err(other(filled(notification_type).unwrap_or(event_type)));
        }
        notification.handed()
    }
}

/// It tells of something else, such as a bounce of what was sent.
fn other(kind: String) -> Unreadable {
    let kind: String = kind.chars().take(40).collect();
    let missing = || Unreadable::missing("a notification of the type `Received`");
    filled(kind).map_or_else(missing, Unreadable::OtherEvent)
}

impl Notification {
    fn handed(self) -> Result<Handed, Unreadable> {
        let Self { content, mail, receipt, .. } = self;
        let id = filled(mail.message_id.clone());
        let id = id.ok_or_else(|| Unreadable::missing("a `mail.messageId`"))?;
        let known_to = [&receipt.recipients, &mail.destination];
        let rcpt_to = known_to.into_iter().find(|list| !list.is_empty()).cloned();
        let envelope = Envelope {
            mail_from: mail.source.clone(),
            rcpt_to: rcpt_to.unwrap_or_default(),
            ..Envelope::default()
        };
        let auth = receipt.auth(envelope.mail_from.as_deref());
        let mut metadata = BTreeMap::new();
        metadata.insert("provider_email_id".to_owned(), id.clone().into());
        metadata.insert("provider_received_at".to_owned(), mail.timestamp.clone().into());
        metadata.insert("provider_verdicts".to_owned(), receipt.verdicts());
        let mut handed = Handed {
            envelope,
            auth,
            metadata,
            delivery_id: Some(id),
            defects: receipt.defects(),
            ..Handed::default()
        };
        match filled(content) {
            Some(content) => handed.message = receipt.action.decoded(content),
            None => handed.without_content(mail, &receipt.action),
        }
        Ok(handed)
    }
}

impl Handed {
    /// The headers alone: the rest is where the action put it. What has the content may come yet,
    /// and is no repeat of this.
    fn without_content(&mut self, mail: Mail, action: &Action) {
        let mut parts = Parts::default();
        for Header { name, value } in mail.headers {
            parts.field(&name, Some(value));
        }
        self.message = parts.message();
        self.origin = Origin::Parts;
        self.defects.push(CONTENT_PENDING);
        self.delivery_id = self.delivery_id.take().map(|id| format!("{id}:{CONTENT_PENDING}"));
        let held_at = json!({
            "action": action.kind, "bucket": action.bucket_name, "key": action.object_key,
        });
        self.metadata.insert("content_pending".to_owned(), true.into());
        self.metadata.insert("content_at_provider".to_owned(), held_at);
        if mail.headers_truncated {
            self.metadata.insert("headers_truncated".to_owned(), true.into());
        }
    }
}

impl Action {
    /// The message; by the rule's choice as text or in base64, which alone keeps every byte.
    fn decoded(&self, content: String) -> Bytes {
        if !self.encoding.eq_ignore_ascii_case("base64") {
            return content.into();
        }
        transfer::decode(content.as_bytes(), TransferEncoding::Base64).into_owned().into()
    }
}

impl Receipt {
    /// What SES says of who sent it, in the words of RFC 8601.
    fn auth(&self, mail_from: Option<&str>) -> Option<Auth> {
        let domain = mail_from.and_then(|from| from.rsplit_once('@'));
        let domain = domain.map(|(_, domain)| domain.to_ascii_lowercase());
        let result = |verdict: &Verdict, domain: Option<String>| {
            Some(AuthResult { verdict: verdict.word()?.to_owned(), domain })
        };
        let spf = result(&self.spf_verdict, domain);
        let dkim: Vec<_> = result(&self.dkim_verdict, None).into_iter().collect();
        let dmarc = result(&self.dmarc_verdict, None);
        let says = spf.is_some() || !dkim.is_empty() || dmarc.is_some();
        says.then(|| Auth { spf, dkim, dmarc, ..Auth::default() })
    }

    /// The same as SES says it, with what it looked for besides.
    fn verdicts(&self) -> Value {
        let verdicts = [
            ("spf", &self.spf_verdict.status),
            ("dkim", &self.dkim_verdict.status),
            ("dmarc", &self.dmarc_verdict.status),
            ("dmarc_policy", &self.dmarc_policy),
            ("spam", &self.spam_verdict.status),
            ("virus", &self.virus_verdict.status),
        ];
        let said = verdicts.into_iter().filter(|(_, status)| !status.is_empty());
        let said = said.map(|(name, status)| (name.to_owned(), status.to_ascii_lowercase().into()));
        said.collect::<Map<_, _>>().into()
    }

    fn defects(&self) -> Vec<&'static str> {
        let found = [
            (&self.virus_verdict, "provider_found_virus"),
            (&self.spam_verdict, "provider_found_spam"),
        ];
        found.into_iter().filter(|(one, _)| one.status == "FAIL").map(|(_, code)| code).collect()
    }
}

impl Verdict {
    /// `GRAY`: there is no signature, or no policy of the domain. Nothing where it was not told.
    fn word(&self) -> Option<&'static str> {
        match self.status.as_str() {
            "" => None,
            "PASS" => Some("pass"),
            "FAIL" => Some("fail"),
            "PROCESSING_FAILED" => Some("temperror"),
            _ => Some("none"),
        }
    }
}
