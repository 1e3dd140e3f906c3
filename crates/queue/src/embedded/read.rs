//! Reading events: one, a page, or a run. What the index has not seen yet comes from the log's
//! memory, which is asked first: an event leaves it only when the index has it.

use super::index::{Index, Span};
use crate::{
    Damaged, ListQuery, Page, QueueError, Selection, Seq, Start, Stored,
    log::{Committed, Frame, Log, LogError, Place, Position},
    weight,
};
use headgate_event::{
    EventId, StoredEvent, Timestamp,
    limits::{LIST_EVENTS_MAX, READ_BYTES_MAX},
};
use std::{error::Error, sync::Arc};

/// How many entries of the log's memory are taken at once.
const TAIL_STEP: usize = 512;

/// How many bytes of frames are read at once where events are lost.
const SCAN_BYTES: usize = 1 << 20;

/// What a read needs.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) log: Log,
    pub(super) index: Arc<Index>,
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) seq: Seq,
    pub(super) id: EventId,
    pub(super) position: Position,
    pub(super) created_at: Timestamp,
}

impl Reading {
    pub(super) fn by_id(&self, id: EventId) -> Result<Option<Stored>, QueueError> {
        let Some(located) = self.located(id)? else { return Ok(None) };
        match self.stored(located) {
            // It was removed in between.
            Err(QueueError::Damaged { seq, .. }) if !self.keeps(seq) => Ok(None),
            Err(QueueError::Damaged { seq, reason }) => {
                tell_damage(seq, &reason);
                Err(QueueError::Damaged { seq, reason })
            }
            stored => stored.map(Some),
        }
    }

    /// Where the event of an id is, unless retention has removed it.
    pub(super) fn located(&self, id: EventId) -> Result<Option<Located>, QueueError> {
        let located = match self.log.committed_as(id) {
            Some(entry) if entry.keys.is_lost() => None,
            Some(entry) => Some(Located::from(&entry)),
            None => self.index.by_id(id).map_err(index_failed)?.map(Located::from),
        };
        Ok(located.filter(|located| self.keeps(located.seq)))
    }

    /// Whether retention has left the event of a place.
    pub(super) fn keeps(&self, seq: Seq) -> bool {
        seq >= self.log.first_seq()
    }

    /// Where the event of a place is.
    pub(super) fn locate(&self, seq: Seq) -> Result<Option<Located>, QueueError> {
        Ok(match self.log.committed_at(seq) {
            Some(entry) if entry.keys.is_lost() => None,
            Some(entry) => Some(Located::from(&entry)),
            None => self.index.at(seq).map_err(index_failed)?.map(Located::from),
        })
    }

    /// Whether an event is known to be erased, without reading it.
    pub(super) fn is_known_erased(&self, seq: Seq) -> Result<bool, QueueError> {
        Ok(match self.log.committed_at(seq) {
            Some(entry) => entry.keys.is_erased(),
            None => self.index.at(seq).map_err(index_failed)?.is_some_and(|it| it.is_erased()),
        })
    }

    /// The id of the event of a place, when it can be found.
    pub(super) fn id_of(&self, seq: Seq) -> Option<EventId> {
        let located = self.locate(seq);
        let located = located.inspect_err(|error| tracing::warn!(%error, "an event has no id"));
        located.ok().flatten().map(|located| located.id)
    }

    /// Where an event is that was stored: one that the index does not know is damage.
    pub(super) fn known(&self, seq: Seq) -> Result<Located, QueueError> {
        let reason = "it is lost, or the index does not know it";
        self.locate(seq)?.ok_or_else(|| QueueError::Damaged { seq, reason: reason.to_owned() })
    }

    /// Whether a selection wants the event of a place.
    pub(super) fn wants(&self, selection: &Selection, seq: Seq) -> Result<bool, QueueError> {
        if !self.keeps(seq) {
            return Ok(false);
        }
        let (located, wanted) = match self.log.committed_at(seq) {
            Some(entry) => (Some(Located::from(&entry)), wants(selection, &entry)),
            None => match self.index.at(seq).map_err(index_failed)? {
                Some(entry) => {
                    let wanted = self.index.wants(&selection.indexed(), &entry);
                    let wanted = wanted.map_err(index_failed)?;
                    (Some(Located::from(entry)), wanted)
                }
                None => (None, false),
            },
        };
        match located {
            Some(located) if wanted && selection.looks_inside() => {
                self.wants_inside(selection, located)
            }
            _ => Ok(wanted),
        }
    }

