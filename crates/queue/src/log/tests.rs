//! What the log promises, on a disk in memory whose plug can be pulled.

mod crash;
mod dedupe;
mod faults;
mod ids;
mod large;
mod recovery;
mod removal;
mod storing;

use super::{
    AppendError, Log, LogOptions, OpenError, Place, Prepared, Storage,
    storage::simulated::{Ask, SimulatedDisk},
};
use crate::Seq;
use bytes::Bytes;
use headgate_event::{
    Accepted, Channel, ChannelType, Clock, Correlation, DataText, Dedupe, Draft, EventId,
    EventType, StoreError, Timestamp, Verification, prompt::Prompt,
};
use headgate_testkit::ManualClock;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_222_923_456);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// A log, the disk below it and its clock.
struct Rig {
    disk: SimulatedDisk,
    clock: Arc<ManualClock>,
    log: Log,
}

/// An event as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    seq: Seq,
    id: EventId,
    created_at: Timestamp,
    event: Bytes,
    raw: Bytes,
}

impl Rig {
    fn new() -> Self {
        Self::with(LogOptions::default())
    }

    fn with(options: LogOptions) -> Self {
        let disk = SimulatedDisk::default();
        let clock = Arc::new(ManualClock::at(NOW));
        let log = open(&disk, &clock, options).expect("an empty log opens");
        Self { disk, clock, log }
    }

    /// The log as a new process finds it.
    fn reopen(self) -> Self {
        let Self { disk, clock, log } = self;
        drop(log);
        let log = open(&disk, &clock, LogOptions::default()).expect("it opens again");
        Self { disk, clock, log }
    }

    async fn append(&self, drafts: &[Draft]) -> Vec<Accepted> {
        append(&self.log, drafts).await.expect("it is stored")
    }

    async fn append_raw(&self, raw: impl Into<Bytes>) -> EventId {
        self.append(&[draft(raw)]).await[0].id()
    }

    fn all(&self) -> Vec<Read> {
        all(&self.log)
    }
}

fn open(
    disk: &SimulatedDisk,
    clock: &Arc<ManualClock>,
    options: LogOptions,
) -> Result<Log, OpenError> {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Log::open(Arc::new(disk.clone()), clock, options)
}

/// Opens a disk as it is, and nothing else.
fn reopened(disk: &SimulatedDisk) -> Result<Log, OpenError> {
    open(disk, &Arc::new(ManualClock::at(NOW)), LogOptions::default())
}

async fn append(log: &Log, drafts: &[Draft]) -> Result<Vec<Accepted>, AppendError> {
    log.append(prepared(drafts), Seq::MAX).await
}

fn prepared(drafts: &[Draft]) -> Vec<Prepared> {
    drafts.iter().map(|draft| Prepared::new(draft).expect("it is not too large")).collect()
}

/// Everything in the log, in its order.
fn all(log: &Log) -> Vec<Read> {
    let mut reads = Vec::new();
    let mut place = log.place_before(0);
    loop {
        let scanned = log.scan(place, 7, usize::MAX).expect("it reads");
        if scanned.frames.is_empty() {
            return reads;
        }
        for frame in scanned.frames {
            let again = log.read(frame.position).expect("it reads by its position");
            assert_eq!((again.seq, again.id), (frame.seq, frame.id));
            let unpacked = frame.unpack().expect("it unpacks");
            reads.push(Read {
                seq: frame.seq,
                id: frame.id,
                created_at: frame.created_at,
                event: unpacked.event,
                raw: unpacked.raw,
            });
        }
        place = scanned.next;
    }
}

fn draft(raw: impl Into<Bytes>) -> Draft {
    let channel = Channel::new("billing", "Billing inbox", ChannelType::Webhook).expect("valid");
    Draft {
        identity: None,
        event_type: EventType::WEBHOOK_RECEIVED,
        created_at: NOW,
        channel: Arc::new(channel),
        provider: Some("stripe".to_owned()),
        provider_event: Some("invoice.paid".to_owned()),
        verification: Verification::none(),
        dedupe: None,
        thread_key: Some("cus_1".to_owned()),
        correlation: Correlation::default(),
        data: DataText::whole(&serde_json::json!({"a": 1})),
        metadata: BTreeMap::new(),
        prompt: Prompt { text: "paid".to_owned(), version: 1 },
        raw: raw.into(),
    }
}

fn keyed(key: &str, raw: impl Into<Bytes>) -> Draft {
    Draft { dedupe: Some(Dedupe { key: key.to_owned(), window: WEEK }), ..draft(raw) }
}

fn raws(reads: &[Read]) -> Vec<Bytes> {
    reads.iter().map(|read| read.raw.clone()).collect()
}

/// Bytes that do not compress, the same for the same seed.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}
