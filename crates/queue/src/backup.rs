//! The seam between a running queue and whoever asks for a copy of it.

use headgate_event::{BoxFuture, EventId};
use schemars::JsonSchema;
use serde::Serialize;
use std::{io, path::PathBuf};

/// A copy of a queue that is whole, and durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BackupReport {
    /// Its folder.
    pub folder: PathBuf,
    /// The newest event in it; none when there is none.
    pub newest_event: Option<EventId>,
    /// The segments of its log.
    pub segments: u64,
    /// All its files together, in bytes.
    pub bytes: u64,
}

/// Why there is no copy. Nothing that looks like one is left behind.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another one is being made.
    #[error("another backup is being made")]
    Running,
    /// Something of that name is there.
    #[error("expected no `{}`, found one: a backup is a folder of its own", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be copied.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The state cannot be copied.
    #[error("cannot copy the state to `{}`", path.display())]
    State {
        /// The copy.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// The copying ended early.
    #[error("the backup ended early: {0}")]
    Ended(String),
}

/// Makes copies of a running queue, each in a folder of its own.
pub trait Backups: Send + Sync {
    /// Makes one.
    fn back_up(&self) -> BoxFuture<'_, Result<BackupReport, BackupError>>;
}
