//! What the writer of the state does to give events again: dead letters that are redriven or
//! deleted, replays that are begun, that end and that are cancelled.

use super::{Answer, Touched, Writer, state_failed};
use crate::{
    DeliveryId, LetterError, LetterVerb, QueueError, ReplayState, Seq, SubscriptionSpec,
    embedded::{
        lanes,
        state::{self, LetterRow, Owner, ReplayRow},
    },
    subscription::{Died, Kept, Subscriber, Thread},
};
use headgate_event::{Origin, Timestamp, limits::REPLAYS_RUNNING_MAX};
use std::{collections::BTreeMap, sync::Arc};

/// What became of each letter of a call.
pub(in crate::embedded) type LettersSettled = Vec<Result<(), LetterError>>;

/// Giving events again. Each is one transaction.
#[derive(Debug)]
pub(in crate::embedded) enum Again {
    /// Redrives or deletes dead letters.
    Letters {
        subscriber: Arc<Subscriber>,
        ids: Vec<String>,
        what: WithLetters,
        answer: Answer<LettersSettled>,
    },
    /// Begins a replay, whose generation is given here; answers none when there are too many.
    Begin { replay: Box<Beginning>, answer: Answer<Option<Arc<Subscriber>>> },
    /// Ends a replay that runs; answers whether it did.
    Cancel { generation: u64, now: Timestamp, answer: Answer<bool> },
}

/// What becomes of dead letters.
#[derive(Debug)]
pub(in crate::embedded) enum WithLetters {
    /// They come again. These of their events are stored, and have these threads: they were read
    /// before, because reading takes long.
    Redrive { events: BTreeMap<Seq, Option<Thread>>, now: Timestamp },
    /// They are forgotten.
    Delete,
}

/// A replay that is to begin.
#[derive(Debug)]
pub(in crate::embedded) struct Beginning {
    pub(in crate::embedded) row: ReplayRow,
    pub(in crate::embedded) kept: Kept,
}

/// A letter that a call means.
type Meant = (Seq, LetterRow);

impl Writer {
    pub(super) fn again(&mut self, what: Again) {
        // Nobody may wait any more, but what was done is done.
        match what {
            Again::Letters { subscriber, ids, what, answer } => {
                let settled = match what {
                    WithLetters::Redrive { events, now } => {
                        self.redrive(&subscriber, &ids, &events, now)
                    }
                    WithLetters::Delete => self.delete_letters(&subscriber, &ids),
                };
                let _ = answer.send(settled);
            }
            Again::Begin { replay, answer } => {
                let _ = answer.send(self.begin_replay(*replay));
            }
            Again::Cancel { generation, now, answer } => {
                let _ = answer.send(self.end_replay(generation, ReplayState::Cancelled, now));
            }
        }
    }

    fn redrive(
        &mut self,
        subscriber: &Arc<Subscriber>,
        ids: &[String],
        events: &BTreeMap<Seq, Option<Thread>>,
        now: Timestamp,
    ) -> Result<LettersSettled, QueueError> {
        // All that may fail comes before the first move is staged: one that stays behind staged
        // would be written with the next.
        let died = |id: &String| self.died(subscriber, id, events);
        let died = ids.iter().map(died).collect::<Result<Vec<_>, _>>()?;
        let mut held = subscriber.held_live()?;
        let mut stage = |(id, died): (&String, Result<Died, LetterError>)| {
            let staged = held.deliveries.redrive(died?, now);
            staged.map_err(|_| LetterError::Underway { id: id.clone() })
        };
        let answers: LettersSettled = ids.iter().zip(died).map(&mut stage).collect();
        drop(held);
        if answers.iter().all(Result::is_err) {
            return Ok(answers);
        }
        let touched = Touched::from([(subscriber.generation(), Arc::clone(subscriber))]);
        let written = self.write(&touched, &[]);
        match written {
            Ok(()) => subscriber.held().deliveries.commit(),
            Err(_) => subscriber.held().deliveries.abandon(),
        }
        subscriber.wake();
        written.map_err(|error| state_failed(&error))?;
        Ok(answers)
    }

    /// The delivery that died and comes again.
    fn died(
        &self,
        subscriber: &Subscriber,
        id: &str,
        events: &BTreeMap<Seq, Option<Thread>>,
    ) -> Result<Result<Died, LetterError>, QueueError> {
        let (seq, letter) = match self.letter_of(subscriber, id, LetterVerb::Redrive)? {
            Ok(meant) => meant,
            Err(error) => return Ok(Err(error)),
        };
        let LetterRow { attempts, given, .. } = letter;
        let own = given == subscriber.generation();
        let by = if own { Origin::Live } else { Origin::Replay };
        Ok(match events.get(&seq) {
            // It may have been taken away since it was read.
            Some(thread) if !self.is_gone(seq)? => Ok(Died { seq, attempts, by, thread: *thread }),
            _ => Err(LetterError::Gone { id: id.to_owned() }),
        })
    }

    /// Whether an event was removed, or is erased or about to be; nothing of it is read.
    fn is_gone(&self, seq: Seq) -> Result<bool, QueueError> {
        let erasing = self.state.is_erasing(seq).map_err(|error| state_failed(&error))?;
        Ok(erasing || !self.reading.keeps(seq) || self.reading.is_known_erased(seq)?)
    }

