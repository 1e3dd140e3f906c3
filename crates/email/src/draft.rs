//! The event of a message.

use crate::{
    digest,
    message::{Message, automatic},
    receipt::{Matched, Receipt, verification},
    sheet,
};
use headgate_event::{
    Correlation, DataText, Dedupe, Draft, EventType, Verification,
    data::{Auth, EmailData},
    limits::PROMPT_BYTES_MAX,
    prompt::{self, About, PromptKey},
};
use std::sync::Arc;

/// Where made Message-IDs say they are from: nobody's domain (RFC 2606).
const MADE_ID_DOMAIN: &str = "headgate.invalid";

impl Message {
    /// The event of this message for one channel. Whatever the message is, there is one.
    #[must_use]
    pub fn draft(&self, matched: &Matched, receipt: &Receipt, key: &PromptKey) -> Draft {
        let data = self.data(matched, receipt);
        let verification = self.verification(receipt);
        let about = About {
            channel: &matched.channel,
            verification: &verification,
            created_at: receipt.received_at,
        };
        let prompt = prompt::render(&about, &sheet::rendering(&data), key, PROMPT_BYTES_MAX);
        let dedupe = matched.dedupe.map(|window| Dedupe { key: self.dedupe_key(receipt), window });
        Draft {
            identity: None,
            event_type: EventType::EMAIL_RECEIVED,
            created_at: receipt.received_at,
            channel: Arc::clone(&matched.channel),
            provider: receipt.provider.clone(),
            provider_event: None,
            verification,
            dedupe,
            thread_key: Some(self.thread_key()),
            correlation: Correlation::default(),
            data: DataText::whole(&data),
            metadata: matched.metadata.clone(),
            prompt,
            raw: self.raw.clone(),
        }
    }

    /// The `data` of the event.
    #[must_use]
    pub fn data(&self, matched: &Matched, receipt: &Receipt) -> EmailData {
        let (fields, content) = (&self.fields, &self.content);
        let author = fields.author();
        let mail_from = receipt.envelope.as_ref().and_then(|one| one.mail_from.as_deref());
        EmailData {
            message_id: self.message_id(),
            from: author.map(|one| one.address.clone()).unwrap_or_default(),
            to: fields.to.clone(),
            cc: fields.cc.clone(),
            bcc: self.bcc(receipt),
            subject: fields.subject.clone(),
            text: content.text.clone(),
            html: content.html.clone(),
            attachments: self.attachments.clone(),
            received_at: receipt.received_at,
            from_name: author.and_then(|one| one.name.clone()),
            sender: fields.sender.clone(),
            reply_to: fields.reply_to.clone(),
            date: fields.date,
            in_reply_to: fields.in_reply_to.clone(),
            references: fields.references.clone(),
            reply_text: content.reply_text.clone(),
            text_source: content.source.map(str::to_owned),
            hidden_text_bytes: content.hidden_bytes,
            tag: matched.tag.clone(),
            matched_address: matched.address.clone(),
            envelope: receipt.envelope.clone(),
            auth: self.auth(receipt),
            auto: automatic::with_null_sender(&self.auto, mail_from),
            headers: fields.headers.clone(),
            defects: self.defects.clone(),
            truncated: content.is_truncated,
            size_bytes: self.raw.len() as u64,
            raw_url: None,
        }
    }

    /// The verdicts, with `from_verified` only where there is one author to be verified.
    pub(crate) fn auth(&self, receipt: &Receipt) -> Option<Auth> {
        let mut auth = receipt.auth.clone()?;
        auth.from_verified &= self.author().is_some();
        Some(auth)
    }

    /// How the message was proved genuine.
    #[must_use]
    pub fn verification(&self, receipt: &Receipt) -> Verification {
        verification(self.auth(receipt).as_ref())
    }

    /// The Message-ID; one made of the message where it has none.
    fn message_id(&self) -> String {
        self.fields.message_id.clone().unwrap_or_else(|| {
            let digest = digest(&[&self.raw]);
            format!("<{}@{MADE_ID_DOMAIN}>", digest.get(..32).unwrap_or_default())
        })
    }

    /// Envelope recipients that no header names.
    fn bcc(&self, receipt: &Receipt) -> Vec<String> {
        let named = |address: &str| {
            let mut known = self.fields.to.iter().chain(&self.fields.cc);
            known.any(|one| one.eq_ignore_ascii_case(address))
        };
        let recipients = receipt.envelope.iter().flat_map(|one| &one.rcpt_to);
        recipients.filter(|address| !named(address)).cloned().collect()
    }

    /// What makes a repeat known: the provider's name of it, or what a sender that missed our
    /// answer sends again just so. Its trace headers may have grown on the way.
    fn dedupe_key(&self, receipt: &Receipt) -> String {
        if let Some(id) = &receipt.delivery_id {
            return id.clone();
        }
        let mut recipients: Vec<String> = receipt
            .envelope
            .iter()
            .flat_map(|one| &one.rcpt_to)
            .map(|r| r.to_lowercase())
            .collect();
        recipients.sort();
        let message_id = self.fields.message_id.as_deref().unwrap_or_default();
        let parts = [&recipients.join(" "), message_id, &self.fields.date_text, &self.body_digest];
        format!("mail:{}", digest(&parts.map(str::as_bytes)))
    }

    /// What a conversation has in common: the message it began with.
    fn thread_key(&self) -> String {
        let fields = &self.fields;
        let first = fields.references.first().or(fields.in_reply_to.as_ref());
        let id = first.cloned().unwrap_or_else(|| self.message_id());
        format!("mail:{}", digest(&[id.as_bytes()]).get(..32).unwrap_or_default())
    }
}
