//! What the parts of one connection tell each other: the watch on its bytes, the front of the
//! service, and the task around both.

use crate::Reject;
use futures_util::task::AtomicWaker;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::Waker,
};

/// The state that one connection's parts share.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    in_hand: AtomicUsize,
    begun: AtomicUsize,
    upgraded: AtomicBool,
    refusal: Mutex<Option<Reject>>,
    watch: AtomicWaker,
}

/// A request that is in hand until this is dropped.
#[derive(Debug)]
pub(super) struct InHand(Arc<Exchange>);

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

    /// Notes that the connection speaks another protocol after the answer.
    pub(super) fn upgrade(&self) {
        self.upgraded.store(true, SeqCst);
    }

    /// Whether the connection speaks another protocol.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(SeqCst)
    }

    /// Notes that the request which comes next stands for one that was refused.
    pub(super) fn refuse(&self, reject: Reject) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reject);
    }

    /// Why the request that came is refused, if it is.
    pub(super) fn refusal(&self) -> Option<Reject> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.in_hand.fetch_sub(1, SeqCst);
        self.0.watch.wake();
    }
}
