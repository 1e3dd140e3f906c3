//! The thread by which the index follows the log, off every answer's path.
//!
//! It lags a little on purpose: a transaction takes what has come for some milliseconds, because
//! one big transaction costs less than many small ones, and nobody waits for it.

use super::{
    committer::Committer,
    index::{Index, IndexWriter},
};
use crate::{
    Seq,
    log::{Committed, Log, LogError},
};
use headgate_event::limits::{
    ERASE_CHECKPOINT_PAUSE, ERASE_CHECKPOINTS_MAX, INDEX_BUSY_EVENTS, INDEX_LINGER,
    INDEX_LINGER_BUSY, INDEX_RETRY_PAUSE, INDEX_TIDY_ROUNDS, INDEX_TRANSACTION_EVENTS_MAX,
    NEWEST_NOTED_EVENTS,
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot, watch};

/// How many bytes of frames a scan takes at once while the index is made.
const SCAN_BYTES: usize = 4 << 20;

/// The thread by which the index follows the log.
#[derive(Debug)]
pub(super) struct Follower {
    stop: watch::Sender<bool>,
    /// The first event that is kept; rows before it may go.
    kept: watch::Sender<Seq>,
    erasures: mpsc::Sender<ToErase>,
    fault: Arc<Mutex<Option<String>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Why the index could not catch up.
#[derive(Debug)]
pub(super) enum CatchUpError {
    Index(rusqlite::Error),
    Log(LogError),
}

struct Following {
    log: Log,
    writer: IndexWriter,
    stop: watch::Receiver<bool>,
    kept: watch::Receiver<Seq>,
    erasures: mpsc::Receiver<ToErase>,
    committer: Arc<Committer>,
    /// The newest event that the state was told of.
    told: Seq,
    /// The one that ended a rest.
    held: Option<ToErase>,
    fault: Arc<Mutex<Option<String>>>,
}

/// An event to take out of the index; answered when nothing of it is left in its files.
type ToErase = (Seq, oneshot::Sender<rusqlite::Result<bool>>);

impl Follower {
    /// Starts to follow.
    pub(super) fn start(
        log: Log,
        writer: IndexWriter,
        committer: Arc<Committer>,
    ) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (kept, told) = watch::channel(log.first_seq());
        let (erasures, queue) = mpsc::channel(1);
        let fault = Arc::default();
        let following = Following {
            log,
            writer,
            stop: stopped,
            kept: told,
            erasures: queue,
            committer,
            told: 0,
            held: None,
            fault: Arc::clone(&fault),
        };
        let waits = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new()
            .name("headgate-index".to_owned())
            .spawn(move || waits.block_on(following.run()))?;
        Ok(Self { stop, kept, erasures, fault, thread: Mutex::new(Some(thread)) })
    }

    /// Whether it follows; the reason when it does not.
    pub(super) fn health(&self) -> Result<(), String> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_none_or(JoinHandle::is_finished) {
            let why = "the thread of the index has ended: events are stored and found in memory \
                       until a restart";
            return Err(why.to_owned());
        }
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    /// Takes away what the index has of events before this one, when there is time.
    pub(super) fn trim(&self, kept_from: Seq) {
        self.kept.send_replace(kept_from);
    }

    /// Takes an event out of the index and its files; `false` when a reader was in the way for
    /// too long.
    pub(super) async fn erase(&self, seq: Seq) -> Result<bool, String> {
        let closed = || "the index is closed".to_owned();
        let (answer, answered) = oneshot::channel();
        self.erasures.send((seq, answer)).await.map_err(|_| closed())?;
        let erased = answered.await.map_err(|_| closed())?;
        erased.map_err(|error| format!("the index: {error}"))
    }

    /// Catches up and ends.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the index has panicked");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Following {
    async fn run(mut self) {
        let mut head = self.log.head();
        let mut rounds = 0_u32;
        loop {
            rounds = rounds.wrapping_add(1);
            let stopping = *self.stop.borrow();
            let followed = self.follow();
            if let Err(error) = &followed {
                tracing::error!(%error, "the index cannot be written");
            }
            match followed {
                // However much comes, erasing goes on and the filters become whole.
                Ok(INDEX_TRANSACTION_EVENTS_MAX) if rounds.is_multiple_of(INDEX_TIDY_ROUNDS) => {
                    self.tidy().await;
                }
                Ok(INDEX_TRANSACTION_EVENTS_MAX) => drop(self.fill()),
                Ok(0) | Err(_) if stopping => break,
                Ok(_) if stopping || self.tidy().await => {}
                Ok(_) => self.rest(&mut head).await,
                // What failed may work later, whether anything more comes or not.
                Err(_) => self.pause(INDEX_RETRY_PAUSE).await,
            }
        }
        if let Err(error) = self.writer.checkpoint() {
            tracing::warn!(%error, "the index could not be checkpointed");
        }
    }

    /// Tells the state now and then how far the log is: a log that is lost together with its index
    /// is missed then.
    fn tell(&mut self, newest: Seq) {
        let due = self.told == 0 || newest >= self.told + NEWEST_NOTED_EVENTS;
        if due && self.committer.tell_newest(newest) {
            self.told = newest;
        }
    }

    /// Takes the next events into the index, and answers how many they are.
    fn follow(&mut self) -> rusqlite::Result<usize> {
        let last = self.writer.index().last();
        let entries = self.log.committed(last, INDEX_TRANSACTION_EVENTS_MAX);
        let added = self.writer.add(&entries);
        let fault = added.as_ref().err().map(|error| format!("the index: {error}"));
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        added?;
        if let Some(last) = entries.last() {
            self.log.indexed(last.seq);
            self.tell(last.seq);
        }
        Ok(entries.len())
    }

