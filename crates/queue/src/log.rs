//! The segment log: the events of the embedded queue, in their order, for as long as they are kept.
//!
//! One writer thread appends batches and makes each durable before anything is answered or shown
//! to a reader. The log knows places, sequences, ids and keys; it does not know subscriptions, it
//! does not search, and it keeps no index: that is SQLite's part. `docs/queue-format.md` draws
//! every byte of its files.
//!
//! How an index follows it:
//!
//! - [`Log::open`] is told by [`LogOptions::indexed`] what the index holds, and remembers what
//!   came later; [`Log::remembered_from`] says from where on. What lies between is read by
//!   [`Log::scan`] and indexed before the first [`Log::append`].
//! - [`Log::committed`] gives what is not indexed yet; [`Log::indexed`] lets go of it.
//! - A request's task looks its dedupe key up in the index and tells [`Log::append`] the newest
//!   sequence that look covered. [`AppendError::LookAgain`] hands the drafts back when the index
//!   has moved on so far that memory no longer covers the rest.

mod erase;
mod error;
mod format;
mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod keys;
mod large;
mod options;
mod prepared;
mod random;
mod reader;
mod recovery;
mod removal;
pub(crate) mod repair;
mod room;
mod shared;
mod storage;
mod tail;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use erase::Erasure;
pub(crate) use error::{AppendError, LogError, OpenError};
pub(crate) use frame::Frame;
pub(crate) use keys::{DedupeDigest, Keys, NameDigest};
pub(crate) use options::LogOptions;
pub(crate) use prepared::Prepared;
pub(crate) use reader::{Place, Position, Scanned};
pub(crate) use recovery::{finish, holds_events};
pub(crate) use removal::Begun;
pub(crate) use shared::SegmentInfo;
pub(crate) use storage::{DiskStorage, Storage, StorageFile};
pub(crate) use tail::Committed;

#[cfg(test)]
pub(crate) use storage::simulated;

use crate::Seq;
use bytes::Bytes;
use headgate_event::{
    Accepted, Clock, EventId, StoreError,
    limits::{
        ACCEPT_BYTES_MAX, APPENDS_QUEUED_MAX, DRAFTS_PER_ACCEPT_MAX, LARGE_CALLS_QUEUED_MAX,
        STORE_RETRY_AFTER,
    },
};
use large::Stager;
use reader::Reader;
use shared::Shared;
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, ErrorKind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};
use tail::Tail;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use writer::{Call, Message, Task, Writer};

/// The log of one folder. Clones share it; the writer ends with the last of them.
#[derive(Clone)]
pub(crate) struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    options: LogOptions,
    /// `None` only while the last handle is dropped.
    calls: Option<mpsc::Sender<Message>>,
    /// `None` once the log is closed.
    large: Mutex<Option<mpsc::Sender<Call>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    stager: Mutex<Option<JoinHandle<()>>>,
    /// Closed by the writer's end.
    running: watch::Receiver<()>,
    /// Closed by the end of the one who writes large calls.
    staging: watch::Receiver<()>,
    /// The newest id when the log was opened.
    last_id: EventId,
}