    fn delete_letters(
        &mut self,
        subscriber: &Arc<Subscriber>,
        ids: &[String],
    ) -> Result<LettersSettled, QueueError> {
        let (mut answers, mut letters) = (Vec::with_capacity(ids.len()), BTreeMap::new());
        for id in ids {
            let meant = self.letter_of(subscriber, id, LetterVerb::Delete)?;
            answers.push(meant.and_then(|(seq, letter)| match letters.insert(seq, letter) {
                None => Ok(()),
                // It was named before.
                Some(_) => Err(LetterError::NotDead { id: id.clone() }),
            }));
        }
        if letters.is_empty() {
            return Ok(answers);
        }
        let generation = subscriber.generation();
        let deleted =
            self.change(|transaction| state::delete_letters(transaction, generation, &letters));
        let (dead, expired) = deleted.map_err(|error| state_failed(&error))?;
        subscriber.held().deliveries.forget_dead(dead, expired);
        Ok(answers)
    }

    /// The letter that an id means.
    fn letter_of(
        &self,
        subscriber: &Subscriber,
        id: &str,
        verb: LetterVerb,
    ) -> Result<Result<Meant, LetterError>, QueueError> {
        let not_dead = || LetterError::NotDead { id: id.to_owned() };
        let read = id.parse::<DeliveryId>().ok();
        let Some(read) = read.filter(|read| read.subscription == subscriber.name()) else {
            return Ok(Err(not_dead()));
        };
        let letter = self.state.letter(subscriber.generation(), read.seq);
        let letter = letter.map_err(|error| state_failed(&error))?;
        let given = (read.generation, read.attempt);
        Ok(state::meant(letter, given, id, verb).map(|letter| (read.seq, letter)))
    }

    fn begin_replay(
        &mut self,
        Beginning { row, kept }: Beginning,
    ) -> Result<Option<Arc<Subscriber>>, QueueError> {
        let all = self.registry.all();
        let to = all.into_iter().find(|known| known.generation() == row.of);
        let gone = || QueueError::unavailable("the subscription was deleted meanwhile");
        let to = to.ok_or_else(gone)?;
        if self.lanes.of(row.of).len() >= REPLAYS_RUNNING_MAX {
            return Ok(None);
        }
        let begun = self.change(|transaction| {
            let row = ReplayRow { generation: state::next_generation(transaction)?, ..row };
            state::insert_replay(transaction, &row, &kept.place)?;
            Ok(row)
        });
        let row = begun.map_err(|error| state_failed(&error))?;
        let lane = lanes::subscriber(&to, &row, kept, 0);
        self.lanes.begin(Arc::clone(&lane));
        to.wake();
        Ok(Some(lane))
    }

    fn end_replay(
        &mut self,
        generation: u64,
        state: ReplayState,
        now: Timestamp,
    ) -> Result<bool, QueueError> {
        let Some(lane) = self.lanes.numbered(generation) else { return Ok(false) };
        self.change(|transaction| state::end_replay(transaction, generation, state, now))
            .map_err(|error| state_failed(&error))?;
        self.lanes.end(generation, state);
        tracing::info!(replay = ?lane.lane().map(|lane| lane.id), ?state, "a replay has ended");
        Ok(true)
    }

    /// Ends the replays among these of which everything has ended, and wakes who waits for the
    /// others.
    pub(super) fn follow(&mut self, touched: &Touched, now: Timestamp) {
        let replays: Vec<_> = touched.values().filter(|known| known.lane().is_some()).collect();
        for lane in replays {
            if lane.is_finished() {
                // A failure is logged; the next commit or start tries again.
                let ended = self.end_replay(lane.generation(), ReplayState::Done, now);
                let _ = ended.inspect_err(|error| tracing::error!(%error, "a replay cannot end"));
            }
            let all = self.registry.all();
            if let Some(to) = all.iter().find(|known| known.generation() == lane.letters()) {
                to.wake();
            }
        }
    }

    /// All whose deliveries move: subscriptions and replays.
    pub(super) fn everyone(&self) -> Vec<Arc<Subscriber>> {
        self.registry.all().into_iter().chain(self.lanes.all()).collect()
    }

    /// Counts what died in replays among the dead of its subscription.
    pub(super) fn count_dead(&self, died: &[(u64, u64)]) {
        for (letters, added) in died {
            let all = self.registry.all();
            if let Some(to) = all.iter().find(|known| known.generation() == *letters) {
                to.held().deliveries.count_dead(*added);
            }
        }
    }

    /// Gives replays the rules of their subscription; which events they give is theirs.
    pub(super) fn tell_replays(&self, of: u64, spec: &SubscriptionSpec) {
        for lane in self.lanes.of(of) {
            let mut held = lane.held();
            let selection = held.spec.selection.clone();
            held.spec = SubscriptionSpec { selection, ..spec.clone() };
        }
    }
}

impl From<&Subscriber> for Owner {
    fn from(subscriber: &Subscriber) -> Self {
        Self { generation: subscriber.generation(), letters: subscriber.letters() }
    }
}
