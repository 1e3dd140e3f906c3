//! The memory for the heads of all connections together.
//!
//! Each connection may hold a small head for nothing. Beyond that it is counted, twice, because
//! hyper gets a copy that it keeps; and as long as the connection is open, for the same reason.

use headgate_event::limits::HEAD_BYTES_FREE;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

/// What all connections share.
#[derive(Clone, Debug)]
pub(super) struct HeadRoom {
    used: Arc<AtomicUsize>,
    bytes_max: usize,
}

/// What one connection uses of it.
#[derive(Debug)]
pub(super) struct HeadShare {
    room: HeadRoom,
    bytes: usize,
}

impl HeadRoom {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { used: Arc::default(), bytes_max }
    }

    /// A share that uses nothing yet.
    pub(super) fn share(&self) -> HeadShare {
        HeadShare { room: self.clone(), bytes: 0 }
    }
}

impl HeadShare {
    /// Whether so many held bytes are free or can be counted.
    pub(super) fn covers(&mut self, held_bytes: usize) -> bool {
        let bytes = if held_bytes > HEAD_BYTES_FREE { 2 * held_bytes } else { 0 };
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return true;
        }
        let fits = |used: usize| Some(used + more).filter(|used| *used <= self.room.bytes_max);
        let taken = self.room.used.fetch_update(SeqCst, SeqCst, fits).is_ok();
        self.bytes += if taken { more } else { 0 };
        taken
    }

    /// Whether anything is counted.
    pub(super) fn is_used(&self) -> bool {
        self.bytes > 0
    }
}

impl Drop for HeadShare {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_heads_are_free_and_large_ones_are_counted_until_the_connection_ends() {
        let room = HeadRoom::new(6 * HEAD_BYTES_FREE);
        let mut small: Vec<_> = (0..100).map(|_| room.share()).collect();
        assert!(small.iter_mut().all(|share| share.covers(HEAD_BYTES_FREE)));
        let mut large = room.share();
        assert!(large.covers(2 * HEAD_BYTES_FREE));
        assert!(large.covers(1) && large.is_used());
        let mut other = room.share();
        assert!(!other.covers(2 * HEAD_BYTES_FREE));
        drop(large);
        assert!(other.covers(2 * HEAD_BYTES_FREE));
    }
}
