//! What can go wrong with the log, and what the caller does about it.

use super::{Place, Prepared, format::file_name};
use crate::Seq;
use headgate_event::StoreError;
use std::io;

/// Why drafts were not stored. None of the call was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// The look into the index is too old to be sure that these are no duplicates: look again and
    /// call again, with the drafts as they were given.
    #[error("the index has moved on since it was looked into")]
    LookAgain(Vec<Prepared>),
    /// They cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a log cannot be opened. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Something that was durable is not as it was written.
    #[error("`{}` is damaged at offset {offset}: {reason}", file_name(*.segment))]
    Damaged {
        /// The first sequence of the segment.
        segment: Seq,
        /// The first byte of what cannot be read.
        offset: u64,
        /// What was expected and found.
        reason: String,
    },
    /// A segment between others is not there.
    #[error("`{}` is missing: `{}` continues it", file_name(*.segment), file_name(*.next))]
    Missing {
        /// The first sequence of the missing segment.
        segment: Seq,
        /// The segment that names it.
        next: Seq,
    },
    /// A later version of Headgate wrote it.
    #[error(
        "`{}` has format version {found}, expected at most {known}: \
         a later version of headgate wrote it",
        file_name(*.segment)
    )]
    Newer {
        /// The first sequence of the segment.
        segment: Seq,
        /// The version in the file.
        found: u32,
        /// The newest version that can be read.
        known: u32,
    },
    /// The index holds more than the log, so the end of the log is lost.
    #[error("the log ends at event {head}, but the index has seen event {indexed}")]
    Behind {
        /// The newest event of the log.
        head: Seq,
        /// The newest event of the index.
        indexed: Seq,
    },
    /// A file cannot be listed, read or cut.
    #[error("cannot {action} `{file}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        file: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What is stored beyond the index cannot be read.
    #[error("cannot read what is not indexed yet")]
    Read(#[from] LogError),
    /// The writer cannot start.
    #[error("cannot start the writer of the log")]
    Thread(#[source] io::Error),
}

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The bytes there are not the frame that was written.
    #[error("`{}` is damaged at offset {offset}: {reason}", file_name(*.segment))]
    Damaged {
        /// The first sequence of the segment.
        segment: Seq,
        /// Where the frame begins.
        offset: u64,
        /// What was expected and found.
        reason: String,
    },
    /// No durable frame can be there: the segment is gone or ends before it.
    #[error("`{}` holds nothing at offset {offset}", file_name(*.segment))]
    Outside {
        /// The first sequence of the segment.
        segment: Seq,
        /// The offset as asked.
        offset: u64,
    },
    /// The file cannot be read.
    #[error("cannot read `{}` at offset {offset}", file_name(*.segment))]
    Io {
        /// The first sequence of the segment.
        segment: Seq,
        /// Where reading began.
        offset: u64,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// Whether something that was durable is lost or not as it was written.
    pub(crate) fn is_damage(&self) -> bool {
        let read = |error: &LogError| !matches!(error, LogError::Io { .. });
        match self {
            Self::Damaged { .. } | Self::Missing { .. } | Self::Behind { .. } => true,
            Self::Read(error) => read(error),
            Self::Newer { .. } | Self::Io { .. } | Self::Thread(_) => false,
        }
    }

    pub(super) fn damaged(segment: Seq, offset: u64, reason: impl Into<String>) -> Self {
        Self::Damaged { segment, offset, reason: reason.into() }
    }
}

impl LogError {
    pub(super) fn damaged(at: Place, reason: impl Into<String>) -> Self {
        Self::Damaged { segment: at.segment, offset: at.offset, reason: reason.into() }
    }

    pub(super) fn outside(at: Place) -> Self {
        Self::Outside { segment: at.segment, offset: at.offset }
    }

    pub(super) fn io(at: Place, source: io::Error) -> Self {
        Self::Io { segment: at.segment, offset: at.offset, source }
    }
}