    /// Whether a selection wants an event that it has to look into. One that cannot be read is
    /// wanted: whoever leases it learns that it is damaged.
    pub(super) fn wants_inside(
        &self,
        selection: &Selection,
        located: Located,
    ) -> Result<bool, QueueError> {
        match self.stored(located) {
            Ok(stored) => Ok(selection.wants(&stored.event)),
            Err(QueueError::Erased { .. }) => Ok(false),
            Err(QueueError::Damaged { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    pub(super) fn from(&self, from: Seq, max: usize) -> Result<Vec<Stored>, QueueError> {
        let (mut next, head) = (from, *self.log.head().borrow());
        let (mut stored, mut room) = (Vec::new(), Room::default());
        loop {
            next = next.max(self.log.first_seq());
            if stored.len() >= max || next > head {
                break;
            }
            let located = match self.next_kept(next) {
                // It was removed in between.
                Err(QueueError::Damaged { .. }) if !self.keeps(next) => continue,
                located => located?,
            };
            let Some(located) = located else { break };
            let Position { segment, offset, .. } = located.position;
            let place = Place { segment, offset };
            let Ok(scanned) = self.log.scan(place, max - stored.len(), room.bytes_left) else {
                // One of many is damaged: one by one, so that the others are not lost with it.
                match self.stored_within(located, &mut room) {
                    Ok(Some(found)) => stored.push(found),
                    Ok(None) => break,
                    Err(QueueError::Damaged { .. }) if !self.keeps(next) => {}
                    Err(error) => pass_damage(error)?,
                }
                next = located.seq + 1;
                continue;
            };
            if scanned.frames.is_empty() {
                break;
            }
            for frame in scanned.frames {
                if frame.keys.is_lost() {
                    next = frame.seq + 1;
                    continue;
                }
                match room.open(&frame) {
                    Ok(Some(found)) => stored.push(found),
                    Ok(None) => return Ok(stored),
                    Err(error) => pass_damage(error)?,
                }
                next = frame.seq + 1;
            }
        }
        Ok(stored)
    }

    /// The first event from this place on that is not lost; none when all are.
    fn next_kept(&self, from: Seq) -> Result<Option<Located>, QueueError> {
        if let Some(located) = self.locate(from)? {
            return Ok(Some(located));
        }
        let mut place = self.log.place_before(from);
        loop {
            let scanned = self.log.scan(place, TAIL_STEP, SCAN_BYTES);
            let scanned = scanned.map_err(|error| damaged(from, error))?;
            let kept = |frame: &&Frame| frame.seq >= from && !frame.keys.is_lost();
            if let Some(frame) = scanned.frames.iter().find(kept) {
                return Ok(Some(Located::from(&Committed::of(frame))));
            }
            if scanned.frames.is_empty() {
                return Ok(None);
            }
            place = scanned.next;
        }
    }

    pub(super) fn list(&self, query: &ListQuery) -> Result<Page, QueueError> {
        let limit = query.limit.min(LIST_EVENTS_MAX);
        if limit == 0 {
            return Ok(Page { events: Vec::new(), damaged: Vec::new(), next: None });
        }
        if query.selection.looks_inside() {
            return self.list_inside(query, limit);
        }
        // One more than asked says whether there is a next page.
        let found = self.newest(query, limit + 1)?;
        let (mut events, mut damaged) = (Vec::new(), Vec::new());
        let (mut room, mut taken) = (Room::default(), 0);
        for located in found.iter().take(limit) {
            match self.stored_within(*located, &mut room) {
                Ok(None) => break,
                // The index compares hashes only.
                Ok(Some(stored)) => {
                    events.extend(Some(stored.event).filter(|event| query.selection.wants(event)));
                }
                // They were taken away in between.
                Err(QueueError::Erased { .. }) => {}
                Err(QueueError::Damaged { seq, .. }) if !self.keeps(seq) => {}
                Err(QueueError::Damaged { seq, reason }) => {
                    tell_damage(seq, &reason);
                    damaged.push(Damaged { id: located.id, seq, reason });
                }
                Err(error) => return Err(error),
            }
            taken += 1;
        }
        let last = usize::checked_sub(taken, 1).and_then(|last| found.get(last));
        let next = last.map(|last| last.seq).filter(|_| taken < found.len());
        Ok(Page { events, damaged, next })
    }

    /// The last event before which nothing is for a subscription that begins here.
    pub(super) fn place_of(&self, start: Start) -> Result<Seq, QueueError> {
        let head = *self.log.head().borrow();
        let first = match start {
            Start::Now => None,
            Start::Earliest => Some(self.log.first_seq()),
            Start::After(id) => {
                let newer = self.unindexed().take_while(|entry| entry.id <= id).last();
                let older = self.index.not_after(id).map_err(index_failed)?;
                let next = older.map_or(self.log.first_seq(), |entry| entry.seq + 1);
                Some(newer.map_or(next, |entry| next.max(entry.seq + 1)))
            }
            Start::At(time) => {
                let newer = self.unindexed().find(|entry| entry.created_at >= time);
                let indexed = self.index.received_from(time).map_err(index_failed)?;
                indexed.map(|entry| entry.seq).or(newer.map(|entry| entry.seq))
            }
        };
        Ok(first.map_or(head, |first| first.max(self.log.first_seq()) - 1))
    }

    /// What the index may not hold yet, a step at a time, so that the log's writer never waits for
    /// long. It is asked before the index, so that nothing is between them.
    pub(super) fn unindexed(&self) -> impl Iterator<Item = Committed> {
        let mut after = 0;
        let steps = std::iter::from_fn(move || {
            let step = self.log.committed(after, TAIL_STEP);
            after = step.last()?.seq;
            Some(step)
        });
        steps.flatten()
    }

    pub(super) fn newest(&self, query: &ListQuery, max: usize) -> Result<Vec<Located>, QueueError> {
        let mut low = query.before.unwrap_or(Seq::MAX);
        let mut found = Vec::new();
        loop {
            let entries = self.log.committed_before(low, TAIL_STEP);
            let Some(last) = entries.last().filter(|last| self.keeps(last.seq)) else { break };
            low = last.seq;
            let fits = |entry: &&Committed| query.takes(entry);
            found.extend(entries.iter().filter(fits).map(Located::from));
            if found.len() >= max {
                found.truncate(max);
                return Ok(found);
            }
        }
        let (since, until) = (query.since, query.until);
        let span = Span { first: self.log.first_seq(), last: low.saturating_sub(1), since, until };
        let selection = query.selection.indexed();
        let indexed = self.index.newest(&selection, span, max - found.len());
        found.extend(indexed.map_err(index_failed)?.into_iter().map(Located::from));
        Ok(found)
    }

    /// The event there, with its raw bytes.
    pub(super) fn stored(&self, located: Located) -> Result<Stored, QueueError> {
        open(&self.frame(located)?)
    }

    /// The same when it still fits into this read.
    pub(super) fn stored_within(
        &self,
        located: Located,
        room: &mut Room,
    ) -> Result<Option<Stored>, QueueError> {
        room.may_read(located.position)?;
        room.open(&self.frame(located)?)
    }

    pub(super) fn frame(&self, located: Located) -> Result<Frame, QueueError> {
        self.log.read(located.position).map_err(|error| damaged(located.seq, error))
    }
}

/// How many bytes of events one read still takes. They count as they are in memory: what is a few
/// KiB in the log may be many MiB there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    bytes_left: usize,
    is_empty: bool,
    /// Whether a first one that does not fit is refused.
    is_strict: bool,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes_left: READ_BYTES_MAX, is_empty: true, is_strict: false }
    }
}

impl Room {
    /// Room for so many bytes, or as much as a read takes.
    pub(super) fn of(bytes: Option<usize>) -> Self {
        bytes.map_or_else(Self::default, |bytes_left| Self {
            bytes_left,
            is_empty: true,
            is_strict: true,
        })
    }

