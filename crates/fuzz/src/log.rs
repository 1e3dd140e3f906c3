//! The queue's log: what was written is read, and what was not is never shown.

use crate::Parts;
use bytes::Bytes;
use headgate_event::{
    Channel, ChannelType, Correlation, DataText, Dedupe, Draft, EventType, Fill, Timestamp,
    Verification, prompt::Prompt,
};
use headgate_queue::fuzzing::{self, Damage};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A frame of any bytes, and one of a draft made of them.
pub(crate) fn frame(bytes: &[u8]) {
    fuzzing::frame(bytes);
    fuzzing::round_trip(&draft(&mut Parts::of(bytes)));
}

/// A segment of batches, damaged.
pub(crate) fn batch(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let (kind, at, mask) = (parts.byte(), parts.number(), parts.byte());
    if kind % 5 == 4 {
        return fuzzing::any_segment(parts.rest());
    }
    let shape = parts.number();
    let mut batches = Vec::new();
    for place in 0..shape % 6 {
        let events = (shape >> (2 * place)) % 4 + 1;
        batches.push((0..events).map(|_| draft(&mut parts)).collect());
    }
    let damage = match kind % 5 {
        0 => Damage::None,
        1 => Damage::CutAt(at),
        2 => Damage::Flip(at, mask),
        _ => Damage::Trailing,
    };
    fuzzing::segment(&batches, damage, parts.rest());
}

fn draft(parts: &mut Parts<'_>) -> Draft {
    let kind = parts.byte();
    let key = parts.text();
    let some = |bit: u8| (kind & bit != 0).then(|| key.clone().into_owned());
    let body = parts.bytes();
    // Some are long enough to be compressed.
    let raw = if kind & 0x40 == 0 { body.to_vec() } else { body.repeat(40) };
    let data = json!({"method": "POST", "query": key});
    let fill = if std::str::from_utf8(&raw).is_ok() { Fill::Text } else { Fill::Base64 };
    Draft {
        identity: None,
        event_type: EventType::WEBHOOK_RECEIVED,
        created_at: Timestamp::from_unix_s(1_795_219_200 + i64::from(kind)),
        channel: Arc::new(Channel::new("demo", "Demo", ChannelType::Webhook).expect("fits")),
        provider: some(1),
        provider_event: some(2),
        verification: Verification::none(),
        dedupe: some(4).map(|key| Dedupe { key, window: Duration::from_secs(7) }),
        thread_key: some(8),
        correlation: Correlation { flow_id: some(16), deal_id: some(32), ..Correlation::default() },
        data: DataText::whole(&data).hole("body", fill),
        metadata: BTreeMap::from([("key".to_owned(), key.as_ref().into())]),
        prompt: Prompt { text: key.into_owned(), version: 1 },
        raw: Bytes::from(raw),
    }
}
