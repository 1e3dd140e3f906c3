//! How much memory events may take while they are on their way: a little for each push, and one
//! pool for what is larger, so that neither many large events nor many slow endpoints fill the
//! memory.

use headgate_event::limits::{PUSH_OWN_BYTES_MAX, PUSH_POOL_BYTES_MAX, PUSH_SHARE_BYTES_MAX};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An event is in memory twice at most: as it was leased, and as what is posted of it.
const COPIES: usize = 2;

/// What the large events of all pushes may take together. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Semaphore>);

/// What the events of one push may take. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    /// What only this push uses, so that it waits for no other.
    own: Arc<Semaphore>,
    /// What it may have of the pool, so that there is something left for others.
    share: Arc<Semaphore>,
    pool: Pool,
}

/// What was taken, until the last clone of it is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Taken(#[expect(dead_code, reason = "it is kept")] Arc<[OwnedSemaphorePermit]>);

impl Pool {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(PUSH_POOL_BYTES_MAX)))
    }
}

impl Allowance {
    pub(crate) fn new(pool: &Pool) -> Self {
        Self {
            own: Arc::new(Semaphore::new(PUSH_OWN_BYTES_MAX)),
            share: Arc::new(Semaphore::new(PUSH_SHARE_BYTES_MAX)),
            pool: pool.clone(),
        }
    }

    /// How many bytes of events need nothing of the pool.
    pub(crate) fn own_left(&self) -> usize {
        self.own.available_permits() / COPIES
    }

    /// Takes so many bytes of the push's own, as far as they are left.
    pub(crate) fn of_own(&self, bytes: usize) -> Option<Taken> {
        let permits = permits(bytes, PUSH_OWN_BYTES_MAX);
        let taken = Arc::clone(&self.own).try_acquire_many_owned(permits).ok()?;
        Some(Taken(Arc::new([taken])))
    }

    /// Waits until there are so many bytes in the pool, and takes them. One event that is larger
    /// than the share has the whole share, and one that is larger than the pool the whole pool.
    pub(crate) async fn of_pool(&self, bytes: usize) -> Option<Taken> {
        // The share first: who waits for it keeps nothing from others.
        let share = permits(bytes, PUSH_SHARE_BYTES_MAX);
        let share = Arc::clone(&self.share).acquire_many_owned(share).await.ok()?;
        let pool = permits(bytes, PUSH_POOL_BYTES_MAX);
        let pool = Arc::clone(&self.pool.0).acquire_many_owned(pool).await.ok()?;
        Some(Taken(Arc::new([share, pool])))
    }
}

fn permits(bytes: usize, most: usize) -> u32 {
    u32::try_from(bytes.saturating_mul(COPIES).min(most)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const MIB: usize = 1 << 20;

    #[test]
    fn what_is_taken_is_free_again_when_its_last_clone_is_dropped() {
        let allowance = Allowance::new(&Pool::new());
        let all = allowance.own_left();
        assert_eq!(all, PUSH_OWN_BYTES_MAX / 2);
        let taken = allowance.of_own(1_000).expect("there is room");
        let clone = taken.clone();
        drop(taken);
        assert_eq!(allowance.own_left(), all - 1_000);
        drop(clone);
        assert_eq!(allowance.own_left(), all);
    }

    #[test]
    fn one_push_has_no_more_of_the_pool_than_its_share_and_leaves_the_rest() {
        let pool = Pool::new();
        let (greedy, other) = (Allowance::new(&pool), Allowance::new(&pool));
        let four: Vec<_> = (0..4)
            .map(|_| greedy.of_pool(8 * MIB).now_or_never().flatten().expect("there is room"))
            .collect();
        assert!(greedy.of_pool(1).now_or_never().is_none(), "its share is taken");
        assert!(other.of_pool(8 * MIB).now_or_never().is_some());
        drop(four);
        assert!(greedy.of_pool(1).now_or_never().is_some());
    }

    #[test]
    fn all_together_have_no_more_than_the_pool_and_the_largest_event_still_has_its_turn() {
        let pool = Pool::new();
        let pushes: Vec<_> = (0..8).map(|_| Allowance::new(&pool)).collect();
        let large = 60 * MIB;
        let taken: Vec<_> =
            pushes.iter().filter_map(|one| one.of_pool(large).now_or_never().flatten()).collect();
        assert_eq!(taken.len(), PUSH_POOL_BYTES_MAX / (2 * large));
        drop(taken);
        let huge = Allowance::new(&pool).of_pool(PUSH_POOL_BYTES_MAX * 3).now_or_never();
        assert!(huge.flatten().is_some(), "it has all of it");
    }
}
