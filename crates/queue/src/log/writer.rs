//! The one writer: gathers what is queued, gives sequences and ids, writes, syncs, answers.
//!
//! It runs on a thread of its own and does as little as can be: the request's task has made the
//! frames. It does not wait for more to come: a batch forms by itself while the one before it is
//! synced.

mod batch;
#[cfg(test)]
mod by_hand;
mod ids;
mod known;
mod large;
mod tasks;

pub(super) use batch::{Call, Message, Task};
#[cfg(test)]
pub(super) use by_hand::ByHand;

use super::{
    AppendError, Committed, Keys, LogOptions, Place, Prepared, Shared,
    format::{BATCH_HEADER_BYTES, BatchHeader, SEGMENT_START, SegmentHeader, file_name},
    is_full,
    large::Staged,
    random,
    recovery::{Active, begin_segment},
    unavailable,
};
use crate::Seq;
use batch::Batch;
use headgate_event::{
    Accepted, Clock, EventId, Timestamp,
    limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, DISK_PROBE_BYTES},
};
use ids::Ids;
use known::Known;
use metrics::histogram;
use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// The writer's own state.
pub(super) struct Writer {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    options: LogOptions,
    active: Active,
    ids: Ids,
    known: Known,
    head: Seq,
    /// A call that did not fit into the batch before.
    held: Option<Call>,
    /// A large call that came while a batch was gathered.
    large: Option<Staged>,
    /// What is to be done after the batch.
    task: Option<Task>,
    /// The batch as it is written; kept for its memory.
    buffer: Vec<u8>,
    health: Health,
}

