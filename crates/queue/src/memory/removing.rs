//! Retention and erasing of the queue in memory, event by event.

use super::{Inner, Memory};
use crate::{Erased, QueueError, Removed, Retention, Seq, subscription::Expiry};
use headgate_event::{EventId, Timestamp};

impl Memory {
    /// Removes what is past retention at this moment and says what that was. Bytes are those that
    /// came.
    pub fn retain(&self, retention: Retention) -> Result<Removed, QueueError> {
        let (mut inner, now) = (self.open()?, self.clock.now());
        let first = inner.events.kept_from(retention, now);
        let expired = inner.expire_before(first, now);
        let (events, bytes) = inner.events.remove_before(first);
        Ok(Removed { events, bytes, expired })
    }

    pub(super) fn erase_event(&self, id: EventId) -> Result<Option<Erased>, QueueError> {
        let (mut inner, now) = (self.open()?, self.clock.now());
        let Some(seq) = inner.events.place_of_id(id) else { return Ok(None) };
        let Inner { events, letters, subscribers, replays, attempts, .. } = &mut *inner;
        let lanes = replays.running();
        for known in subscribers.values().chain(&lanes) {
            let mut held = known.held();
            held.deliveries.drop_event(seq);
            letters.commit(known, &mut held, events);
        }
        replays.end_finished(now);
        letters.erase(seq);
        attempts.erase(seq);
        Ok(events.erase(seq, now))
    }
}

impl Inner {
    /// Leaves dead letters of what is not settled before this event; answers how many expired.
    fn expire_before(&mut self, first: Seq, now: Timestamp) -> u64 {
        let (upto, mut expired) = (first - 1, 0);
        let Self { events, letters, subscribers, replays, .. } = self;
        for lane in replays.running() {
            let mut held = lane.held();
            held.deliveries.pass_removed(upto);
            letters.commit(&lane, &mut held, events);
        }
        replays.end_finished(now);
        for known in subscribers.values() {
            let mut held = known.held();
            let before = held.deliveries.expired();
            let wanted =
                events.from(held.deliveries.cursor() + 1).take_while(|one| one.seq < first);
            let wanted = wanted.filter(|one| held.spec.selection.wants(&one.event));
            let unseen: Vec<Seq> =
                wanted.map(|one| one.seq).filter(|seq| !held.deliveries.has(*seq)).collect();
            let expiry = Expiry { upto, unseen: unseen.len() as u64, letters: unseen, now };
            while held.deliveries.expire(&expiry) {
                letters.commit(known, &mut held, events);
            }
            letters.commit(known, &mut held, events);
            letters.forget(known, upto);
            expired += held.deliveries.expired() - before;
            drop(held);
            known.wake();
        }
        expired
    }
}
