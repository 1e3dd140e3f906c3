//! Deliveries that died and were brought back: they begin with a first attempt again.
//!
//! Inside, attempts only grow, so that an answer for an attempt of before never settles one of
//! after: what a redriven delivery had before is kept beside it and does not count.

use super::{Deliveries, Moment, staging::Staged};
use crate::{
    Seq,
    subscription::{Changes, Deferred, RetryPolicy, Thread},
};
use headgate_event::{Origin, Timestamp};
use std::collections::BTreeMap;

/// The redriven deliveries that have not ended.
#[derive(Debug, Default)]
pub(super) struct Redriven {
    /// How many attempts each had before.
    earlier: BTreeMap<Seq, u32>,
    /// Those that wait for their commit.
    staged: BTreeMap<Seq, u32>,
}

/// A delivery that died.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Died {
    /// The place of the event.
    pub(crate) seq: Seq,
    /// How many attempts it had.
    pub(crate) attempts: u32,
    /// Whether these were its own attempts, or those of a replay.
    pub(crate) by: Origin,
    /// The thread of the event.
    pub(crate) thread: Option<Thread>,
}

/// A dead delivery cannot come again: it is on its way to a consumer already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Underway;

impl Deliveries {
    /// Stages that a dead delivery comes again at once, with a first attempt.
    ///
    /// One that died in a replay was perhaps given here too before, and how often is not kept of
    /// what is settled. It begins beyond every attempt that anything ever had here, so that no
    /// delivery id is given out twice.
    pub(crate) fn redrive(
        &mut self,
        Died { seq, attempts, by, thread }: Died,
        now: Timestamp,
    ) -> Result<(), Underway> {
        let begun = self.open.contains_key(&seq) || self.lines.holds(seq);
        if begun || self.staged.contains_key(&seq) {
            return Err(Underway);
        }
        let attempts = match by {
            Origin::Live => attempts,
            Origin::Replay => attempts.max(self.highest),
        };
        let again = Deferred { seq, attempt: attempts + 1, due: now, last_error: None, thread };
        self.staged.insert(seq, Staged::Again(again));
        self.redriven.staged.insert(seq, attempts);
        Ok(())
    }

    /// How many attempts a delivery had before it was redriven; they do not count.
    pub(crate) fn earlier(&self, seq: Seq) -> u32 {
        self.redriven.earlier(seq)
    }

    /// Notes that letters of dead deliveries were deleted, which is durable.
    pub(crate) fn forget_dead(&mut self, dead: u64, expired: u64) {
        self.dead = self.dead.saturating_sub(dead);
        self.expired = self.expired.saturating_sub(expired);
    }

    /// Notes that others died in its name, which is durable.
    pub(crate) fn count_dead(&mut self, dead: u64) {
        self.dead += dead;
    }
}

impl Redriven {
    pub(super) fn load(earlier: BTreeMap<Seq, u32>) -> Self {
        Self { earlier, ..Self::default() }
    }

    /// How many attempts a delivery had before it was redriven.
    pub(super) fn earlier(&self, seq: Seq) -> u32 {
        self.earlier.get(&seq).copied().unwrap_or(0)
    }

    /// The moment with as many attempts allowed as those of before do not count.
    pub(super) fn allowing(&self, seq: Seq, moment: Moment) -> Moment {
        let attempts = moment.policy.attempts.saturating_add(self.earlier(seq));
        Moment { policy: RetryPolicy { attempts, ..moment.policy }, ..moment }
    }

    /// Adds what is to be written of them.
    pub(super) fn tell(&self, changes: &mut Changes) {
        changes.redriven = self.staged.iter().map(|(seq, before)| (*seq, *before)).collect();
        let ended = changes.ended.iter().copied().filter(|seq| self.earlier.contains_key(seq));
        changes.redriven_ended = ended.collect();
    }

    /// Makes what is staged; answers how many are dead no more.
    pub(super) fn commit(&mut self, staged: &BTreeMap<Seq, Staged>) -> u64 {
        let revived = std::mem::take(&mut self.staged);
        for (seq, staged) in staged {
            if !matches!(staged, Staged::Again(_)) {
                self.earlier.remove(seq);
            }
        }
        let count = revived.len() as u64;
        self.earlier.extend(revived);
        count
    }

    pub(super) fn abandon(&mut self) {
        self.staged.clear();
    }
}
