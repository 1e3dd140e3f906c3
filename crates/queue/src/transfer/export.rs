//! Writing the file, a piece at a time, while events go on coming.

use super::SCHEMA;
use crate::{Queue, QueueError, Selection, Seq, Stored};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headgate_event::{
    Event, Timestamp,
    limits::{EXPORT_PIECE_BYTES, EXPORT_READ_EVENTS_MAX},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{collections::VecDeque, fmt, sync::Arc};

/// Which events to export, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportQuery {
    /// Which events.
    pub selection: Selection,
    /// Not received before this moment.
    pub since: Option<Timestamp>,
    /// Received before this moment.
    pub until: Option<Timestamp>,
}

/// An export on its way: the events that were stored when it began.
pub struct Export {
    queue: Arc<dyn Queue>,
    query: ExportQuery,
    next: Seq,
    last: Seq,
    waiting: VecDeque<Stored>,
    digest: Sha256,
    events: u64,
    left_out: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Events,
    Ended,
}

#[derive(Serialize)]
struct First {
    schema: &'static str,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedupe_window_ms: Option<u64>,
    raw_b64: String,
}

#[derive(Serialize)]
struct Last {
    events: u64,
    /// Places between the events that have none which can be read.
    #[serde(skip_serializing_if = "is_zero")]
    left_out: u64,
    sha256: String,
}

impl Export {
    /// An export of what is stored at this moment.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>, query: ExportQuery) -> Self {
        let last = *queue.head().borrow();
        Self {
            queue,
            query,
            next: 1,
            last,
            waiting: VecDeque::new(),
            digest: Sha256::new(),
            events: 0,
            left_out: 0,
            stage: Stage::Begin,
        }
    }

    /// How many events were written.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many places have no event that can be read: it is damaged, or lost.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The next lines of the file; none after its last.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, QueueError> {
        let mut piece = Vec::new();
        if self.stage == Stage::Begin {
            line(&First { schema: SCHEMA }, &mut piece)?;
            self.stage = Stage::Events;
        }
        while self.stage == Stage::Events && piece.len() < EXPORT_PIECE_BYTES {
            match self.waiting.pop_front() {
                Some(stored) => self.put(&stored, &mut piece)?,
                None if self.read().await? => {}
                None => self.stage = Stage::Ended,
            }
        }
        if piece.is_empty() {
            return Ok(None);
        }
        self.digest.update(&piece);
        if self.stage == Stage::Ended {
            let sha256 = hex::encode(self.digest.finalize_reset());
            line(&Last { events: self.events, left_out: self.left_out, sha256 }, &mut piece)?;
        }
        Ok(Some(Bytes::from(piece)))
    }

    /// Reads the next events; `false` when there are none left.
    async fn read(&mut self) -> Result<bool, QueueError> {
        if self.next > self.last {
            return Ok(false);
        }
        let read = self.queue.read(self.next, EXPORT_READ_EVENTS_MAX).await?;
        let (Some(oldest), Some(newest)) = (read.first(), read.last()) else {
            self.left_out += self.last + 1 - self.next;
            return Ok(false);
        };
        // What is missing before the very first may have been removed by its age.
        let from = if self.next == 1 { oldest.seq } else { self.next };
        let span = newest.seq.min(self.last) + 1 - from.min(self.last + 1);
        let found = read.iter().filter(|stored| stored.seq <= self.last).count() as u64;
        self.left_out += span.saturating_sub(found);
        self.next = newest.seq + 1;
        let last = self.last;
        self.waiting.extend(read.into_iter().filter(|stored| stored.seq <= last));
        Ok(true)
    }

    fn put(&mut self, stored: &Stored, piece: &mut Vec<u8>) -> Result<(), QueueError> {
        if !self.query.wants(&stored.event) {
            return Ok(());
        }
        let ms = |window: std::time::Duration| u64::try_from(window.as_millis());
        let dedupe_window_ms = stored.dedupe_window.map(|window| ms(window).unwrap_or(u64::MAX));
        let raw_b64 = STANDARD.encode(&stored.raw);
        self.events += 1;
        line(&Line { event: &stored.event, dedupe_window_ms, raw_b64 }, piece)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl ExportQuery {
    fn wants(&self, event: &Event) -> bool {
        let created_at = event.created_at();
        self.selection.wants(event)
            && self.since.is_none_or(|since| created_at >= since)
            && self.until.is_none_or(|until| created_at < until)
    }
}

fn line(value: &impl Serialize, piece: &mut Vec<u8>) -> Result<(), QueueError> {
    let written = serde_json::to_writer(&mut *piece, value);
    piece.push(b'\n');
    written.map_err(|error| QueueError::unavailable(format!("a line of the export: {error}")))
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("next", &self.next).field("last", &self.last).finish()
    }
}
