//! A message in, an event out: the fixtures, the hostile, the quoted and the hidden.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod fixtures;
mod hostile;
mod identity;

use bytes::Bytes;
use headgate_email::{Matched, Message, Receipt};
use headgate_event::{
    Channel, ChannelType, Draft, Event, EventId, StoredEvent, Timestamp, data::Envelope,
    limits::MAIL_DEDUPE_WINDOW_DEFAULT, prompt::PromptKey,
};
use std::{collections::BTreeMap, sync::Arc};

/// 2026-04-19T09:15:25Z, the moment of the fixtures.
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);

fn matched() -> Matched {
    let channel = Channel::new("support", "Support", ChannelType::Email).expect("fits");
    Matched {
        channel: Arc::new(channel),
        address: Some("support@in.example.com".to_owned()),
        tag: None,
        dedupe: Some(MAIL_DEDUPE_WINDOW_DEFAULT),
        metadata: BTreeMap::new(),
    }
}

fn receipt() -> Receipt {
    let envelope = Envelope {
        mail_from: Some("anna@orchard.example".to_owned()),
        rcpt_to: vec!["support@in.example.com".to_owned()],
        helo: Some("mx.orchard.example".to_owned()),
        remote_ip: Some("192.0.2.7".to_owned()),
        tls: true,
    };
    Receipt {
        received_at: NOW,
        envelope: Some(envelope),
        auth: None,
        provider: None,
        delivery_id: None,
    }
}

fn drafted(raw: &[u8], receipt: &Receipt) -> Draft {
    let message = Message::read(Bytes::copy_from_slice(raw));
    message.draft(&matched(), receipt, &PromptKey::new([7; 32]))
}

/// The event as a reader of the store has it.
fn event_of(draft: &Draft) -> Event {
    let id = EventId::from_parts(NOW, 1);
    StoredEvent::decode(id, &StoredEvent::encode(draft), &draft.raw).expect("an event")
}
