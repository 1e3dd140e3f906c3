//! The whole queue over a simulated disk: the log is on it, state and index are real files, which
//! SQLite keeps by tests of its own.

mod crash;
mod folder;
mod large;
mod notes;
mod sharing;

use super::{Embedded, EmbeddedOptions, OpenError, folder::Folder};
use crate::log::simulated::SimulatedDisk;
use bytes::Bytes;
use headgate_event::{
    Channel, ChannelType, Clock, Correlation, DataText, Draft, EventType, Timestamp, Verification,
    prompt::Prompt,
};
use headgate_testkit::ManualClock;
use std::{collections::BTreeMap, path::Path, sync::Arc};

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_222_923_456);

fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        segment_bytes_max: 4_000,
        disk_free_bytes_min: 0,
        ..EmbeddedOptions::default()
    }
}

fn open(folder: &Path, disk: &SimulatedDisk) -> Result<Embedded, OpenError> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let folder = Folder::own(folder).expect("the folder is free");
    Embedded::open_on(Arc::new(disk.clone()), folder, clock, options())
}

pub(super) fn draft(raw: impl Into<Bytes>) -> Draft {
    let channel = Channel::new("billing", "Billing inbox", ChannelType::Webhook).expect("valid");
    Draft {
        identity: None,
        event_type: EventType::WEBHOOK_RECEIVED,
        created_at: NOW,
        channel: Arc::new(channel),
        provider: None,
        provider_event: None,
        verification: Verification::none(),
        dedupe: None,
        thread_key: None,
        correlation: Correlation::default(),
        data: DataText::whole(&serde_json::json!({"a": 1})),
        metadata: BTreeMap::new(),
        prompt: Prompt { text: "paid".to_owned(), version: 1 },
        raw: raw.into(),
    }
}