impl Log {
    /// Opens the log in this storage and recovers it, or begins an empty one.
    ///
    /// What a power cut left unfinished at the end is cut off. Anything else that is not as it was
    /// written is an error, and then nothing has been changed.
    #[cfg(test)]
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        options: LogOptions,
    ) -> Result<Self, OpenError> {
        Self::open_finishing(storage, clock, options, &Begun::default())
    }

    /// The same after something was begun to be taken away, which is finished.
    pub(crate) fn open_finishing(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        options: LogOptions,
        begun: &Begun,
    ) -> Result<Self, OpenError> {
        let (shared, writer) = Self::recover(storage, clock, options, begun)?;
        let last_id = writer.last_id();
        let (calls, queue) = mpsc::channel(APPENDS_QUEUED_MAX);
        let (large, large_queue) = mpsc::channel(LARGE_CALLS_QUEUED_MAX);
        let stager = Stager::new(Arc::clone(&shared), calls.clone(), options.large_slice_bytes);
        let (writer, running) = spawn("headgate-log", move || writer.run(queue))?;
        let (stager, staging) = spawn("headgate-large", move || stager.run(large_queue))?;
        let inner = Inner {
            shared,
            options,
            calls: Some(calls),
            large: Mutex::new(Some(large)),
            writer: Mutex::new(Some(writer)),
            stager: Mutex::new(Some(stager)),
            running,
            staging,
            last_id,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same, but nothing is written until the test says so.
    #[cfg(test)]
    fn open_by_hand(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        options: LogOptions,
    ) -> Result<(Self, writer::ByHand), OpenError> {
        let (shared, writer) = Self::recover(storage, clock, options, &Begun::default())?;
        let (calls, queue) = mpsc::channel(APPENDS_QUEUED_MAX);
        let (large, large_queue) = mpsc::channel(LARGE_CALLS_QUEUED_MAX);
        let stager = Stager::new(Arc::clone(&shared), calls.clone(), options.large_slice_bytes);
        let (alive, running) = watch::channel(());
        let last_id = writer.last_id();
        let hand = writer::ByHand::new(writer, queue, stager, large_queue, alive);
        let inner = Inner {
            shared,
            options,
            calls: Some(calls),
            large: Mutex::new(Some(large)),
            writer: Mutex::default(),
            stager: Mutex::default(),
            staging: running.clone(),
            running,
            last_id,
        };
        Ok((Self { inner: Arc::new(inner) }, hand))
    }

    /// What the disk holds, and the writer that goes on from there.
    fn recover(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        options: LogOptions,
        begun: &Begun,
    ) -> Result<(Arc<Shared>, Writer), OpenError> {
        let recovered = recovery::recover(&storage, options.indexed, begun)?;
        let head = recovered.head;
        let shared = Arc::new(Shared {
            reader: Reader::new(storage, recovered.extents, &recovered.active),
            tail: Tail::after(head),
            head: watch::Sender::new(head),
            indexed: AtomicU64::new(head),
            room: Notify::new(),
            fault: Mutex::new(None),
            shortage: Mutex::new(None),
        });
        let unindexed = shared.unindexed(head, &options)?;
        shared.reader.hide_before(begun.kept_from.min(head + 1));
        let (active, last_id) = (recovered.active, recovered.last_id);
        let mut writer = Writer::new(Arc::clone(&shared), clock, options, active, last_id);
        writer.remember(&unindexed);
        if let Some(first) = unindexed.first() {
            shared.indexed.store(first.seq - 1, Ordering::Release);
            shared.tail.restore(unindexed);
        }
        Ok((shared, writer))
    }

    /// Stores the drafts in one batch, all or none, and answers for each once it is durable.
    ///
    /// `seen` is the newest sequence that the caller's look into the index covered; it counts only
    /// for drafts with a dedupe key.
    pub(crate) async fn append(
        &self,
        drafts: Vec<Prepared>,
        seen: Seq,
    ) -> Result<Vec<Accepted>, AppendError> {
        let bytes = check_size(&drafts)?;
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(shortage) = self.inner.shared.shortage() {
            return Err(unavailable(shortage));
        }
        self.wait_for_room().await?;
        let closed = || unavailable("the log is closed");
        let (answer, answered) = oneshot::channel();
        let call = Call { drafts, seen, answer };
        if bytes >= self.inner.options.large_bytes_min {
            let large = self.inner.large().clone().ok_or_else(closed)?;
            large.send(call).await.map_err(|_| closed())?;
        } else {
            let calls = self.inner.calls.as_ref().ok_or_else(closed)?;
            calls.send(Message::Append(call)).await.map_err(|_| closed())?;
        }
        answered.await.map_err(|_| closed())?
    }

    /// The frame at a position, checked.
    pub(crate) fn read(&self, position: Position) -> Result<Frame, LogError> {
        self.inner.shared.reader.read(position)
    }

    /// The durable frames from a place on, in their order, as many as fit both limits and at least
    /// one; none at the end of the log.
    pub(crate) fn scan(
        &self,
        from: Place,
        frames_max: usize,
        bytes_max: usize,
    ) -> Result<Scanned, LogError> {
        self.inner.shared.reader.scan(from, frames_max.max(1), bytes_max)
    }

    /// Where a scan begins that shall meet this sequence: the start of its segment.
    pub(crate) fn place_before(&self, seq: Seq) -> Place {
        self.inner.shared.reader.place_before(seq)
    }

    /// The newest durable sequence, 0 before the first.
    pub(crate) fn head(&self) -> watch::Receiver<Seq> {
        self.inner.shared.head.subscribe()
    }

    /// The oldest sequence that is still stored; one more than the head when none is.
    pub(crate) fn first_seq(&self) -> Seq {
        self.inner.shared.reader.first_seq()
    }

    /// How many segments there are, and their length in durable bytes.
    pub(crate) fn size(&self) -> (usize, u64) {
        let extents = self.inner.shared.reader.extents();
        (extents.len(), extents.values().sum())
    }

    /// The newest id when the log was opened; all zero when there never was one.
    pub(crate) fn last_id(&self) -> EventId {
        self.inner.last_id
    }

    /// The durable end of each segment, by its first sequence.
    pub(crate) fn extents(&self) -> BTreeMap<Seq, u64> {
        self.inner.shared.reader.extents()
    }

    /// What is kept free on its disk.
    pub(crate) fn disk_free_bytes_min(&self) -> u64 {
        self.inner.options.disk_free_bytes_min
    }

    /// The name of a segment's file.
    pub(crate) fn file_name(segment: Seq) -> String {
        format::file_name(segment)
    }

    /// Durable bytes of a segment, as they are.
    pub(crate) fn bytes(&self, segment: Seq, offset: u64, length: u64) -> Result<Bytes, LogError> {
        self.inner.shared.reader.bytes(Place { segment, offset }, length)
    }

    /// The segments, oldest first.
    pub(crate) fn segments(&self) -> Vec<SegmentInfo> {
        self.inner.shared.segments()
    }

    /// The first sequence from which on everything is in memory until it is indexed.
    pub(crate) fn remembered_from(&self) -> Seq {
        self.inner.shared.tail.first_seq()
    }

    /// Up to `max` entries after `seq` that the index may not hold yet, oldest first.
    pub(crate) fn committed(&self, after: Seq, max: usize) -> Vec<Committed> {
        self.inner.shared.tail.entries(after, max)
    }

    /// Up to `max` entries before `seq` that the index may not hold yet, newest first.
    pub(crate) fn committed_before(&self, seq: Seq, max: usize) -> Vec<Committed> {
        self.inner.shared.tail.entries_before(seq, max)
    }

    /// The entry of a sequence that the index may not hold yet.
    pub(crate) fn committed_at(&self, seq: Seq) -> Option<Committed> {
        self.inner.shared.tail.by_seq(seq)
    }

    /// The entry of an id that the index may not hold yet.
    pub(crate) fn committed_as(&self, id: EventId) -> Option<Committed> {
        self.inner.shared.tail.by_id(id)
    }

    /// Lets go of what the index holds durably: everything up to this sequence.
    pub(crate) fn indexed(&self, upto: Seq) {
        let shared = &self.inner.shared;
        shared.tail.let_go(upto);
        shared.indexed.fetch_max(upto, Ordering::AcqRel);
        shared.room.notify_waiters();
    }

    /// Whether events can be stored; the reason when they cannot.
    pub(crate) fn health(&self) -> Result<(), String> {
        if self.inner.calls.as_ref().is_none_or(mpsc::Sender::is_closed) {
            return Err("the log is closed".to_owned());
        }
        let shared = &self.inner.shared;
        shared.fault().or_else(|| shared.shortage()).map_or(Ok(()), Err)
    }

    /// Whether the disk had room when it was looked at last.
    pub(crate) fn has_room(&self) -> bool {
        self.inner.shared.has_room()
    }

    /// Looks how much of the disk is free, and whether a log that could not write can write again.
    ///
    /// To be called now and then, off the path of every answer.
    pub(crate) fn check_room(&self) {
        let (shared, options) = (&self.inner.shared, &self.inner.options);
        room::check(shared, options.disk_free_bytes_min);
        if let Some(calls) = self.inner.calls.as_ref().filter(|_| shared.shortage().is_none()) {
            // A queue that is full has calls that try it themselves.
            let _ = calls.try_send(Message::Probe);
        }
    }

    /// Stores what was given before, ends the writer and refuses what comes later.
    pub(crate) async fn close(&self) {
        // What is on its way in files of its own comes to the writer before it is closed.
        self.inner.large().take();
        let mut staging = self.inner.staging.clone();
        while staging.changed().await.is_ok() {}
        if let Some(calls) = &self.inner.calls {
            // An error says that the writer has ended already.
            let _ = calls.send(Message::Close).await;
        }
        let mut running = self.inner.running.clone();
        while running.changed().await.is_ok() {}
        join(&self.inner.stager);
        join(&self.inner.writer);
    }

    /// Waits while the index is too far behind: what it has not seen is held in memory.
    async fn wait_for_room(&self) -> Result<(), AppendError> {
        let shared = &self.inner.shared;
        let full = || shared.lag() >= self.inner.options.index_lag_events_max;
        if !full() {
            return Ok(());
        }
        let waited = tokio::time::timeout(self.inner.options.index_lag_wait, async {
            loop {
                let room = shared.room.notified();
                if !full() {
                    return;
                }
                room.await;
            }
        });
        waited
            .await
            .map_err(|_| unavailable(format!("the index is {} events behind", shared.lag())))
    }
}

impl Inner {
    fn large(&self) -> MutexGuard<'_, Option<mpsc::Sender<Call>>> {
        self.large.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.large().take();
        join(&self.stager);
        self.calls = None;
        join(&self.writer);
    }
}

