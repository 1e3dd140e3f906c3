//! What becomes of deliveries whose events are taken away, by retention or by erasing. Like every
//! durable move it is staged first.

use super::{
    Deliveries, Open,
    staging::{Staged, dead_letter},
};
use crate::{
    Seq,
    subscription::{DeadLetter, DeadReason, state::State},
};
use headgate_event::{Timestamp, limits::EXPIRED_PER_COMMIT_MAX};

/// Retention that is about to remove every event up to a place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expiry {
    /// The last event that goes.
    pub(crate) upto: Seq,
    /// How many wanted events up to it were never looked at.
    pub(crate) unseen: u64,
    /// The newest of them, which leave letters.
    pub(crate) letters: Vec<Seq>,
    /// The time.
    pub(crate) now: Timestamp,
}

/// Events that expire without having been looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expiring {
    /// The last event that goes.
    pub(super) upto: Seq,
    /// How many are unseen.
    unseen: u64,
}

impl Expiring {
    pub(super) fn is_nothing(self) -> bool {
        self.upto == 0
    }
}

impl Deliveries {
    /// Stages that what is not settled up to a place has expired: what is begun, so many at a
    /// time, and with the last of it what was never looked at. Answers whether more is left.
    pub(crate) fn expire(&mut self, expiry: &Expiry) -> bool {
        let Expiry { upto, now, .. } = *expiry;
        let begun = self.open.range(..=upto).filter(|(seq, _)| !self.staged.contains_key(seq));
        let mut begun: Vec<(Seq, DeadLetter)> = begun
            .take(EXPIRED_PER_COMMIT_MAX + 1)
            .map(|(seq, open)| (*seq, expired(*seq, open, now)))
            .collect();
        let more = begun.len() > EXPIRED_PER_COMMIT_MAX;
        begun.truncate(EXPIRED_PER_COMMIT_MAX);
        for (seq, letter) in begun {
            self.stage(seq, Staged::Dead(letter));
        }
        if !more && upto > self.cursor {
            for seq in &expiry.letters {
                if !self.has(*seq) {
                    let (seq, reason) = (*seq, DeadReason::Expired);
                    let letter = DeadLetter { seq, reason, attempts: 0, last_error: None, at: now };
                    self.staged.insert(seq, Staged::Dead(letter));
                }
            }
            self.expiring = Expiring { upto, unseen: expiry.unseen };
        }
        more
    }

    /// Stages that an event which is erased is none to deliver.
    pub(crate) fn drop_event(&mut self, seq: Seq) {
        let waits = self.open.contains_key(&seq) && !self.staged.contains_key(&seq);
        if waits || (seq > self.start && !self.has(seq)) {
            self.stage(seq, Staged::Settled);
        }
    }

    /// Stages that events up to a place are none to give any more, because they are removed.
    pub(crate) fn pass_removed(&mut self, upto: Seq) {
        let begun: Vec<Seq> = self.open.range(..=upto).map(|(seq, _)| *seq).collect();
        for seq in begun {
            if !self.staged.contains_key(&seq) {
                self.stage(seq, Staged::Settled);
            }
        }
        if upto > self.cursor {
            self.expiring = Expiring { upto, unseen: 0 };
        }
    }

    /// How many staged moves end in death, and how many of those by expiring.
    pub(super) fn dying(&self) -> (u64, u64) {
        let (mut died, mut expired) = (self.expiring.unseen, self.expiring.unseen);
        for (seq, staged) in &self.staged {
            // Those that were never looked at are counted already.
            if let Staged::Dead(letter) = staged
                && self.open.contains_key(seq)
            {
                died += 1;
                expired += u64::from(letter.reason == DeadReason::Expired);
            }
        }
        (died, expired)
    }
}

/// The letter of a delivery that was begun. One that waits has not had its attempt yet.
fn expired(seq: Seq, open: &Open, now: Timestamp) -> DeadLetter {
    let letter = dead_letter(seq, open, DeadReason::Expired, now, None);
    let begun = open.state == State::Leased;
    DeadLetter { attempts: if begun { letter.attempts } else { letter.attempts - 1 }, ..letter }
}
