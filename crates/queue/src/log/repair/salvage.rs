//! What can be kept of the bytes of one segment, and what is lost.
//!
//! Nothing is searched for but batch headers with the segment's tag, which nobody can guess: bytes
//! that a sender put into an event pass for nothing. In a broken batch, frames are taken one after
//! the other from where the first one begins, each where the one before it says that it ends.

use crate::{
    Seq,
    log::{
        Frame, Place,
        format::{BATCH_HEADER_BYTES, BATCH_MAGIC, BatchHeader, SEGMENT_HEADER_BYTES},
        frame::FrameHead,
    },
};
use bytes::Bytes;
use headgate_event::EventId;
use std::ops::Range;

/// What is known of a segment before its batches are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Its first sequence.
    pub segment: Seq,
    /// What its batches repeat.
    pub tag: u64,
    /// The newest sequence before it, or the one before its first when none is known.
    pub head: Seq,
    /// The newest id before it.
    pub last_id: EventId,
    /// The first sequence of the segment after it; none when it is the last.
    pub limit: Option<Seq>,
}

/// A part of the segment in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The payload of a whole batch: where it is, its first sequence, its count of frames.
    Batch(Range<usize>, Seq, u32),
    /// A frame of a broken batch: where it is, and its sequence.
    Frame(Range<usize>, Seq),
    /// These events are lost; they came after the event with this id.
    Lost(Range<Seq>, EventId),
}

/// Bytes that are not as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wound {
    pub offset: u64,
    pub bytes: u64,
    pub reason: &'static str,
    pub lost: Vec<Range<Seq>>,
}

/// A segment, read through.
#[derive(Debug)]
pub(super) struct Salvage {
    pub parts: Vec<Part>,
    pub wounds: Vec<Wound>,
    /// The newest sequence, lost ones included.
    pub head: Seq,
    pub last_id: EventId,
    /// Where the bytes end that are read; what is behind them was never finished.
    pub end: usize,
}

/// Why no whole batch begins at a place.
enum Unwhole {
    /// These are not the bytes that were written, or not all of them.
    Torn(&'static str),
    /// They were written, so no power cut did this, and yet they are wrong.
    Wrong(&'static str, BatchHeader),
}

struct Salvager<'a> {
    bytes: &'a Bytes,
    known: Known,
    at: usize,
    found: Salvage,
}

/// Reads the bytes of a segment through.
pub(super) fn salvage(bytes: &Bytes, known: Known) -> Salvage {
    let Known { head, last_id, .. } = known;
    let (parts, wounds) = (Vec::new(), Vec::new());
    let found = Salvage { parts, wounds, head, last_id, end: SEGMENT_HEADER_BYTES };
    let mut salvager = Salvager { bytes, known, at: SEGMENT_HEADER_BYTES, found };
    salvager.run();
    salvager.found
}

impl Salvager<'_> {
    fn run(&mut self) {
        while self.at < self.bytes.len() {
            let (reason, written) = match self.whole_batch() {
                Ok(()) => continue,
                Err(Unwhole::Torn(reason)) => (reason, None),
                Err(Unwhole::Wrong(reason, header)) => (reason, Some(header)),
            };
            let next = self.next_batch();
            if next.is_none() && self.known.limit.is_none() && written.is_none() {
                // What a power cut leaves: opening cuts it off, and nothing of it was answered.
                return;
            }
            self.broken(next, written, reason);
        }
        if let Some(limit) = self.known.limit
            && self.found.head + 1 < limit
        {
            let lost = self.lose_to(limit);
            let (offset, reason) = (self.at as u64, "the segment ends early");
            match self.found.wounds.last_mut() {
                // Its events may have been those of the bytes before.
                Some(wound) if wound.offset + wound.bytes == offset => wound.lost.extend(lost),
                _ => {
                    let lost = lost.into_iter().collect();
                    self.found.wounds.push(Wound { offset, bytes: 0, reason, lost });
                }
            }
        }
    }

    /// Takes the batch that begins here; the reason when there is no whole one.
    fn whole_batch(&mut self) -> Result<(), Unwhole> {
        let header = self.header(self.at).ok_or(Unwhole::Torn("expected a batch, found none"))?;
        let from = self.at + BATCH_HEADER_BYTES;
        let payload = from..from + header.payload_bytes as usize;
        let bytes = self.bytes.get(payload.clone()).ok_or(Unwhole::Torn("a batch is cut short"))?;
        if crc32c::crc32c(bytes) != header.payload_crc {
            return Err(Unwhole::Torn("the checksum of a batch does not fit"));
        }
        let frames = self.frames(header, payload.clone());
        let (seq, last_id) = frames.map_err(|reason| Unwhole::Wrong(reason, header))?;
        self.found.parts.push(Part::Batch(payload.clone(), header.first_seq, header.count));
        (self.found.head, self.found.last_id) = (seq, last_id);
        self.at = payload.end;
        self.found.end = self.at;
        Ok(())
    }

