//! Rejections that wait to be written: a bounded line, of which one channel has at most half.

use headgate_event::limits::{
    QUARANTINE_BATCH_MAX, QUARANTINE_WAITING_BYTES_MAX, QUARANTINE_WAITING_MAX,
    QUARANTINE_WRITE_BYTES_PER_SECOND_MAX,
};
use headgate_http::Rejection;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A batch takes no further rejection once it holds this many bytes.
const BATCH_BYTES: usize = QUARANTINE_WRITE_BYTES_PER_SECOND_MAX as usize / 8;

/// The line.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    line: Mutex<Line>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    rejections: VecDeque<Rejection>,
    bytes: usize,
    /// The rejections of each channel in the line, and their bytes.
    shares: BTreeMap<String, (usize, usize)>,
    /// How many were ever let in, and how many of them are done with.
    offered: u64,
    done: u64,
    closed: bool,
}

/// There is no room in the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// What the writer finds.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Rejections to write.
    Batch(Vec<Rejection>),
    /// Nothing came for a while.
    Nothing,
    /// Nothing is left, and nothing will come.
    Closed,
}

impl Waiting {
    /// Puts a rejection at the end, when there is room.
    pub(crate) fn offer(&self, rejection: Rejection) -> Result<(), Full> {
        let bytes = bytes(&rejection);
        let mut line = self.lock();
        let (count, held) = line.shares.get(&rejection.channel.id).copied().unwrap_or_default();
        let full = line.rejections.len() >= QUARANTINE_WAITING_MAX
            || line.bytes + bytes > QUARANTINE_WAITING_BYTES_MAX
            || count >= QUARANTINE_WAITING_MAX / 2
            || held + bytes > QUARANTINE_WAITING_BYTES_MAX / 2;
        if full || line.closed {
            return Err(Full);
        }
        line.shares.insert(rejection.channel.id.clone(), (count + 1, held + bytes));
        line.bytes += bytes;
        line.offered += 1;
        line.rejections.push_back(rejection);
        drop(line);
        self.changed.notify_all();
        Ok(())
    }

    /// The next rejections to write, once there are some. Each is to be noted as
    /// [`done`](Self::done).
    pub(crate) fn take(&self, patience: Duration) -> Taken {
        let line = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(line, patience, |line| line.rejections.is_empty() && !line.closed);
        let (mut line, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let (mut batch, mut held) = (Vec::new(), 0);
        while batch.len() < QUARANTINE_BATCH_MAX && held < BATCH_BYTES {
            let Some(rejection) = line.rejections.pop_front() else { break };
            held += bytes(&rejection);
            line.left(&rejection);
            batch.push(rejection);
        }
        match (batch.is_empty(), line.closed) {
            (false, _) => Taken::Batch(batch),
            (true, true) => Taken::Closed,
            (true, false) => Taken::Nothing,
        }
    }

    /// Notes that so many are written or given up.
    pub(crate) fn done(&self, count: usize) {
        self.lock().done += count as u64;
        self.changed.notify_all();
    }

    /// Rests for a while, unless the end comes.
    pub(crate) fn rest(&self, span: Duration) {
        let ends = Instant::now() + span;
        let mut line = self.lock();
        while !line.closed {
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(line, left);
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until what was let in before is done with, but not for ever.
    pub(crate) fn settle(&self, patience: Duration) {
        let line = self.lock();
        let offered = line.offered;
        let done = |line: &mut Line| line.done < offered;
        // Who waits in vain sees the quarantine without what still waits.
        drop(self.changed.wait_timeout_while(line, patience, done));
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Gives back the room of a rejection.
    fn left(&mut self, rejection: &Rejection) {
        let bytes = bytes(rejection);
        self.bytes = self.bytes.saturating_sub(bytes);
        let id = &rejection.channel.id;
        if let Some((count, held)) = self.shares.get_mut(id) {
            *count = count.saturating_sub(1);
            *held = held.saturating_sub(bytes);
            if *count == 0 {
                self.shares.remove(id);
            }
        }
    }
}

/// What a rejection takes of memory, about: its parts and their bytes.
pub(crate) fn bytes(rejection: &Rejection) -> usize {
    const BESIDES: usize = 256;
    let request = &rejection.request;
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + 4
    };
    let head: usize = request.headers.iter().map(header).sum();
    BESIDES + request.path.len() + request.query.len() + head + request.body.len()
}
