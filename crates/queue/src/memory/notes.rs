//! The values that sources keep, in memory.

use super::Memory;
use crate::{KeptNote, QueueError, SourceNote, SourceNotes};
use headgate_event::BoxFuture;

impl SourceNotes for Memory {
    fn notes(&self, kind: &'static str) -> BoxFuture<'_, Result<Vec<KeptNote>, QueueError>> {
        Box::pin(async move {
            let inner = self.open()?;
            let kept = inner.notes.iter().filter(|((of, _), _)| *of == kind);
            Ok(kept.map(|((_, key), value)| (key.clone(), value.clone())).collect())
        })
    }

    fn keep_notes(&self, notes: Vec<SourceNote>) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let mut inner = self.open()?;
            for SourceNote { kind, key, value } in notes {
                match value {
                    Some(value) => inner.notes.insert((kind, key), value),
                    None => inner.notes.remove(&(kind, key)),
                };
            }
            Ok(())
        })
    }
}
