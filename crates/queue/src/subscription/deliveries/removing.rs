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
        let room = EXPIRED_PER_COMMIT_MAX - begun.len();
        let held_back = self.lines.up_to(upto).filter(|seq| !self.staged.contains_key(seq));
        let mut held_back: Vec<Seq> = held_back.take(room + 1).collect();
        let more = more || held_back.len() > room;
        held_back.truncate(room);
        begun.extend(held_back.into_iter().map(|seq| (seq, unseen(seq, now))));
        for (seq, letter) in begun {
            self.stage(seq, Staged::Dead(letter));
        }
        if !more && upto > self.cursor {
            for seq in &expiry.letters {
                if !self.has(*seq) {
                    self.staged.insert(*seq, Staged::Dead(unseen(*seq, now)));
                }
            }
            self.expiring = Expiring { upto, unseen: expiry.unseen };
        }
        more
    }

    /// Stages that an event which is erased is none to deliver.
    pub(crate) fn drop_event(&mut self, seq: Seq) {
        let begun = self.open.contains_key(&seq) || self.lines.holds(seq);
        let waits = begun && !self.staged.contains_key(&seq);
        if waits || (seq > self.start && !self.has(seq)) {
            self.stage(seq, Staged::Settled);
        }
    }

    /// Stages that events up to a place are none to give any more, because they are removed.
    pub(crate) fn pass_removed(&mut self, upto: Seq) {
        let begun = self.open.range(..=upto).map(|(seq, _)| *seq);
        let begun: Vec<Seq> = begun.chain(self.lines.up_to(upto)).collect();
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
                && (self.open.contains_key(seq) || self.lines.holds(*seq))
            {
                died += 1;
                expired += u64::from(letter.reason == DeadReason::Expired);
            }
        }
        (died, expired)
    }
}

/// The letter of an event that was never leased.
fn unseen(seq: Seq, at: Timestamp) -> DeadLetter {
    DeadLetter { seq, reason: DeadReason::Expired, attempts: 0, last_error: None, at }
}

/// The letter of a delivery that was begun. One that waits has not had its attempt yet.
fn expired(seq: Seq, open: &Open, now: Timestamp) -> DeadLetter {
    let letter = dead_letter(seq, open, DeadReason::Expired, now, None);
    let begun = open.state == State::Leased;
    DeadLetter { attempts: if begun { letter.attempts } else { letter.attempts - 1 }, ..letter }
}
