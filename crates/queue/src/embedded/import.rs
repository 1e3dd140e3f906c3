//! Taking exported events in, under the ids that they have.

use super::Embedded;
use crate::{
    OpenError, Queue, QueueError,
    log::{AppendError, Prepared},
    transfer::{CheckedFile, FileError, Imported},
};
use headgate_event::{
    Clock, EventId,
    limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX},
};
use std::{mem, path::Path, sync::Arc};

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Events that were stored.
    pub imported: u64,
    /// Events at the beginning of the file that were stored before.
    pub known: u64,
}

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder cannot be opened. Nothing was imported.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file and the folder do not fit. Nothing was imported.
    #[error(transparent)]
    File(#[from] FileError),
    /// An event that is stored cannot be read, so that it is not known whether it is in the file.
    #[error("cannot compare what is stored with the file")]
    Queue(#[from] QueueError),
    /// Storing failed on the way: run it again, what is stored is passed over then.
    #[error("{imported} events were imported, then: {reason}; run it again to go on")]
    Store {
        /// Events that are stored.
        imported: u64,
        /// Why no more are.
        reason: String,
    },
}

/// What is read and not stored yet.
#[derive(Default)]
struct Waiting {
    drafts: Vec<Prepared>,
    bytes: usize,
}

impl Embedded {
    /// Stores the events of a file in this folder, which is made when it is missing: with their
    /// ids, their order, their times and the exact bytes that came.
    ///
    /// Events that the folder has already are passed over when the file begins with them; every
    /// other one must come after all that the folder has.
    pub async fn import(
        folder: &Path,
        file: &CheckedFile,
        clock: Arc<dyn Clock>,
    ) -> Result<ImportReport, ImportError> {
        let queue = Self::open(folder, clock, super::EmbeddedOptions::default())?;
        let ended = queue.take_in(file).await;
        queue.close().await;
        ended
    }

    async fn take_in(&self, file: &CheckedFile) -> Result<ImportReport, ImportError> {
        let newest = self.log.last_id();
        let (mut report, mut waiting) = (ImportReport::default(), Waiting::default());
        let mut lines = file.lines()?;
        while let Some(one) = lines.next().map_err(|error| changed(report, error))? {
            if one.event.id() <= newest {
                self.compare(file, &one, newest).await?;
                report.known += 1;
                continue;
            }
            let failed = |error: String| stopped(report, error);
            let prepared = Prepared::new(&one.draft).map_err(|error| failed(error.to_string()))?;
            waiting.bytes += prepared.len();
            waiting.drafts.push(prepared.under(one.event.id()));
            if waiting.drafts.len() >= BATCH_EVENTS_MAX || waiting.bytes >= BATCH_BYTES_MAX {
                self.store_all(&mut waiting, &mut report).await?;
            }
        }
        self.store_all(&mut waiting, &mut report).await?;
        Ok(report)
    }

    /// Whether an event that is not newer than what is stored is stored as it is in the file.
    async fn compare(
        &self,
        file: &CheckedFile,
        one: &Imported,
        newest: EventId,
    ) -> Result<(), ImportError> {
        let id = one.event.id();
        let found = match self.event(id).await {
            // It was erased since the file was made, and stays so.
            Err(QueueError::Erased { .. }) => return Ok(()),
            found => found?,
        };
        let Some(stored) = found else {
            let reason = format!(
                "expected events after `{newest}`, the newest of the folder, found `{id}`: import \
                 into an empty folder"
            );
            return Err(file.wrong(one.line, reason).into());
        };
        if stored.event == one.event && stored.raw == one.draft.raw {
            return Ok(());
        }
        let reason = format!("event `{id}` is stored with other content");
        Err(file.wrong(one.line, reason).into())
    }

    async fn store_all(
        &self,
        waiting: &mut Waiting,
        report: &mut ImportReport,
    ) -> Result<(), ImportError> {
        let Waiting { drafts, .. } = mem::take(waiting);
        let events = drafts.len() as u64;
        // Their ids say that they are no repeats, so no look into the index is too old.
        match self.log.append(drafts, u64::MAX).await {
            Ok(_) => report.imported += events,
            Err(AppendError::Store(error)) => return Err(stopped(*report, error.to_string())),
            Err(error @ AppendError::LookAgain(_)) => {
                return Err(stopped(*report, error.to_string()));
            }
        }
        Ok(())
    }
}

/// The file was whole when it was checked, so somebody has changed it since.
fn changed(report: ImportReport, error: FileError) -> ImportError {
    match report.imported {
        0 => error.into(),
        _ => stopped(report, format!("the file was changed meanwhile: {error}")),
    }
}

fn stopped(report: ImportReport, reason: String) -> ImportError {
    ImportError::Store { imported: report.imported, reason }
}
