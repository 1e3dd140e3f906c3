//! Looking for what a lease may take: the next wanted events, and those that come again.

use super::{
    follower,
    index::Span,
    read::{self, Located, Reading, Room},
};
use crate::{
    QueueError, Selection, Seq,
    subscription::{Subscriber, Thread, Window, thread_of},
    weight,
};
use headgate_event::{Event, limits::FILTER_LOOKS_STEP};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many entries of the log's memory are looked at at once, at first: most leases want few.
const TAIL_STEP_MIN: usize = 16;
/// The same for one that goes on looking.
const TAIL_STEP_MAX: usize = 512;

/// What a lease looks for.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) subscriber: Arc<Subscriber>,
    /// Places that are ready for another attempt.
    pub(super) again: Vec<Seq>,
    /// The last event that was looked at.
    pub(super) cursor: Seq,
    /// The last event that may be leased.
    pub(super) last: Seq,
    pub(super) selection: Selection,
    /// Only events received in this window.
    pub(super) window: Window,
    pub(super) max: usize,
    /// At most so many bytes of events, and none that is larger.
    pub(super) bytes: Option<usize>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Catch {
    pub(super) again: Vec<Candidate>,
    pub(super) first: Vec<Candidate>,
    /// Every event up to here was looked at.
    pub(super) passed: Seq,
}

/// An event that may be leased, or why it cannot be read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) seq: Seq,
    pub(super) event: Result<Event, String>,
}

impl Catch {
    /// How many deliveries it is.
    pub(super) fn len(&self) -> usize {
        self.again.len() + self.first.len()
    }

    /// How many bytes its events have.
    pub(super) fn bytes(&self) -> usize {
        let all = self.again.iter().chain(&self.first);
        all.filter_map(|one| one.event.as_ref().ok()).map(weight).sum()
    }

    /// Leaves out what is beyond so many; it is found again.
    pub(super) fn shorten(&mut self, max: usize) {
        self.again.truncate(max);
        let first = max - self.again.len();
        if let Some(too_much) = self.first.get(first) {
            self.passed = too_much.seq - 1;
            self.first.truncate(first);
        }
    }
}

impl Reading {
    /// Looks for what a lease wishes, and reads it.
    pub(super) fn find(&self, wish: &Wish) -> Result<Catch, QueueError> {
        let (mut again, mut gone) = (Vec::new(), Vec::new());
        for seq in wish.again.iter().copied() {
            match self.known(seq) {
                Ok(located) => again.push(located),
                // An index that lacks an event can be made anew; a log that lacks it cannot.
                Err(QueueError::Damaged { seq, reason }) if follower::is_lost(&self.log, seq) => {
                    read::tell_damage(seq, &reason);
                    gone.push(Candidate { seq, event: Err(reason) });
                }
                Err(error) => return Err(error),
            }
        }
        let max = wish.max - wish.again.len();
        let looks = if wish.selection.looks_inside() { max.max(FILTER_LOOKS_STEP) } else { max };
        let (wanted, mut passed) =
            if max == 0 { (Vec::new(), wish.cursor) } else { self.wanted_after(wish, looks)? };
        let mut room = Room::of(wish.bytes);
        let mut again = self.candidates(&again, &mut room)?;
        again.extend(gone);
        let mut first = self.candidates(&wanted, &mut room)?;
        if let Some(too_much) = wanted.get(first.len()) {
            passed = too_much.seq - 1;
        }
        // The index compares hashes only.
        first.retain(|one| one.event.as_ref().map_or(true, |event| wish.selection.wants(event)));
        if let Some(too_much) = first.get(max) {
            passed = too_much.seq - 1;
            first.truncate(max);
        }
        Ok(Catch { again, first, passed })
    }

