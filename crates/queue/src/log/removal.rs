//! Taking events away: whole segments from the front, or the content of one event.
//!
//! Both are intents that the caller has kept elsewhere before, so that opening finishes what a
//! crash interrupts ([`Begun`]).

use super::{Erasure, Log, LogError, Message, Task, unavailable};
use crate::Seq;
use headgate_event::Timestamp;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What was begun to be taken away and may not be finished.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun {
    /// Segments that end before this event are removed.
    pub(crate) kept_from: Seq,
    /// Events to erase.
    pub(crate) erasures: Vec<Erasure>,
}

/// Why an event is not erased yet. It is read as erased all the same.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseError {
    /// The segment cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The writer cannot do it.
    #[error("{0}")]
    Writer(String),
}

impl Log {
    /// Begins another segment, so that the active one can be removed.
    pub(crate) async fn roll(&self) -> Result<(), String> {
        self.task(Task::Roll).await
    }

    /// Shows no event before this one any more.
    pub(crate) fn hide_before(&self, seq: Seq) {
        self.inner.shared.reader.hide_before(seq);
    }

    /// Removes the segments that end before this event; answers how many, and their bytes.
    pub(crate) fn remove_before(&self, seq: Seq) -> Result<(u64, u64), LogError> {
        self.inner.shared.reader.remove_before(seq)
    }

    /// What erasing this event would write.
    pub(crate) fn plan_erasure(
        &self,
        seq: Seq,
        position: super::Position,
        erased_at: Timestamp,
    ) -> Result<Erasure, LogError> {
        let reader = &self.inner.shared.reader;
        let frame = reader.read(position)?;
        let (batch, header) = reader.batch_of(position)?;
        let (digest, dedupe_window) = (frame.keys.dedupe_digest(), frame.keys.dedupe_window);
        let (id, created_at) = (frame.id, frame.created_at);
        Ok(Erasure {
            seq,
            id,
            created_at,
            erased_at,
            position,
            digest,
            dedupe_window,
            names: frame.keys.names.clone(),
            batch,
            header,
        })
    }

    /// Overwrites an event durably. From the call on it is read as erased, also when it fails.
    pub(crate) async fn erase(&self, erasure: Erasure) -> Result<(), EraseError> {
        let shared = Arc::clone(&self.inner.shared);
        let erasure = Arc::new(erasure);
        let frame = erasure.frame();
        shared.tail.erase(&frame);
        shared.reader.begin_erasing(&erasure, frame);
        let mine = Arc::clone(&erasure);
        let done = self.task(|answer| Task::Erase(mine, answer)).await;
        if !done.map_err(EraseError::Writer)? {
            let sealed = move || {
                shared.reader.erase_sealed(&erasure).map(|()| shared.reader.end_erasing(&erasure))
            };
            let ended = tokio::task::spawn_blocking(sealed).await;
            return Ok(ended.map_err(|error| EraseError::Writer(error.to_string()))??);
        }
        shared.reader.end_erasing(&erasure);
        Ok(())
    }

    async fn task<T>(
        &self,
        task: impl FnOnce(oneshot::Sender<Result<T, String>>) -> Task,
    ) -> Result<T, String> {
        let closed = || unavailable("the log is closed").to_string();
        let calls = self.inner.calls.as_ref().ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        calls.send(Message::Task(task(answer))).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}
