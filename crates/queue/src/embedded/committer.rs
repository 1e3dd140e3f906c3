//! The one writer of the state: gathers what consumers settle, for all subscriptions, commits it
//! together, and answers then.
//!
//! It waits for nobody: a commit forms by itself from what came during the one before it. Memory
//! follows the disk: staged moves are made after their commit and forgotten when it fails.

mod again;
mod removing;

use super::{
    lanes::Lanes,
    read::Reading,
    registry::Registry,
    state::{Owner, Ring, State},
};
use crate::{
    QueueError, Seq, SettleError, SourceNote, SubscriptionSpec,
    attempt::NotedAttempt,
    subscription::{Claim, Held, Subscriber},
};
use headgate_event::{
    Timestamp,
    limits::{
        STATE_CALLS_QUEUED_MAX, STATE_CHECKPOINT_CHANGES, STATE_CHECKPOINT_CHANGES_MAX,
        STATE_COMMIT_CALLS_MAX,
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::sync::{mpsc, oneshot};

type Answer<T> = oneshot::Sender<Result<T, QueueError>>;
/// Why the last commit failed; none when it did not.
type Fault = Arc<Mutex<Option<String>>>;
type Settled = Vec<Result<(), SettleError>>;

pub(super) use again::{Again, Beginning, LettersSettled, WithLetters};
pub(super) use removing::Removing;

/// The way to the writer of the state.
#[derive(Debug)]
pub(super) struct Committer {
    calls: Mutex<Option<mpsc::Sender<Call>>>,
    fault: Fault,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A call that changes the state.
#[derive(Debug)]
pub(super) enum Call {
    /// Moves of one subscription's deliveries.
    Move(Move),
    /// Makes a subscription that begins after `start`, or changes the one of that name.
    Put { spec: SubscriptionSpec, start: Seq, now: Timestamp, answer: Answer<Arc<Subscriber>> },
    /// Forgets a subscription.
    Delete { name: String, answer: Answer<()> },
    /// Keeps values of sources.
    Note { notes: Vec<SourceNote>, answer: Answer<()> },
    /// Takes events away.
    Remove(Removing),
    /// Gives events again: dead letters and replays.
    Again(Again),
    /// Notes that the log has this event.
    Newest(Seq),
    /// Writes what there is, to see whether it can be written again.
    Probe,
}

/// Moves of one subscription's deliveries.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) subscriber: Arc<Subscriber>,
    pub(super) now: Timestamp,
    /// The newest event.
    pub(super) head: Seq,
    pub(super) what: What,
    /// What came of attempts, to be kept with it.
    pub(super) attempts: Vec<NotedAttempt>,
    pub(super) answer: Answer<Settled>,
}

/// What moves.
#[derive(Debug)]
pub(super) enum What {
    /// Consumers settle.
    Settle(Vec<Claim>),
    /// Leases that are over end.
    EndLeases,
    /// These leased events cannot be read, for these reasons.
    GiveUp(Vec<(Seq, String)>),
    /// Nothing does; the floor is noted.
    Note,
}

/// Whose deliveries there are.
#[derive(Debug)]
pub(super) struct Known {
    /// The subscriptions.
    pub(super) registry: Arc<Registry>,
    /// The replays that run.
    pub(super) lanes: Arc<Lanes>,
}

/// The writer's own state.
struct Writer {
    state: State,
    ring: Ring,
    registry: Arc<Registry>,
    lanes: Arc<Lanes>,
    reading: Reading,
    seed: u64,
    fault: Fault,
}

/// Subscriptions with staged moves, by generation.
type Touched = BTreeMap<u64, Arc<Subscriber>>;

impl Committer {
    /// Starts the writer.
    pub(super) fn start(
        state: State,
        Known { registry, lanes }: Known,
        reading: Reading,
        seed: u64,
    ) -> std::io::Result<Self> {
        let (calls, queue) = mpsc::channel(STATE_CALLS_QUEUED_MAX);
        let fault = Fault::default();
        let (ring, known_fault) = (Ring::default(), Arc::clone(&fault));
        let writer = Writer { state, ring, registry, lanes, reading, seed, fault: known_fault };
        let thread = std::thread::Builder::new()
            .name("headgate-state".to_owned())
            .spawn(move || writer.run(queue))?;
        Ok(Self { calls: Mutex::new(Some(calls)), fault, thread: Mutex::new(Some(thread)) })
    }

    /// Makes a call and waits for its commit.
    pub(super) async fn call<T>(
        &self,
        call: impl FnOnce(Answer<T>) -> Call,
    ) -> Result<T, QueueError> {
        let closed = || QueueError::unavailable("the queue is closed");
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (answer, answered) = oneshot::channel();
        calls.ok_or_else(closed)?.send(call(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Moves without waiting for it. It is not done when too much waits, which must do no harm.
    pub(super) fn tell(&self, subscriber: Arc<Subscriber>, now: Timestamp, head: Seq, what: What) {
        let (answer, _) = oneshot::channel();
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = calls.as_ref() {
            let attempts = Vec::new();
            let one = Move { subscriber, now, head, what, attempts, answer };
            let _ = calls.try_send(Call::Move(one));
        }
    }

    /// Notes that the log has this event, without waiting for it; `false` when too much waits.
    pub(super) fn tell_newest(&self, newest: Seq) -> bool {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.as_ref().is_some_and(|calls| calls.try_send(Call::Newest(newest)).is_ok())
    }

    /// Whether what consumers say can be committed; the reason when it cannot. Asking while it
    /// cannot lets the writer try again, so that a fault that has passed is seen to have passed.
    pub(super) fn health(&self) -> Result<(), String> {
        if !self.is_running() {
            return Err("the writer of the state has ended".to_owned());
        }
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(fault) = fault else { return Ok(()) };
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = calls.as_ref() {
            // When it has no room, commits are under way anyway.
            let _ = calls.try_send(Call::Probe);
        }
        Err(fault)
    }

    /// Whether calls are taken.
    pub(super) fn is_running(&self) -> bool {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.as_ref().is_some_and(|calls| !calls.is_closed())
    }

    /// Finishes what was called before, and ends the writer.
    pub(super) fn stop(&self) {
        drop(self.calls.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the state has panicked");
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Call>) {
        let mut waiting = VecDeque::new();
        while let Some(first) = queue.blocking_recv() {
            waiting.push_back(first);
            while waiting.len() < STATE_COMMIT_CALLS_MAX
                && let Ok(next) = queue.try_recv()
            {
                waiting.push_back(next);
            }
            self.serve(&mut waiting);
            self.write_back(queue.is_empty());
        }
        self.note_all();
        let head = *self.reading.log.head().borrow();
        self.note_newest(head);
        if let Err(error) = self.state.checkpoint() {
            tracing::warn!(%error, "the state could not be checkpointed");
        }
    }

    fn note_newest(&mut self, newest: Seq) {
        let noted = self.change(|transaction| super::state::note_newest(transaction, newest));
        if let Err(error) = noted {
            tracing::warn!(%error, "the state cannot note how far the log is");
        }
    }

    /// Writes back the write-ahead log of the state when it is long. Whoever is waited for has been
    /// answered.
    fn write_back(&mut self, is_idle: bool) {
        let most = if is_idle { STATE_CHECKPOINT_CHANGES } else { STATE_CHECKPOINT_CHANGES_MAX };
        if self.state.changes() >= most
            && let Err(error) = self.state.write_back()
        {
            tracing::warn!(%error, "the write-ahead log of the state could not be written back");
        }
    }

    /// Serves calls in their order: moves together, the others one by one.
    fn serve(&mut self, waiting: &mut VecDeque<Call>) {
        let mut moves = Vec::new();
        while let Some(call) = waiting.pop_front() {
            match call {
                Call::Move(one) => moves.push(one),
                Call::Put { spec, start, now, answer } => {
                    self.commit(std::mem::take(&mut moves));
                    let _ = answer.send(self.put(spec, start, now));
                }
                Call::Delete { name, answer } => {
                    self.commit(std::mem::take(&mut moves));
                    let _ = answer.send(self.delete(&name));
                }
                Call::Note { notes, answer } => {
                    self.commit(std::mem::take(&mut moves));
                    let kept =
                        self.change(|transaction| super::state::keep_notes(transaction, &notes));
                    let _ = answer.send(kept.map_err(|error| state_failed(&error)));
                }
                Call::Remove(what) => {
                    self.commit(std::mem::take(&mut moves));
                    self.remove(what);
                }
                Call::Again(what) => {
                    self.commit(std::mem::take(&mut moves));
                    self.again(what);
                }
                Call::Newest(newest) => self.note_newest(newest),
                Call::Probe => self.note_all(),
            }
        }
        self.commit(moves);
    }

    /// Stages all moves, writes them in one transaction, makes them, answers.
    fn commit(&mut self, moves: Vec<Move>) {
        let mut touched = Touched::new();
        let mut answers = Vec::with_capacity(moves.len());
        let Some(now) = moves.iter().map(|one| one.now).max() else { return };
        let mut noted = Vec::new();
        for Move { subscriber, now, head, what, attempts, answer } in moves {
            noted.extend(attempts.into_iter().map(|one| (subscriber.generation(), one)));
            let settled = subscriber.held_live().map(|mut held| {
                let note = matches!(what, What::Note);
                let settled = stage(&mut held, what, now, head, self.seed);
                (settled, note || held.deliveries.has_staged())
            });
            if matches!(settled, Ok((_, true))) {
                touched.insert(subscriber.generation(), subscriber);
            }
            answers.push((answer, settled.map(|(settled, _)| settled)));
        }
        let written = if touched.is_empty() && noted.is_empty() {
            Ok(())
        } else {
            self.write(&touched, &noted)
        };
        for subscriber in touched.values() {
            match written {
                Ok(()) => subscriber.held().deliveries.commit(),
                Err(_) => subscriber.held().deliveries.abandon(),
            }
            subscriber.wake();
        }
        self.follow(&touched, now);
        for (answer, settled) in answers {
            let failed = written.as_ref().err().map(state_failed);
            // Nobody may wait any more; what was settled stays settled.
            let _ = answer.send(failed.map_or(settled, Err));
        }
    }

    fn write(&mut self, touched: &Touched, noted: &[(u64, NotedAttempt)]) -> rusqlite::Result<()> {
        let (reading, mut ring) = (self.reading.clone(), self.ring);
        let id_of = |seq| reading.id_of(seq);
        let written = self.change(|transaction| {
            let mut died = Vec::new();
            for subscriber in touched.values() {
                let changes = subscriber.held().deliveries.changes();
                let owner = Owner::from(&**subscriber);
                let added = super::state::write(transaction, owner, &changes, &id_of)?;
                died.extend((added > 0).then_some((owner.letters, added)));
            }
            super::state::note_attempts(transaction, &mut ring, noted)?;
            Ok(died)
        });
        let written = written.map(|died| {
            self.ring = ring;
            self.count_dead(&died);
        });
        written.inspect_err(|error| tracing::error!(%error, "the state cannot be written"))
    }

    /// One transaction, and a note of how it went.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let changed = self.state.change(change);
        let fault = changed.as_ref().err().map(|error| format!("the state: {error}"));
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        changed
    }

    fn put(
        &mut self,
        spec: SubscriptionSpec,
        start: Seq,
        now: Timestamp,
    ) -> Result<Arc<Subscriber>, QueueError> {
        if let Some(known) = self.registry.named(&spec.name) {
            let generation = known.generation();
            self.change(|transaction| super::state::update(transaction, generation, &spec))
                .map_err(|error| state_failed(&error))?;
            self.tell_replays(generation, &spec);
            known.held().spec = spec;
            known.wake();
            return Ok(known);
        }
        self.registry.check_room()?;
        // What was removed since the place was looked up is for nobody.
        let start = start.max(self.reading.log.first_seq() - 1);
        let generation = self
            .change(|transaction| super::state::insert(transaction, &spec, now, start))
            .map_err(|error| state_failed(&error))?;
        Ok(self.registry.begin(generation, now, spec, start))
    }

    fn delete(&mut self, name: &str) -> Result<(), QueueError> {
        let unknown = || QueueError::UnknownSubscription { name: name.to_owned() };
        let known = self.registry.named(name).ok_or_else(unknown)?;
        self.change(|transaction| super::state::delete(transaction, known.generation()))
            .map_err(|error| state_failed(&error))?;
        self.lanes.forget(known.generation());
        self.registry.end(&known);
        Ok(())
    }

    /// Notes every floor, so that the next start looks at no event again.
    fn note_all(&mut self) {
        let all = self.everyone().into_iter();
        let touched = all.map(|subscriber| (subscriber.generation(), subscriber)).collect();
        // A failure is logged, and costs the next start a second look at the same events.
        let _ = self.write(&touched, &[]);
    }
}

/// Stages a move, and answers for each claim.
fn stage(held: &mut Held, what: What, now: Timestamp, head: Seq, seed: u64) -> Settled {
    match what {
        What::Settle(claims) => return held.settle(claims, now, head, seed),
        What::EndLeases => held.end_leases(now, head, seed),
        What::GiveUp(unreadable) => {
            for (seq, why) in unreadable {
                held.deliveries.give_up(seq, now, &why);
            }
        }
        What::Note => {}
    }
    Settled::new()
}

pub(super) fn state_failed(error: &rusqlite::Error) -> QueueError {
    QueueError::unavailable(format!("the state cannot be written: {error}"))
}
