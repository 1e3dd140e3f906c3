//! Why a folder cannot be opened as a queue.

use super::index::is_damage;
use crate::{Seq, log};
use std::{io, path::PathBuf};

/// Why a folder cannot be opened as a queue. Nothing that was stored has been changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "`{}` belongs to another running headgate{}",
        path.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Owned {
        /// The folder.
        path: PathBuf,
        /// The process that has it, when that could be read.
        pid: Option<u32>,
    },
    /// The folder cannot be used.
    #[error("cannot {action} the folder `{}`", path.display())]
    Folder {
        /// What was tried.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The log cannot be opened. The cause names segment and offset.
    #[error("cannot open the log in `{}`", path.display())]
    Log {
        /// The folder of the log.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Events that were durable are missing at the end of the log.
    #[error(
        "the log in `{}` ends at event {head}, but event {seen} was seen: what lies between is \
         lost",
        path.display()
    )]
    LostEnd {
        /// The folder of the log.
        path: PathBuf,
        /// The newest event that the log holds.
        head: Seq,
        /// The newest event that the index or a subscription has seen.
        seen: Seq,
    },
    /// The state is not there, and the log has events.
    #[error(
        "`{}` is missing or empty, but the log beside it has events: what subscriptions had \
         settled is lost",
        path.display()
    )]
    LostState {
        /// The file.
        path: PathBuf,
    },
    /// The state cannot be read or made.
    #[error("cannot open the state in `{}`", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// The state is of a later version.
    #[error(
        "`{}` has version {found}, expected at most {known}: a later headgate has written it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// The index cannot be opened or made.
    #[error(
        "cannot open or make the index in `{}` (nothing is lost: mend the cause and start again)",
        path.display()
    )]
    Index {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// The operating system gives no random bytes.
    #[error("cannot make a random number")]
    Random(#[source] io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

impl OpenError {
    /// Whether something that was durable is lost or not as it was written: a repair says what,
    /// and what can be done about it.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::LostEnd { .. } | Self::LostState { .. } => true,
            Self::State { source, .. } => is_damage(source),
            Self::Log { source, .. } => {
                source.downcast_ref().is_some_and(log::OpenError::is_damage)
            }
            _ => false,
        }
    }

    /// The log in this folder cannot be opened.
    pub(super) fn log(path: PathBuf, source: log::OpenError) -> Self {
        match source {
            log::OpenError::Behind { head, indexed } => Self::LostEnd { path, head, seen: indexed },
            source => Self::Log { path, source: Box::new(source) },
        }
    }
}
