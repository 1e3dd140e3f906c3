//! Reading events: one, a page, or a run. What the index has not seen yet comes from the log's
//! memory, which is asked first: an event leaves it only when the index has it.

use super::index::{Index, Span};
use crate::{
    ListQuery, Page, QueueError, Selection, Seq, Start, Stored,
    log::{Committed, Frame, Log, LogError, Place, Position},
};
use headgate_event::{
    EventId, StoredEvent, Timestamp,
    limits::{LIST_EVENTS_MAX, READ_BYTES_MAX},
};
use std::{error::Error, sync::Arc};

/// How many entries of the log's memory are taken at once.
const TAIL_STEP: usize = 512;

/// What a read needs.
#[derive(Debug)]
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
        let located = match self.log.committed_as(id) {
            Some(entry) => Some(Located::from(&entry)),
            None => self.index.by_id(id).map_err(index_failed)?.map(Located::from),
        };
        located.map(|located| self.stored(located)).transpose()
    }

    /// Where the event of a place is.
    pub(super) fn locate(&self, seq: Seq) -> Result<Option<Located>, QueueError> {
        Ok(match self.log.committed_at(seq) {
            Some(entry) => Some(Located::from(&entry)),
            None => self.index.at(seq).map_err(index_failed)?.map(Located::from),
        })
    }

    /// Whether a selection wants the event of a place.
    pub(super) fn wants(&self, selection: &Selection, seq: Seq) -> Result<bool, QueueError> {
        if let Some(entry) = self.log.committed_at(seq) {
            return Ok(wants(selection, &entry));
        }
        let entry = self.index.at(seq).map_err(index_failed)?;
        entry.map_or(Ok(false), |entry| self.index.wants(selection, &entry)).map_err(index_failed)
    }

    pub(super) fn from(&self, from: Seq, max: usize) -> Result<Vec<Stored>, QueueError> {
        let from = from.max(self.log.first_seq());
        if max == 0 || from > *self.log.head().borrow() {
            return Ok(Vec::new());
        }
        let unknown = || {
            let reason = "the index does not know it".to_owned();
            QueueError::Damaged { seq: from, reason }
        };
        let position = self.locate(from)?.ok_or_else(unknown)?.position;
        let (mut place, mut stored) =
            (Place { segment: position.segment, offset: position.offset }, Vec::new());
        let mut bytes = 0;
        while stored.len() < max && bytes < READ_BYTES_MAX {
            let scanned = self
                .log
                .scan(place, max - stored.len(), READ_BYTES_MAX - bytes)
                .map_err(|error| damaged(from + stored.len() as Seq, error))?;
            if scanned.frames.is_empty() {
                break;
            }
            place = scanned.next;
            for frame in scanned.frames {
                bytes += usize::try_from(frame.position.len).unwrap_or(usize::MAX);
                stored.push(open(&frame)?);
            }
        }
        Ok(stored)
    }

    pub(super) fn list(&self, query: &ListQuery) -> Result<Page, QueueError> {
        let limit = query.limit.min(LIST_EVENTS_MAX);
        if limit == 0 {
            return Ok(Page { events: Vec::new(), next: None });
        }
        // One more than asked says whether there is a next page.
        let found = self.newest(query, limit + 1)?;
        let page = &found[..within_bytes(&found[..limit.min(found.len())])];
        let next = page.last().map(|last| last.seq).filter(|_| page.len() < found.len());
        let mut events = Vec::with_capacity(page.len());
        for located in page {
            let event = self.stored(*located)?.event;
            // The index compares hashes only.
            events.extend(Some(event).filter(|event| query.selection.wants(event)));
        }
        Ok(Page { events, next })
    }

    /// The last event before which nothing is for a subscription that begins here.
    pub(super) fn place_of(&self, start: Start) -> Result<Seq, QueueError> {
        let head = *self.log.head().borrow();
        // The log's memory goes on where the index ends, so what is not there is older.
        let unindexed = self.log.committed(0, usize::MAX);
        let first = match start {
            Start::Now => None,
            Start::Earliest => Some(self.log.first_seq()),
            Start::After(id) => {
                let older = self.index.not_after(id).map_err(index_failed)?;
                let next = older.map_or(self.log.first_seq(), |entry| entry.seq + 1);
                let newer = unindexed.iter().take_while(|entry| entry.id <= id).last();
                Some(newer.map_or(next, |entry| next.max(entry.seq + 1)))
            }
            Start::At(time) => {
                let indexed = self.index.received_from(time).map_err(index_failed)?;
                let newer = unindexed.iter().find(|entry| entry.created_at >= time);
                indexed.map(|entry| entry.seq).or(newer.map(|entry| entry.seq))
            }
        };
        Ok(first.map_or(head, |first| first - 1))
    }

    fn newest(&self, query: &ListQuery, max: usize) -> Result<Vec<Located>, QueueError> {
        let mut low = query.before.unwrap_or(Seq::MAX);
        let mut found = Vec::new();
        loop {
            let entries = self.log.committed_before(low, TAIL_STEP);
            let Some(last) = entries.last() else { break };
            low = last.seq;
            let fits = |entry: &&Committed| query.takes(entry);
            found.extend(entries.iter().filter(fits).map(Located::from));
            if found.len() >= max {
                found.truncate(max);
                return Ok(found);
            }
        }
        let (since, until) = (query.since, query.until);
        let span = Span { first: 1, last: low.saturating_sub(1), since, until };
        let indexed = self.index.newest(&query.selection, span, max - found.len());
        found.extend(indexed.map_err(index_failed)?.into_iter().map(Located::from));
        Ok(found)
    }

    /// The event there, with its raw bytes.
    pub(super) fn stored(&self, located: Located) -> Result<Stored, QueueError> {
        let failed = |error| damaged(located.seq, error);
        open(&self.log.read(located.position).map_err(failed)?)
    }
}

/// How many of these fit into one read, at least one.
pub(super) fn within_bytes(located: &[Located]) -> usize {
    let mut bytes = 0_usize;
    let fits = |located: &&Located| {
        let before = bytes;
        bytes = bytes.saturating_add(located.position.len as usize);
        before == 0 || bytes <= READ_BYTES_MAX
    };
    located.iter().take_while(fits).count()
}

/// Whether a selection wants an event of the log's memory.
pub(super) fn wants(selection: &Selection, entry: &Committed) -> bool {
    selection.wants(&*entry.keys)
}

pub(super) fn index_failed(error: rusqlite::Error) -> QueueError {
    QueueError::unavailable(format!("the index cannot be read: {error}"))
}

fn open(frame: &Frame) -> Result<Stored, QueueError> {
    let unpacked = frame.unpack().map_err(|error| damaged(frame.seq, error))?;
    let event = StoredEvent::decode(frame.id, &unpacked.event, &unpacked.raw)
        .map_err(|error| QueueError::Damaged { seq: frame.seq, reason: chain(&error) })?;
    Ok(Stored { seq: frame.seq, event, raw: unpacked.raw })
}

fn damaged(seq: Seq, error: LogError) -> QueueError {
    match error {
        LogError::Io { .. } => QueueError::unavailable(chain(&error)),
        error => QueueError::Damaged { seq, reason: chain(&error) },
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn Error) -> String {
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
