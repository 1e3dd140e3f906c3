//! Calls on their way into a batch, and the batch in the making.

use super::known::Undo;
use crate::{
    Seq,
    log::{AppendError, Committed, Erasure, Place, Position, Prepared, large::Staged, unavailable},
};
use headgate_event::{Accepted, EventId};
use std::sync::Arc;
use tokio::sync::oneshot;

/// The answer to one call.
pub(super) type Answer = oneshot::Sender<Result<Vec<Accepted>, AppendError>>;

/// One call of `append`.
pub(in crate::log) struct Call {
    pub drafts: Vec<Prepared>,
    pub seen: Seq,
    pub answer: Answer,
}

/// What the writer is told.
pub(in crate::log) enum Message {
    /// Store these.
    Append(Call),
    /// Give these their place: they are durable in a file of their own.
    Large(Staged),
    /// Do this between two batches.
    Task(Task),
    /// See whether a log that could not write can write again.
    Probe,
    /// Store what was given before, then end.
    Close,
}

/// What the writer does besides batches, because the active segment is its own.
pub(in crate::log) enum Task {
    /// Begin another segment, unless the active one is empty.
    Roll(oneshot::Sender<Result<(), String>>),
    /// Erase an event in the active segment; `false` when it is in another one.
    Erase(Arc<Erasure>, oneshot::Sender<Result<bool, String>>),
}

/// A batch in the making.
pub(super) struct Batch {
    pub frames: Vec<Vec<u8>>,
    pub committed: Vec<Committed>,
    pub answers: Vec<(Answer, Vec<Accepted>)>,
    pub undo: Vec<Undo>,
    /// The segment that the frames go to.
    segment: Seq,
    /// The end of the frames so far, as an offset.
    pub end: u64,
}

impl Batch {
    pub(super) fn at(start: Place, calls: usize) -> Self {
        let answers = Vec::with_capacity(calls);
        let (frames, committed, undo) = (Vec::new(), Vec::new(), Vec::new());
        Self { frames, committed, answers, undo, segment: start.segment, end: start.offset }
    }

    /// Takes one more event, and gives what is noted of it.
    pub(super) fn add(
        &mut self,
        draft: Prepared,
        seq: Seq,
        id: EventId,
    ) -> (&Committed, &mut Vec<Undo>) {
        let (created_at, keys) = (draft.created_at(), Arc::clone(draft.keys()));
        let frame = draft.sealed(seq, id);
        // The limit of a frame is far below what four bytes hold.
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let position = Position { segment: self.segment, offset: self.end, len };
        self.end += frame.len() as u64;
        self.frames.push(frame);
        let entry = self.committed.push_mut(Committed { seq, id, created_at, position, keys });
        (entry, &mut self.undo)
    }
}

impl Call {
    /// Its events and its bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.drafts.len(), self.drafts.iter().map(Prepared::len).sum())
    }

    pub(in crate::log) fn refuse(self, reason: &str) {
        // The caller may have gone.
        let _ = self.answer.send(Err(unavailable(reason)));
    }
}
