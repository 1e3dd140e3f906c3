//! What the parts of one connection tell each other: the watch on its bytes, the front of the
//! service, and the task around both.

use crate::Reject;
use futures_util::task::AtomicWaker;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    task::Waker,
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// Counts the moments at which connections fall quiet, so that the longest quiet one is known.
static QUIET_MOMENTS: AtomicU64 = AtomicU64::new(0);

/// The state that one connection's parts share.
#[derive(Debug)]
pub(super) struct Exchange {
    in_hand: AtomicUsize,
    begun: AtomicUsize,
    quiet_since: AtomicU64,
    upgraded: AtomicBool,
    closing: AtomicBool,
    refusal: Mutex<Option<Reject>>,
    watch: AtomicWaker,
    leave: Notify,
    untaken: Mutex<Untaken>,
}

/// A connection that nobody waits for. The smaller one may be closed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quiet {
    /// Idle between requests, since this moment.
    Idle(u64),
    /// Without a request, since it came at this moment.
    Fresh(u64),
}

/// The answers of HTTP/2 of which a part waits for the client to take it, and since when.
#[derive(Debug, Default)]
struct Untaken {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

/// A request that is in hand until this is dropped.
#[derive(Debug)]
pub(super) struct InHand(Arc<Exchange>);

/// Whom one answer of HTTP/2 waits for.
#[derive(Debug)]
pub(super) struct Taking {
    exchange: Arc<Exchange>,
    id: u64,
}

impl Default for Exchange {
    fn default() -> Self {
        Self {
            in_hand: AtomicUsize::default(),
            begun: AtomicUsize::default(),
            quiet_since: AtomicU64::new(QUIET_MOMENTS.fetch_add(1, SeqCst)),
            upgraded: AtomicBool::default(),
            closing: AtomicBool::default(),
            refusal: Mutex::default(),
            watch: AtomicWaker::default(),
            leave: Notify::new(),
            untaken: Mutex::default(),
        }
    }
}

impl Exchange {
    /// Notes that a request is in hand from here on.
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, SeqCst);
        self.in_hand.fetch_add(1, SeqCst);
    }

    /// Ends what [`begin`](Self::begin) began, when the answer is written or given up.
    pub(super) fn ends_with(self: &Arc<Self>) -> InHand {
        InHand(Arc::clone(self))
    }

    /// Has the watch woken when a request is no longer in hand: hyper itself reads on only when
    /// the socket has more, and the watch may hold the next head already.
    pub(super) fn wake_when_answered(&self, watch: &Waker) {
        self.watch.register(watch);
    }

    /// How many requests are in hand.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.load(SeqCst)
    }

    /// How many requests there have been.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(SeqCst)
    }

    /// Since when nobody waits for this connection, if nobody does.
    pub(super) fn quiet(&self) -> Option<Quiet> {
        if self.in_hand() > 0 || self.is_upgraded() {
            return None;
        }
        let since = self.quiet_since.load(SeqCst);
        Some(if self.begun() > 0 { Quiet::Idle(since) } else { Quiet::Fresh(since) })
    }

    /// Has the connection closed as soon as no request is in hand.
    pub(super) fn ask_to_leave(&self) {
        self.leave.notify_one();
    }

    /// Waits until the connection is asked to leave.
    pub(super) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }

    /// Notes that the connection speaks another protocol after the answer.
    pub(super) fn upgrade(&self) {
        self.upgraded.store(true, SeqCst);
    }

    /// Whether the connection speaks another protocol.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(SeqCst)
    }

    /// Notes that the connection holds more than others do and ends with its next answer.
    pub(super) fn close_with_answer(&self) {
        self.closing.store(true, SeqCst);
    }

    /// Whether the connection ends with its next answer.
    pub(super) fn closes_with_answer(&self) -> bool {
        self.closing.load(SeqCst)
    }

    /// Notes that the request which comes next stands for one that was refused.
    pub(super) fn refuse(&self, reject: Reject) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reject);
    }

    /// Why the request that came is refused, if it is.
    pub(super) fn refusal(&self) -> Option<Reject> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Follows an answer of HTTP/2, which waits for its client at first.
    pub(super) fn follow(self: &Arc<Self>) -> Taking {
        let mut untaken = self.untaken();
        let id = untaken.next;
        untaken.next += 1;
        untaken.since.insert(id, Instant::now());
        Taking { exchange: Arc::clone(self), id }
    }

    /// Whether the client has let an answer of HTTP/2 wait for so long.
    pub(super) fn is_stalled(&self, timeout: Duration) -> bool {
        let now = Instant::now();
        self.untaken().since.values().any(|since| now >= *since + timeout)
    }

    fn untaken(&self) -> MutexGuard<'_, Untaken> {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.quiet_since.store(QUIET_MOMENTS.fetch_add(1, SeqCst), SeqCst);
        self.0.in_hand.fetch_sub(1, SeqCst);
        self.0.watch.wake();
    }
}

impl Taking {
    /// A part was given, which the client has to take before the next one is asked for.
    pub(super) fn waits_for_client(&self) {
        self.exchange.untaken().since.insert(self.id, Instant::now());
    }

    /// The client has taken all there is.
    pub(super) fn waits_for_service(&self) {
        self.exchange.untaken().since.remove(&self.id);
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.waits_for_service();
    }
}
