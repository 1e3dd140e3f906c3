//! What a lease finds without a disk and without a thread for it: events that another subscription
//! has just leased, and how far nothing is wanted.

use super::{
    Embedded,
    read::{self, Reading},
    search::{Candidate, Catch, Wish},
};
use crate::{QueueError, Selection, Seq, log::Committed, subscription::Subscriber, weight};
use headgate_event::{
    Event,
    limits::{LEASE_READS_AT_ONCE_MAX, READ_BYTES_MAX, SHELF_LOOKS_INSIDE_MAX, SHELF_LOOKS_MAX},
};
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

/// How many entries of the log's memory are looked at without a thread for it.
const SKIM_EVENTS_MAX: usize = 64;
/// The least places that are looked up together.
const STEP: usize = 16;

/// Whose turn it is to read for a lease.
#[derive(Debug)]
pub(super) struct Finders {
    /// Who wants the next event whatever it is: those that want the same one read it one after the
    /// other, so that only the first reads it.
    next: [Mutex<()>; LEASE_READS_AT_ONCE_MAX],
    /// Who has to look for what it wants, which may take long.
    looking: Semaphore,
}

impl Default for Finders {
    fn default() -> Self {
        let looking = Semaphore::new(LEASE_READS_AT_ONCE_MAX);
        Self { next: Default::default(), looking }
    }
}

/// A turn, until it is dropped.
enum Turn<'a> {
    Next(#[expect(dead_code, reason = "it is held")] MutexGuard<'a, ()>),
    Looking(#[expect(dead_code, reason = "it is held")] SemaphorePermit<'a>),
    /// It is not waited for any more.
    None,
}

impl Finders {
    async fn turn(&self, known: &Subscriber, wish: &Wish) -> Turn<'_> {
        let wants_all = wish.selection == Selection::default() && known.lane().is_none();
        let place = usize::try_from(wish.cursor).unwrap_or(0) % LEASE_READS_AT_ONCE_MAX;
        match self.next.get(place).filter(|_| wants_all) {
            Some(next) => Turn::Next(next.lock().await),
            // It is never closed.
            None => self.looking.acquire().await.map_or(Turn::None, Turn::Looking),
        }
    }
}

impl Embedded {
    /// What a lease may take. What has to be read is read by few leases at one time: with many
    /// subscriptions they all want the same, and find it in memory when their turn comes.
    pub(super) async fn catch(
        &self,
        known: &Arc<Subscriber>,
        wish: Wish,
    ) -> Result<Catch, QueueError> {
        if !self.committer.is_running() {
            return Err(QueueError::unavailable("the queue is closed"));
        }
        if let Some(catch) = self.at_hand(&wish) {
            return Ok(catch);
        }
        let _turn = self.finders.turn(known, &wish).await;
        if let Some(catch) = self.at_hand(&wish) {
            return Ok(catch);
        }
        let read = self.shelf.begin();
        let catch = self.reading(move |reading| reading.find(&wish)).await?;
        // Nobody else takes what a replay reads, or what the only subscription does.
        if known.lane().is_none() && self.registry.count() > 1 {
            self.shelf.put(read, catch.events());
        }
        Ok(catch)
    }

    fn at_hand(&self, wish: &Wish) -> Option<Catch> {
        let passed = |passed| Catch { again: Vec::new(), first: Vec::new(), passed };
        self.on_shelf(wish).or_else(|| self.parts().skim(wish).map(passed))
    }

    /// What a lease may take of the shelf; `None` when its next event is not there.
    fn on_shelf(&self, wish: &Wish) -> Option<Catch> {
        if wish.cursor + 1 < self.log.first_seq() {
            return None;
        }
        let again = self.shelf.run(wish.again.iter().copied());
        if again.len() < wish.again.len() {
            return None;
        }
        let mut taking = Taking::new(wish);
        for (seq, event) in again {
            if !taking.has_room_for(&event) {
                // The first alone is too large, or the next ones have their turn another time.
                return taking.catch();
            }
            taking.again.push(Candidate { seq, event: Ok(event) });
        }
        let (places, end) = wish.next_places();
        for step in places.chunks(wish.max.max(STEP)) {
            let found = self.shelf.run(step.iter().copied());
            let missing = step.get(found.len()).copied();
            for (seq, event) in found {
                if wish.takes(&event) {
                    if !taking.has_room_for(&event) {
                        taking.passed = seq - 1;
                        return taking.catch();
                    }
                    taking.first.push(Candidate { seq, event: Ok(event) });
                }
                taking.passed = seq;
            }
            if let Some(missing) = missing {
                if taking.leaves_out_what_is_new() {
                    return None;
                }
                taking.passed = missing - 1;
                return taking.catch();
            }
        }
        taking.passed = end;
        taking.catch()
    }
}