    /// Refuses a first one that has no room, before any of it is in memory.
    fn may_read(&self, position: Position) -> Result<(), QueueError> {
        self.may_hold(usize::try_from(position.len).unwrap_or(usize::MAX))
    }

    fn may_hold(&self, bytes: usize) -> Result<(), QueueError> {
        let refuses = self.is_strict && self.is_empty && bytes > self.bytes_left;
        if refuses { Err(QueueError::Larger { bytes }) } else { Ok(()) }
    }

    /// Whether the event fits. The first always does, and after one that does not none does.
    fn takes(&mut self, frame: &Frame) -> bool {
        let left = self.bytes_left.checked_sub(frame.unpacked_bytes());
        let takes = left.is_some() || self.is_empty;
        self.bytes_left = left.unwrap_or(0);
        self.is_empty = false;
        takes
    }

    /// The event of a frame that fits. What it takes beyond its frame is known when it is open: a
    /// body that came compressed is decoded by then.
    fn open(&mut self, frame: &Frame) -> Result<Option<Stored>, QueueError> {
        self.may_hold(frame.unpacked_bytes())?;
        let room = *self;
        if !self.takes(frame) {
            return Ok(None);
        }
        let stored = open(frame)?;
        if self.is_strict {
            let bytes = weight(&stored.event);
            room.may_hold(bytes)?;
            let left = room.bytes_left.checked_sub(bytes);
            self.bytes_left = left.unwrap_or(0);
            return Ok(left.map(|_| stored));
        }
        let beyond = stored.event.data().get().len().saturating_sub(frame.unpacked_bytes());
        self.bytes_left = self.bytes_left.saturating_sub(beyond);
        Ok(Some(stored))
    }
}

/// Says that a stored event cannot be read: whoever skips it does so before everybody's eyes.
pub(super) fn tell_damage(seq: Seq, reason: &str) {
    metrics::counter!("headgate_queue_damaged_reads_total").increment(1);
    tracing::error!(seq, reason, "a stored event cannot be read");
}

/// Tells damage and goes on, and passes what was erased; every other error stays one.
fn pass_damage(error: QueueError) -> Result<(), QueueError> {
    match error {
        QueueError::Damaged { seq, reason } => tell_damage(seq, &reason),
        QueueError::Erased { .. } => {}
        error => return Err(error),
    }
    Ok(())
}

/// Whether a selection wants an event of the log's memory.
pub(super) fn wants(selection: &Selection, entry: &Committed) -> bool {
    !entry.keys.is_lost() && !entry.keys.is_erased() && selection.wants(&*entry.keys)
}

pub(super) fn index_failed(error: rusqlite::Error) -> QueueError {
    QueueError::unavailable(format!("the index cannot be read: {error}"))
}

fn open(frame: &Frame) -> Result<Stored, QueueError> {
    if frame.keys.is_erased() {
        return Err(QueueError::Erased { id: frame.id });
    }
    let unpacked = frame.unpack().map_err(|error| damaged(frame.seq, error))?;
    let event = StoredEvent::decode(frame.id, &unpacked.event, &unpacked.raw)
        .map_err(|error| QueueError::Damaged { seq: frame.seq, reason: chain(&error) })?;
    let dedupe_window = frame.keys.dedupe_window;
    Ok(Stored { seq: frame.seq, event, raw: unpacked.raw, dedupe_window })
}

pub(super) fn damaged(seq: Seq, error: LogError) -> QueueError {
    match error {
        LogError::Io { .. } => QueueError::unavailable(chain(&error)),
        error => QueueError::Damaged { seq, reason: chain(&error) },
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl ListQuery {
    fn takes(&self, entry: &Committed) -> bool {
        wants(&self.selection, entry)
            && self.since.is_none_or(|since| entry.created_at >= since)
            && self.until.is_none_or(|until| entry.created_at < until)
    }
}

impl From<&Committed> for Located {
    fn from(entry: &Committed) -> Self {
        Self {
            seq: entry.seq,
            id: entry.id,
            position: entry.position,
            created_at: entry.created_at,
        }
    }
}

impl From<super::index::Entry> for Located {
    fn from(entry: super::index::Entry) -> Self {
        Self {
            seq: entry.seq,
            id: entry.id,
            position: entry.position,
            created_at: entry.created_at,
        }
    }
}