    /// Whether these are the frames of the batch, each as it was written; the newest sequence and
    /// id. The checksum of the batch alone does not say so: erasing an event makes it anew.
    fn frames(
        &self,
        header: BatchHeader,
        payload: Range<usize>,
    ) -> Result<(Seq, EventId), &'static str> {
        if header.first_seq != self.found.head + 1 {
            return Err("expected the batch of the next event, found another");
        }
        let mut at = payload.start;
        let (mut seq, mut last_id) = (self.found.head, self.found.last_id);
        while at < payload.end {
            let rest = self.bytes.get(at..payload.end).unwrap_or_default();
            let head = FrameHead::decode(rest)?;
            if head.length > rest.len() {
                return Err("a frame reaches beyond its batch");
            }
            let place = Place { segment: self.known.segment, offset: at as u64 };
            if Frame::decode(&self.bytes.slice(at..at + head.length), place).is_err() {
                return Err("the checksum of a frame does not fit");
            }
            at += head.length;
            seq += 1;
            if head.seq != seq || head.id <= last_id {
                return Err("a batch holds frames out of their order");
            }
            last_id = head.id;
        }
        if seq - self.found.head != u64::from(header.count) || self.is_beyond(seq) {
            return Err("a batch holds other frames than it says");
        }
        Ok((seq, last_id))
    }

    /// The place of the next batch after a broken one. In the last segment it has to say that the
    /// broken one was durable.
    fn next_batch(&self) -> Option<usize> {
        let mut at = self.at + 1;
        loop {
            let rest = self.bytes.get(at..)?;
            at += rest.windows(BATCH_MAGIC.len()).position(|four| four == BATCH_MAGIC)?;
            let durable = |header: &BatchHeader| {
                (self.at as u64 + 1..=at as u64).contains(&header.durable_end)
                    && header.first_seq > self.found.head
                    && !self.is_beyond(header.first_seq)
            };
            if self.header(at).as_ref().is_some_and(durable) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Takes what can be taken of a broken batch, up to the next one.
    fn broken(&mut self, next: Option<usize>, written: Option<BatchHeader>, reason: &'static str) {
        let until = next.unwrap_or(self.bytes.len());
        let bound = next.and_then(|at| self.header(at)).map(|header| header.first_seq);
        // Of the very last batch, its own header says how many it had.
        let own = written.map(|header| header.first_seq.saturating_add(header.count.into()));
        let bound = bound.or(self.known.limit).or(own);
        let (offset, mut lost) = (self.at as u64, Vec::new());
        let mut at = self.at + BATCH_HEADER_BYTES;
        while let Some(head) = self.bytes.get(at..until).and_then(|b| FrameHead::decode(b).ok()) {
            let range = at..at + head.length;
            if head.length == 0 || range.end > until {
                break;
            }
            at = range.end;
            let fits = head.seq > self.found.head
                && bound.is_none_or(|bound| head.seq < bound)
                && head.id > self.found.last_id;
            let place = Place { segment: self.known.segment, offset: range.start as u64 };
            if fits && Frame::decode(&self.bytes.slice(range.clone()), place).is_ok() {
                lost.extend(self.lose_to(head.seq));
                self.found.parts.push(Part::Frame(range, head.seq));
                (self.found.head, self.found.last_id) = (head.seq, head.id);
            }
        }
        if let Some(bound) = bound {
            lost.extend(self.lose_to(bound));
        }
        let bytes = until as u64 - offset;
        self.found.wounds.push(Wound { offset, bytes, reason, lost });
        self.at = until;
        self.found.end = until;
    }

    /// Marks the events before this one as lost.
    fn lose_to(&mut self, next: Seq) -> Option<Range<Seq>> {
        let lost = self.found.head + 1..next;
        if lost.is_empty() {
            return None;
        }
        self.found.parts.push(Part::Lost(lost.clone(), self.found.last_id));
        for _ in lost.clone() {
            // As many ids as were given to them are free between their neighbours.
            self.found.last_id = self.found.last_id.next();
        }
        self.found.head = next - 1;
        Some(lost)
    }

    fn is_beyond(&self, seq: Seq) -> bool {
        self.known.limit.is_some_and(|limit| seq >= limit)
    }

    fn header(&self, at: usize) -> Option<BatchHeader> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        BatchHeader::decode(bytes, self.known.tag)
    }
}