impl Wish {
    /// Whether an event is wanted.
    fn takes(&self, event: &Event) -> bool {
        self.window.has(event.created_at()) && self.selection.wants(event)
    }

    /// The places after the cursor that are not begun or done, some of them, and the last place
    /// that was looked at.
    fn next_places(&self) -> (Vec<Seq>, Seq) {
        let most = if self.selection.looks_inside() {
            SHELF_LOOKS_INSIDE_MAX
        } else if self.selection == Selection::default() {
            self.max
        } else {
            SHELF_LOOKS_MAX
        };
        let (mut places, mut at) = (Vec::new(), self.cursor);
        let held = self.subscriber.held();
        for _ in 0..most {
            at = held.deliveries.done_from(at + 1).map_or(at, |done| done.min(self.last));
            if at >= self.last {
                break;
            }
            at += 1;
            places.extend(Some(at).filter(|seq| !held.deliveries.has(*seq)));
        }
        (places, at)
    }
}

/// Taking what fits into a lease.
struct Taking<'a> {
    wish: &'a Wish,
    again: Vec<Candidate>,
    first: Vec<Candidate>,
    passed: Seq,
    bytes_left: usize,
}

impl<'a> Taking<'a> {
    fn new(wish: &'a Wish) -> Self {
        let bytes_left = wish.bytes.unwrap_or(READ_BYTES_MAX);
        Self { wish, again: Vec::new(), first: Vec::new(), passed: wish.cursor, bytes_left }
    }

    /// Whether the place that is left to an event that was not tried yet has none. Where all that is
    /// at hand comes again, one that would be taken might never have its turn.
    fn leaves_out_what_is_new(&self) -> bool {
        self.first.is_empty() && !self.again.is_empty() && self.again.len() < self.wish.max
    }

    /// Whether an event fits, which then takes its room.
    fn has_room_for(&mut self, event: &Event) -> bool {
        let is_full = self.again.len() + self.first.len() >= self.wish.max;
        let left = self.bytes_left.checked_sub(weight(event)).filter(|_| !is_full);
        self.bytes_left = left.unwrap_or(self.bytes_left);
        left.is_some()
    }

    /// What was taken; nothing when that is no step on.
    fn catch(self) -> Option<Catch> {
        let Self { again, first, passed, wish, .. } = self;
        let catch = Catch { again, first, passed };
        (catch.len() > 0 || passed > wish.cursor).then_some(catch)
    }
}

impl Catch {
    /// The events that could be read.
    fn events(&self) -> impl Iterator<Item = (Seq, &Event)> {
        let all = self.again.iter().chain(&self.first);
        all.filter_map(|one| Some((one.seq, one.event.as_ref().ok()?)))
    }
}

impl Reading {
    /// How far nothing is wanted, when that can be told from memory and is all that has come. With
    /// many subscriptions most of them want little of what comes, and each looks at all of it: this
    /// touches no disk and takes no thread.
    fn skim(&self, wish: &Wish) -> Option<Seq> {
        let step = usize::try_from(wish.last.checked_sub(wish.cursor)?).ok()?;
        if !wish.again.is_empty() || !(1..=SKIM_EVENTS_MAX).contains(&step) {
            return None;
        }
        let entries = self.log.committed(wish.cursor, step);
        let whole = entries.len() == step && entries.first()?.seq == wish.cursor + 1;
        let wanted = |entry: &Committed| read::wants(&wish.selection, entry);
        (whole && !entries.iter().any(wanted)).then_some(wish.last)
    }
}