    /// Takes away a part of what is no longer in the log, or fills filters; `false` when there is
    /// nothing to do.
    async fn tidy(&mut self) -> bool {
        let erasure = self.held.take().or_else(|| self.erasures.try_recv().ok());
        if let Some((erased, answer)) = erasure {
            let erased = self.erase(erased).await;
            let _ = answer.send(erased);
            return true;
        }
        let kept = *self.kept.borrow();
        let trimmed = self.writer.trim(kept);
        trimmed
            .inspect_err(|error| tracing::error!(%error, "the index keeps removed events"))
            .unwrap_or(false)
            || self.fill()
    }

    /// Reads dedupe keys and names into memory; `false` when there are no more.
    fn fill(&mut self) -> bool {
        let filled = self.writer.fill();
        filled
            .inspect_err(
                |error| tracing::warn!(%error, "dedupe keys and names are looked for in the index"),
            )
            .unwrap_or(false)
    }

    /// Takes what an erased event had out of the file and its write-ahead log.
    async fn erase(&mut self, erased: Seq) -> rusqlite::Result<bool> {
        self.writer.erase(&[erased])?;
        for _ in 0..ERASE_CHECKPOINTS_MAX {
            if self.writer.checkpoint()? {
                return Ok(true);
            }
            self.pause(ERASE_CHECKPOINT_PAUSE).await;
        }
        Ok(false)
    }

    /// Waits for something to do: new events and then a moment more, events to take away, or to
    /// be told to stop.
    ///
    /// Keys are random, so each transaction writes a page for nearly every one of them: where many
    /// events come in that moment it waits for more, of which several share a page.
    async fn rest(&mut self, head: &mut watch::Receiver<Seq>) {
        let last = self.writer.index().last();
        let linger = async {
            // The log outlives this wait, so an error cannot be.
            let _ = head.changed().await;
            tokio::time::sleep(INDEX_LINGER).await;
            let behind = head.borrow().saturating_sub(last);
            if behind >= INDEX_BUSY_EVENTS {
                tokio::time::sleep(INDEX_LINGER_BUSY).await;
            }
        };
        tokio::select! {
            () = linger => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
            Ok(()) = self.kept.changed() => {}
            Some(erasure) = self.erasures.recv() => self.held = Some(erasure),
        }
    }

    /// Waits so long, or until it is told to stop.
    async fn pause(&mut self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
    }
}

/// Whether the newest event of the index is the one that the log has at its place.
pub(super) fn fits(log: &Log, index: &Index) -> rusqlite::Result<bool> {
    let last = index.last();
    if last < log.first_seq() {
        return Ok(true);
    }
    let Some(entry) = index.at(last)? else { return Ok(is_lost(log, last)) };
    Ok(log.read(entry.position).is_ok_and(|frame| frame.seq == last && frame.id == entry.id))
}

/// Whether the log has a frame at this place that stands for a lost event.
pub(super) fn is_lost(log: &Log, seq: Seq) -> bool {
    let mut place = log.place_before(seq);
    while let Ok(scanned) = log.scan(place, INDEX_TRANSACTION_EVENTS_MAX, SCAN_BYTES) {
        if let Some(frame) = scanned.frames.iter().find(|frame| frame.seq >= seq) {
            return frame.seq == seq && frame.keys.is_lost();
        }
        if scanned.frames.is_empty() {
            break;
        }
        place = scanned.next;
    }
    false
}

/// Takes into the index what is in the log's memory.
pub(super) fn take_rest(log: &Log, writer: &mut IndexWriter) -> rusqlite::Result<()> {
    loop {
        let entries = log.committed(writer.index().last(), INDEX_TRANSACTION_EVENTS_MAX);
        let Some(last) = entries.last() else { return Ok(()) };
        writer.add(&entries)?;
        log.indexed(last.seq);
    }
}

/// Reads into the index what the log holds beyond it and beyond its own memory.
pub(super) fn catch_up(log: &Log, writer: &mut IndexWriter) -> Result<(), CatchUpError> {
    let remembered = log.remembered_from();
    let last = writer.index().last();
    if last + 1 >= remembered {
        return Ok(());
    }
    tracing::info!(from = last + 1, to = remembered - 1, "making the index from the log");
    let mut place = match writer.index().at(last).map_err(CatchUpError::Index)? {
        Some(entry) => entry.position.end(),
        None => log.place_before(last + 1),
    };
    let mut entries: Vec<Committed> = Vec::new();
    loop {
        let scanned =
            log.scan(place, INDEX_TRANSACTION_EVENTS_MAX, SCAN_BYTES).map_err(CatchUpError::Log)?;
        place = scanned.next;
        let fits = |seq: Seq| seq > last && seq < remembered;
        entries.extend(scanned.frames.iter().filter(|f| fits(f.seq)).map(Committed::of));
        let ended = scanned.frames.last().is_none_or(|frame| frame.seq + 1 >= remembered);
        if ended || entries.len() >= INDEX_TRANSACTION_EVENTS_MAX {
            writer.add(&entries).map_err(CatchUpError::Index)?;
            entries.clear();
        }
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_panicked_is_told() {
        let (stop, _stopped) = watch::channel(false);
        let thread = std::thread::spawn(|| panic!("of the test"));
        while !thread.is_finished() {
            std::thread::yield_now();
        }
        let thread = Mutex::new(Some(thread));
        let (kept, erasures) = (watch::Sender::new(0), mpsc::channel(1).0);
        let follower = Follower { stop, kept, erasures, fault: Arc::default(), thread };
        let reason = follower.health().expect_err("nobody follows");
        assert!(reason.starts_with("the thread of the index has ended"), "{reason}");
    }
}