/// Starts a thread, and gives what is closed by its end.
fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<(JoinHandle<()>, watch::Receiver<()>), OpenError> {
    let (alive, running) = watch::channel(());
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _alive = alive;
        work();
    });
    Ok((thread.map_err(OpenError::Thread)?, running))
}

fn join(thread: &Mutex<Option<JoinHandle<()>>>) {
    let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
    if thread.is_some_and(|thread| thread.join().is_err()) {
        tracing::error!("a thread of the log has panicked");
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("head", &*self.inner.shared.head.borrow()).finish()
    }
}

/// The bytes of a call, when they are not too many.
fn check_size(drafts: &[Prepared]) -> Result<usize, AppendError> {
    if drafts.len() > DRAFTS_PER_ACCEPT_MAX {
        let (drafts, drafts_max) = (drafts.len(), DRAFTS_PER_ACCEPT_MAX);
        return Err(AppendError::Store(StoreError::TooMany { drafts, drafts_max }));
    }
    let bytes: usize = drafts.iter().map(Prepared::len).sum();
    if bytes > ACCEPT_BYTES_MAX {
        let bytes_max = ACCEPT_BYTES_MAX;
        return Err(AppendError::Store(StoreError::TooLarge { bytes, bytes_max }));
    }
    Ok(bytes)
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// The answer while nothing can be stored.
fn unavailable(reason: impl Into<String>) -> AppendError {
    let retry_after = STORE_RETRY_AFTER;
    AppendError::Store(StoreError::Unavailable { reason: reason.into(), retry_after })
}