    /// Up to `max` wanted events after the cursor that were not settled before, and how far was
    /// looked.
    fn wanted_after(&self, wish: &Wish, max: usize) -> Result<(Vec<Located>, Seq), QueueError> {
        let (mut found, mut cursor) = (Vec::new(), wish.cursor);
        let mut tail_step = max.clamp(TAIL_STEP_MIN, TAIL_STEP_MAX);
        let jump = |cursor: Seq| {
            let held = wish.subscriber.held();
            held.deliveries.done_from(cursor + 1).map_or(cursor, |done| done.min(wish.last))
        };
        cursor = jump(cursor);
        while found.len() < max && cursor < wish.last {
            let entries = self.log.committed(cursor, tail_step);
            tail_step = (tail_step * 2).min(TAIL_STEP_MAX);
            let next = entries.first().map_or(Seq::MAX, |entry| entry.seq);
            let step = if next == cursor + 1 {
                let wanted = entries.iter().filter(|entry| {
                    wish.window.has(entry.created_at) && read::wants(&wish.selection, entry)
                });
                let last = entries.last().map_or(cursor, |entry| entry.seq).min(wish.last);
                (wanted.map(Located::from).collect(), last)
            } else {
                let last = wish.last.min(next - 1).min(self.index.last());
                self.indexed_after(wish, cursor, last, max - found.len())?
            };
            let (mut wanted, mut last): (Vec<Located>, Seq) = step;
            if last <= cursor {
                break;
            }
            let held = wish.subscriber.held();
            wanted.retain(|one| one.seq <= last && !held.deliveries.has(one.seq));
            drop(held);
            if let Some(too_much) = wanted.get(max - found.len()) {
                last = too_much.seq - 1;
                wanted.truncate(max - found.len());
            }
            found.extend(wanted);
            cursor = jump(last);
        }
        Ok((found, cursor))
    }

    /// Up to `max` wanted events of the index after the cursor, and how far was looked.
    fn indexed_after(
        &self,
        wish: &Wish,
        cursor: Seq,
        last: Seq,
        max: usize,
    ) -> Result<(Vec<Located>, Seq), QueueError> {
        let Window { since, until } = wish.window;
        let span = Span { first: cursor + 1, last, since, until };
        let selection = wish.selection.indexed();
        let found = self.index.oldest(&selection, span, max).map_err(read::index_failed)?;
        let full = found.last().filter(|_| found.len() == max);
        let last = full.map_or(last, |entry| entry.seq);
        Ok((found.into_iter().map(Located::from).collect(), last))
    }

    /// The events there, as many as there is room for. One that is damaged is told as such; a disk
    /// that fails ends the call.
    fn candidates(
        &self,
        located: &[Located],
        room: &mut Room,
    ) -> Result<Vec<Candidate>, QueueError> {
        let mut candidates = Vec::with_capacity(located.len());
        for located in located {
            let event = match self.stored_within(*located, room) {
                Ok(Some(stored)) => Ok(stored.event),
                Ok(None) => break,
                // Nobody can lease it any more: its deliveries were dropped before.
                Err(error @ QueueError::Erased { .. }) => Err(error.to_string()),
                Err(QueueError::Damaged { seq, reason }) => {
                    read::tell_damage(seq, &reason);
                    Err(reason)
                }
                Err(error) => return Err(error),
            };
            candidates.push(Candidate { seq: located.seq, event });
        }
        Ok(candidates)
    }

    /// The threads of the events of these places. One that cannot be read has none.
    pub(super) fn threads(&self, places: &BTreeSet<Seq>) -> BTreeMap<Seq, Thread> {
        let thread = |seq: Seq| {
            let frame = self.frame(self.locate(seq).ok()??).ok()?;
            Some((seq, thread_of(frame.keys.thread_key.as_deref()?)))
        };
        places.iter().copied().filter_map(thread).collect()
    }

    /// Those of the places whose events a selection does not want.
    pub(super) fn unwanted(
        &self,
        selection: &Selection,
        mut places: BTreeSet<Seq>,
    ) -> Result<BTreeSet<Seq>, QueueError> {
        let mut failed = Ok(());
        places.retain(|seq| match self.wants(selection, *seq) {
            Ok(wanted) => !wanted,
            Err(error) => {
                failed = Err(error);
                false
            }
        });
        failed.map(|()| places)
    }
}
