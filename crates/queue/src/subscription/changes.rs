//! What a move of a subscription changes on disk, and what is read back from there.

use super::{order::Thread, ranges::Ranges};
use crate::Seq;
use headgate_event::Timestamp;
use std::{collections::BTreeMap, fmt};

/// How far a subscription is: what decides, after a restart, which events it still gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// All events up to here are done, deferred, dead or not wanted.
    pub(crate) floor: Seq,
    /// Those beyond the floor that are, too.
    pub(crate) settled: Ranges,
}

/// A delivery that comes again. It is kept with its attempt, so that the floor may pass it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deferred {
    /// The place of the event.
    pub(crate) seq: Seq,
    /// The attempt that comes next.
    pub(crate) attempt: u32,
    /// Not before this moment.
    pub(crate) due: Timestamp,
    /// Why the last attempt failed.
    pub(crate) last_error: Option<String>,
    /// The thread of its event, when it has one.
    pub(crate) thread: Option<Thread>,
}

/// A delivery that never comes again, for an operator to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    /// The place of the event.
    pub(crate) seq: Seq,
    /// Why it is dead.
    pub(crate) reason: DeadReason,
    /// How many attempts it had.
    pub(crate) attempts: u32,
    /// What was said last about why it failed.
    pub(crate) last_error: Option<String>,
    /// When it died.
    pub(crate) at: Timestamp,
}

/// Why a delivery is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeadReason {
    /// A consumer buried it.
    Buried,
    /// It had all its attempts.
    Exhausted,
    /// What is stored of it cannot be read.
    Damaged,
    /// Retention has removed its event before it was settled.
    Expired,
}

/// What one or more moves change on disk, in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The place afterwards.
    pub(crate) place: Place,
    /// Deliveries that come again, new or changed.
    pub(crate) deferred: Vec<Deferred>,
    /// Places of deliveries that were deferred and are no more.
    pub(crate) ended: Vec<Seq>,
    /// Letters of deliveries that died.
    pub(crate) dead: Vec<DeadLetter>,
    /// How many died, which may be more than there are letters.
    pub(crate) died: u64,
    /// How many of them expired.
    pub(crate) expired: u64,
    /// How many are settled.
    pub(crate) acked: u64,
    /// Dead ones that come again, with how many attempts each had before.
    pub(crate) redriven: Vec<(Seq, u32)>,
    /// Those that had come again and have ended.
    pub(crate) redriven_ended: Vec<Seq>,
    /// The highest attempt that any delivery has come to.
    pub(crate) highest: u32,
}

/// What is on disk of a subscription's deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Where it began: events up to here were never for it.
    pub(crate) start: Seq,
    /// How far it is.
    pub(crate) place: Place,
    /// What comes again.
    pub(crate) deferred: Vec<Deferred>,
    /// How many deliveries died.
    pub(crate) dead: u64,
    /// How many of them expired.
    pub(crate) expired: u64,
    /// How many attempts redriven deliveries had before.
    pub(crate) earlier: BTreeMap<Seq, u32>,
    /// The highest attempt that any delivery has come to.
    pub(crate) highest: u32,
}

impl Place {
    /// The place when events after `head` do not count.
    pub(crate) fn cut_back(&self, head: Seq) -> Self {
        let mut settled = Ranges::default();
        for (first, last) in self.settled.iter() {
            settled.insert(first, last.min(head));
        }
        Self { floor: self.floor.min(head), settled }
    }
}

impl DeadReason {
    /// The stable word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Buried => "buried",
            Self::Exhausted => "exhausted",
            Self::Damaged => "damaged",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
