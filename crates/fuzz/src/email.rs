//! Mail: what any bytes become, what HTML shows, what is new in a text.

use crate::prompt::check;
use bytes::Bytes;
use headgate_email::{Matched, Message, Receipt, attachment_bytes, fuzzing};
use headgate_event::{
    Channel, ChannelType, EventId, StoredEvent, Timestamp, Verdict,
    data::Envelope,
    limits::{MAIL_ATTACHMENTS_MAX, MAIL_FILENAME_BYTES_MAX, PROMPT_BYTES_MAX},
    prompt::PromptKey,
};
use std::{collections::BTreeMap, sync::Arc};

/// 2026-04-19T09:15:25Z, the moment of the fixtures.
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);

/// Any message becomes an event whose attachments can be read, with names that are no paths and a
/// prompt that keeps to the rules; the same again.
pub(crate) fn message(bytes: &[u8]) {
    let channel = Channel::new("support", "Support", ChannelType::Email).expect("fits");
    let matched = Matched {
        channel: Arc::new(channel),
        address: None,
        tag: None,
        dedupe: None,
        metadata: BTreeMap::new(),
    };
    let envelope = Envelope { mail_from: Some(String::new()), ..Envelope::default() };
    let receipt = Receipt {
        received_at: NOW,
        envelope: Some(envelope),
        auth: None,
        provider: None,
        delivery_id: None,
    };
    let key = PromptKey::new([7; 32]);
    let message = Message::read(Bytes::copy_from_slice(bytes));
    let made = message.draft(&matched, &receipt, &key);
    check(&made.prompt.text, PROMPT_BYTES_MAX);
    assert_eq!(made.verification.verdict, Verdict::Unverified);
    let id = EventId::from_parts(NOW, 1);
    let event = StoredEvent::decode(id, &StoredEvent::encode(&made), &made.raw).expect("an event");
    assert!(!event.data().get().contains('\n'), "a frame is one line");
    let data = event.email().expect("data that fits");
    assert_eq!(data.size_bytes, bytes.len() as u64);
    assert!(data.attachments.len() <= MAIL_ATTACHMENTS_MAX);
    for attachment in &data.attachments {
        let found = attachment_bytes(bytes, attachment).expect("it is in the message");
        assert_eq!(found.len() as u64, attachment.size_bytes);
        let name = &attachment.filename;
        assert!(!name.is_empty() && name.len() <= MAIL_FILENAME_BYTES_MAX, "{name:?}");
        assert!(!name.starts_with('.') && !name.contains(['/', '\\', '\0']), "{name:?}");
    }
    let again = Message::read(Bytes::copy_from_slice(bytes)).draft(&matched, &receipt, &key);
    assert_eq!((again.prompt.text, again.thread_key), (made.prompt.text, made.thread_key));
}

/// What is hidden shows nowhere, whatever is around it within its element; text without tags is all
/// there; what is new is no more than what is seen.
pub(crate) fn html(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (seen, _, _) = fuzzing::html(&text);
    assert_eq!(fuzzing::html(&text).0, seen, "the same again");
    let hidden = format!("<div style=\"display:none\">xqzHIDDENzqx</div>{text}");
    let (shown, own, count) = fuzzing::html(&hidden);
    assert!(!shown.contains("xqzHIDDENzqx") && !own.contains("xqzHIDDENzqx"), "{text:?}");
    assert!(count >= 12, "{count}");
    let plain: String = text.chars().filter(|char| !matches!(char, '<' | '&' | '\0')).collect();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is_blank_only = plain.trim().is_empty();
    assert!(is_blank_only || words(&fuzzing::html(&plain).0) == words(&plain), "{plain:?}");
}

/// What is new are lines of the text in their order, and something when the text is.
pub(crate) fn reply(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let new = fuzzing::reply(&text);
    assert_eq!(new.trim().is_empty(), text.trim().is_empty(), "{text:?}");
    let mut lines = text.lines().map(str::trim);
    for line in new.lines().map(str::trim) {
        assert!(lines.any(|known| known == line), "{line:?} is not in {text:?}");
    }
}
