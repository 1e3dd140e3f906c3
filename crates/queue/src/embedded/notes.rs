//! Keeping what sources need to know again after a restart.

use super::{Embedded, committer::Call, state};
use crate::{KeptNote, QueueError, SourceNote, SourceNotes};
use headgate_event::BoxFuture;

impl SourceNotes for Embedded {
    fn notes(&self, kind: &'static str) -> BoxFuture<'_, Result<Vec<KeptNote>, QueueError>> {
        let path = self.folder.join("headgate.db");
        Box::pin(self.reading(move |_| {
            let failed =
                |error| QueueError::unavailable(format!("the state cannot be read: {error}"));
            state::notes(&path, kind).map_err(failed)
        }))
    }

    fn keep_notes(&self, notes: Vec<SourceNote>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(self.committer.call(|answer| Call::Note { notes, answer }))
    }
}