/// Whether the writer can write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    /// The last batch found the disk full, or no room for another open file; the next one may not.
    Blocked,
    /// What is on the disk is not known: nothing is written until the log is opened again.
    Poisoned,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        clock: Arc<dyn Clock>,
        options: LogOptions,
        active: Active,
        last_id: EventId,
    ) -> Self {
        let head = *shared.head.borrow();
        Self {
            shared,
            clock,
            options,
            active,
            ids: Ids::after(last_id),
            known: Known::after(head),
            head,
            held: None,
            large: None,
            task: None,
            buffer: Vec::new(),
            health: Health::Well,
        }
    }

    /// The newest id.
    pub(super) fn last_id(&self) -> EventId {
        self.ids.last()
    }

    /// Takes the keys of what is stored beyond the index.
    pub(super) fn remember(&mut self, unindexed: &[Committed]) {
        if let Some(first) = unindexed.first() {
            self.known = Known::after(first.seq - 1);
        }
        for entry in unindexed {
            // Nothing of it can be undone: it is durable.
            self.known.insert(entry, entry.keys.dedupe_digest(), &mut Vec::new());
        }
    }

    /// Works until it is told to close or nobody is left to tell it anything.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        while let Some(first) = self.next_call(&mut queue) {
            let calls = self.gather(first, &mut queue);
            self.commit(calls);
            self.commit_held_large();
            self.perform_held();
        }
    }

    /// The next call, waiting for it; `None` at the end.
    fn next_call(&mut self, queue: &mut mpsc::Receiver<Message>) -> Option<Call> {
        if let Some(held) = self.held.take() {
            return Some(held);
        }
        loop {
            match queue.blocking_recv()? {
                Message::Append(call) => return Some(call),
                Message::Large(staged) => self.commit_large(staged),
                Message::Task(task) => self.perform(task),
                Message::Probe => self.probe(),
                Message::Close => queue.close(),
            }
        }
    }

    /// Takes with a call what is queued, up to the limits of a batch.
    fn gather(&mut self, first: Call, queue: &mut mpsc::Receiver<Message>) -> Vec<Call> {
        let (mut events, mut bytes) = first.size();
        let mut calls = vec![first];
        while events < BATCH_EVENTS_MAX && bytes < BATCH_BYTES_MAX {
            let call = match queue.try_recv() {
                Ok(Message::Append(call)) => call,
                Ok(Message::Large(staged)) => {
                    self.large = Some(staged);
                    break;
                }
                Ok(Message::Task(task)) => {
                    self.task = Some(task);
                    break;
                }
                Ok(Message::Close) => {
                    queue.close();
                    continue;
                }
                // The calls will show it.
                Ok(Message::Probe) => continue,
                Err(_) => break,
            };
            let (more_events, more_bytes) = call.size();
            events += more_events;
            bytes += more_bytes;
            if events > BATCH_EVENTS_MAX || bytes > BATCH_BYTES_MAX {
                self.held = Some(call);
                break;
            }
            calls.push(call);
        }
        calls
    }

    /// Stores the calls in one batch and answers them.
    fn commit(&mut self, calls: Vec<Call>) {
        if let Err(reason) = self.ready() {
            for call in calls {
                call.refuse(&reason);
            }
            return;
        }
        self.forget();
        let offset = self.active.end + BATCH_HEADER_BYTES as u64;
        let start = Place { segment: self.active.header.first_seq, offset };
        let mut batch = Batch::at(start, calls.len());
        let now = self.clock.now();
        for call in calls {
            self.take(call, now, &mut batch);
        }
        let written = if batch.frames.is_empty() { Ok(()) } else { self.write(&batch) };
        match written {
            Ok(()) => self.publish(batch),
            Err(reason) => self.refuse(batch, &reason),
        }
    }

    /// Answers that nothing of a batch was stored.
    fn refuse(&mut self, batch: Batch, reason: &str) {
        self.known.undo(batch.undo, self.head);
        for (answer, _) in batch.answers {
            // The caller may have gone.
            let _ = answer.send(Err(unavailable(reason)));
        }
    }

    /// Whether a batch can be written, beginning a new segment when the last one is full.
    fn ready(&mut self) -> Result<(), String> {
        if self.health == Health::Poisoned {
            return Err(self.shared.fault().unwrap_or_default());
        }
        // An empty segment is named by the same event as the one that would follow it.
        let empty = self.active.end == SEGMENT_START;
        if empty || self.active.end < self.options.segment_bytes_max {
            return Ok(());
        }
        self.begin_next()
    }

    /// Begins the segment after the active one, which is not empty.
    fn begin_next(&mut self) -> Result<(), String> {
        let header = self.next_header()?;
        let storage = self.shared.reader.storage();
        let file = match storage.create(&file_name(header.first_seq)) {
            Ok(file) => file,
            Err(error) => return Err(self.not_created(header, &error)),
        };
        match begin_segment(storage, file, header) {
            Ok(active) => {
                self.shared.reader.begin(&active);
                self.active = active;
                Ok(())
            }
            Err(error) => Err(self.not_begun(header, &error)),
        }
    }

    /// The header of a segment after the active one.
    fn next_header(&self) -> Result<SegmentHeader, String> {
        let tag = random::number().map_err(|error| format!("there are no random bits: {error}"))?;
        Ok(SegmentHeader {
            first_seq: self.head + 1,
            tag,
            previous: self.active.header.first_seq,
            previous_end: self.active.end,
            last_id: self.ids.last(),
        })
    }

    /// Lets go of keys that the index has had for a while.
    fn forget(&mut self) {
        let indexed = self.shared.indexed.load(Ordering::Acquire);
        let kept = self.head.saturating_sub(self.options.dedupe_kept_events);
        // What retention has removed is no first of anything.
        let gone = self.shared.reader.first_seq().saturating_sub(1);
        self.known.let_go(indexed.min(kept.max(gone)));
    }

    /// Takes a call into the batch, or hands it back.
    fn take(&mut self, call: Call, now: Timestamp, batch: &mut Batch) {
        let looked_up = |keys: &Keys| keys.dedupe_key.is_some() || !keys.names.is_empty();
        let keyed = call.drafts.iter().any(|draft| looked_up(draft.keys()));
        if keyed && call.seen < self.known.floor() {
            let _ = call.answer.send(Err(AppendError::LookAgain(call.drafts)));
            return;
        }
        let kept_from = self.shared.reader.first_seq();
        if let Some(conflict) = self.known.conflict(&call.drafts, kept_from) {
            let _ = call.answer.send(Err(AppendError::Store(conflict)));
            return;
        }
        if !self.ids.take(call.drafts.iter().filter_map(Prepared::given)) {
            call.refuse("an id that was given is not after the newest");
            return;
        }
        let mut accepted = Vec::with_capacity(call.drafts.len());
        for draft in call.drafts {
            let given = draft.given();
            let (keys, created_at) = (draft.keys(), draft.created_at());
            let first = match self.known.holder(&draft, kept_from) {
                Some(holder) => Some(holder.event()),
                None => self.known.find(keys, draft.digest(), created_at),
            };
            if let Some(first) = first.filter(|_| given.is_none()) {
                accepted.push(Accepted::Duplicate(first));
                continue;
            }
            let id = given.unwrap_or_else(|| self.ids.next(now.max(draft.created_at())));
            let seq = self.head + 1 + batch.frames.len() as u64;
            let digest = draft.digest();
            let (entry, undo) = batch.add(draft, seq, id);
            self.known.insert(entry, digest, undo);
            accepted.push(Accepted::New(id));
        }
        batch.answers.push((call.answer, accepted));
    }

    /// Makes the batch durable; the reason when it could not be.
    fn write(&mut self, batch: &Batch) -> Result<(), String> {
        if let Err(error) = self.put(batch) {
            return Err(self.not_written(&error));
        }
        let begun = Instant::now();
        if let Err(error) = self.active.file.sync() {
            return Err(self.poison("sync", &error));
        }
        count(batch, batch.end - self.active.end, begun.elapsed());
        self.active.end = batch.end;
        self.head += batch.frames.len() as u64;
        self.unblocked();
        Ok(())
    }

    /// Tries whether what blocked the log has passed, without an event to lose: zeros are written
    /// behind the end and cut off again.
    fn probe(&mut self) {
        if self.health != Health::Blocked || self.ready().is_err() {
            return;
        }
        let (file, end) = (&self.active.file, self.active.end);
        if let Err(error) = file.write_at(end, &[0; DISK_PROBE_BYTES]) {
            self.not_written(&error);
            return;
        }
        match file.truncate(end).and_then(|()| file.sync()) {
            Ok(()) => self.unblocked(),
            Err(error) => {
                self.poison("cut", &error);
            }
        }
    }

    fn unblocked(&mut self) {
        if self.health == Health::Blocked {
            tracing::info!("the log can be written again");
            self.shared.set_fault(None);
            self.health = Health::Well;
        }
    }

    /// Writes header and frames, in one piece unless they are large.
    fn put(&mut self, batch: &Batch) -> io::Result<()> {
        let crc = batch.frames.iter().fold(0, |crc, frame| crc32c::crc32c_append(crc, frame));
        let at = self.active.end;
        let payload_bytes = batch.end - at - BATCH_HEADER_BYTES as u64;
        let wide = |_| io::Error::other("a batch is longer than its header can say");
        let header = BatchHeader {
            tag: self.active.header.tag,
            first_seq: self.head + 1,
            durable_end: at,
            count: u32::try_from(batch.frames.len()).map_err(wide)?,
            payload_bytes: u32::try_from(payload_bytes).map_err(wide)?,
            payload_crc: crc,
        };
        self.buffer.clear();
        self.buffer.extend_from_slice(&header.encode());
        if payload_bytes <= BATCH_BYTES_MAX as u64 {
            batch.frames.iter().for_each(|frame| self.buffer.extend_from_slice(frame));
            return self.active.file.write_at(at, &self.buffer);
        }
        self.active.file.write_at(at, &self.buffer)?;
        let mut offset = at + BATCH_HEADER_BYTES as u64;
        for frame in &batch.frames {
            self.active.file.write_at(offset, frame)?;
            offset += frame.len() as u64;
        }
        Ok(())
    }

    /// Shows the batch to readers, then answers.
    fn publish(&self, batch: Batch) {
        let Batch { frames, committed, answers, .. } = batch;
        if !committed.is_empty() {
            let end = Place { segment: self.active.header.first_seq, offset: self.active.end };
            self.shared.reader.extend(end);
            self.shared.tail.push(committed);
            self.shared.head.send_replace(self.head);
        }
        for (answer, accepted) in answers {
            // The caller may have gone; what it gave is stored all the same.
            let _ = answer.send(Ok(accepted));
        }
        drop(frames);
    }

    /// After a failed write: a full disk is cut back to what is durable, all else is poison.
    fn not_written(&mut self, error: &io::Error) -> String {
        if !is_full(error) {
            return self.poison("write", error);
        }
        let file = &self.active.file;
        if let Err(error) = file.truncate(self.active.end).and_then(|()| file.sync()) {
            return self.poison("cut", &error);
        }
        self.full(error)
    }

    /// After the file of a segment could not be created. Nothing is on the disk that is not known:
    /// too many files may be open, which passes.
    fn not_created(&mut self, header: SegmentHeader, error: &io::Error) -> String {
        if is_full(error) {
            return self.full(error);
        }
        let name = file_name(header.first_seq);
        self.blocked(format!("cannot create `{name}`: {error}"))
    }

    /// After a segment could not be begun: on a full disk its file is taken away again.
    fn not_begun(&mut self, header: SegmentHeader, error: &io::Error) -> String {
        let storage = self.shared.reader.storage();
        if !is_full(error) {
            return self.poison("begin a segment after", error);
        }
        let removed = storage.remove(&file_name(header.first_seq));
        match removed.and_then(|()| storage.sync_folder()) {
            Ok(()) => self.full(error),
            Err(error) => self.poison("begin a segment after", &error),
        }
    }

    fn full(&mut self, error: &io::Error) -> String {
        self.blocked(format!("the disk is full: {error}"))
    }

    /// Refuses this batch; the next one tries again.
    fn blocked(&mut self, reason: String) -> String {
        if self.health != Health::Blocked {
            tracing::error!(reason, "nothing can be stored until that has passed");
        }
        self.health = Health::Blocked;
        self.shared.set_fault(Some(reason.clone()));
        reason
    }

    fn poison(&mut self, action: &str, error: &io::Error) -> String {
        let name = file_name(self.active.header.first_seq);
        let reason = format!("cannot {action} `{name}`: {error}");
        tracing::error!(reason, "nothing can be stored until a restart");
        self.health = Health::Poisoned;
        self.shared.set_fault(Some(reason.clone()));
        reason
    }
}

/// Counts a batch that is durable.
#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
fn count(batch: &Batch, bytes: u64, synced_in: Duration) {
    histogram!("headgate_log_sync_seconds").record(synced_in);
    histogram!("headgate_log_batch_events").record(batch.frames.len() as f64);
    histogram!("headgate_log_batch_bytes").record(bytes as f64);
}
