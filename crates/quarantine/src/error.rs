//! Why the quarantine cannot be opened or asked.

use std::{io, path::PathBuf};

/// Why the quarantine cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder or file cannot be made.
    #[error("cannot {action} `{}`", path.display())]
    Folder {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Its file cannot be read, and is not damaged either.
    #[error("cannot open the quarantine `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A later version of the program made it.
    #[error(
        "the quarantine `{}` is of version {found}, expected at most {expected}: a later headgate \
         made it",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The last version that is known.
        expected: i64,
    },
}

/// Why the quarantine cannot be asked. It may pass, or an operator has to mend it.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The file could not be read or written.
    #[error("the file of the quarantine failed")]
    File(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The work ended before it was done.
    #[error("the quarantine is closed")]
    Closed,
}

impl From<rusqlite::Error> for QuarantineError {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(Box::new(error))
    }
}
