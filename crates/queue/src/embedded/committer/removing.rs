//! What the writer of the state does when events are taken away: their deliveries end first.

use super::{Answer, Touched, Writer, state_failed};
use crate::{
    QueueError, Seq,
    embedded::state::{self, Owner},
    log::Erasure,
    subscription::{Expiry, Subscriber},
};
use headgate_event::{KeptTime, limits::LETTERS_WITHOUT_EVENT_MAX};
use std::sync::Arc;

/// Taking events away. Each is one transaction.
#[derive(Debug)]
pub(in crate::embedded) enum Removing {
    /// Shows no event before this one any more, and answers who may still have unsettled ones.
    /// Subscriptions that are made afterwards begin behind them.
    Hide { before: Seq, answer: Answer<Vec<Arc<Subscriber>>> },
    /// Ends deliveries of a subscription; answers whether more of them are left.
    Expire { subscriber: Arc<Subscriber>, expiry: Expiry, answer: Answer<bool> },
    /// Notes that events before this one are removed.
    Keep { from: Seq, answer: Answer<()> },
    /// Keeps the time, and whether it is believed.
    KeepTime { time: KeptTime, answer: Answer<()> },
    /// Notes that an event is to be erased, and ends its deliveries.
    Erase { erasure: Erasure, answer: Answer<()> },
    /// Notes that nothing is left of it; answers whether the file itself says so.
    Erased { seq: Seq, answer: Answer<bool> },
}

impl Writer {
    pub(super) fn remove(&mut self, what: Removing) {
        // Nobody may wait any more, but what was done is done.
        match what {
            Removing::Hide { before, answer } => {
                self.reading.log.hide_before(before);
                let _ = answer.send(Ok(self.everyone()));
            }
            Removing::Expire { subscriber, expiry, answer } => {
                let _ = answer.send(self.expire(subscriber, &expiry));
            }
            Removing::Keep { from, answer } => {
                let _ = answer.send(self.keep(from).map_err(|error| state_failed(&error)));
            }
            Removing::KeepTime { time, answer } => {
                let kept = self.change(|transaction| state::keep_time(transaction, time));
                let _ = answer.send(kept.map_err(|error| state_failed(&error)));
            }
            Removing::Erase { erasure, answer } => {
                let _ = answer.send(self.erase(&erasure));
            }
            Removing::Erased { seq, answer } => {
                let ended = self.change(|transaction| state::end_erasure(transaction, seq));
                let ended = ended.and_then(|()| self.state.checkpoint());
                let _ = answer.send(ended.map_err(|error| state_failed(&error)));
            }
        }
    }

    fn keep(&mut self, from: Seq) -> rusqlite::Result<()> {
        let many = |known: &Arc<Subscriber>| {
            known.held().deliveries.dead() > LETTERS_WITHOUT_EVENT_MAX as u64
        };
        let all = self.registry.all();
        self.change(|transaction| {
            for known in all.iter().filter(|known| many(known)) {
                state::forget_letters(transaction, known.generation(), from - 1)?;
            }
            state::keep_from(transaction, from)
        })
    }

    fn expire(&mut self, subscriber: Arc<Subscriber>, expiry: &Expiry) -> Result<bool, QueueError> {
        let owner = Owner::from(&*subscriber);
        let (more, changes) = {
            let mut held = subscriber.held();
            if held.gone {
                return Ok(false);
            }
            let more = if subscriber.lane().is_some() {
                held.deliveries.pass_removed(expiry.upto);
                false
            } else {
                held.deliveries.expire(expiry)
            };
            (more, held.deliveries.changes())
        };
        let reading = self.reading.clone();
        let written = self.change(|transaction| {
            state::write(transaction, owner, &changes, &|seq| reading.id_of(seq))?;
            state::forget_letters(transaction, owner.letters, expiry.upto)
        });
        match written {
            Ok(()) => subscriber.held().deliveries.commit(),
            Err(_) => subscriber.held().deliveries.abandon(),
        }
        subscriber.wake();
        self.follow(&Touched::from([(owner.generation, Arc::clone(&subscriber))]), expiry.now);
        written.map_err(|error| state_failed(&error))?;
        let name = subscriber.name().to_owned();
        metrics::counter!("headgate_events_expired_total", "subscription" => name)
            .increment(changes.expired);
        Ok(more)
    }

    fn erase(&mut self, erasure: &Erasure) -> Result<(), QueueError> {
        let mut touched = Touched::new();
        for subscriber in self.everyone() {
            let mut held = subscriber.held();
            held.deliveries.drop_event(erasure.seq);
            let has_staged = held.deliveries.has_staged();
            drop(held);
            if has_staged {
                touched.insert(subscriber.generation(), subscriber);
            }
        }
        let reading = self.reading.clone();
        let written = self.change(|transaction| {
            for subscriber in touched.values() {
                let changes = subscriber.held().deliveries.changes();
                let owner = Owner::from(&**subscriber);
                state::write(transaction, owner, &changes, &|seq| reading.id_of(seq))?;
            }
            state::begin_erasure(transaction, erasure)
        });
        for subscriber in touched.values() {
            match written {
                Ok(()) => subscriber.held().deliveries.commit(),
                Err(_) => subscriber.held().deliveries.abandon(),
            }
            subscriber.wake();
        }
        self.follow(&touched, erasure.erased_at);
        written.map_err(|error| state_failed(&error))
    }
}
