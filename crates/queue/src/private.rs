//! Files and folders for their owner alone, because they hold what senders sent. What is there
//! already keeps the mode that it has: it may be an operator's choice.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// How a folder is made.
pub(crate) fn folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// How a file is made.
pub(crate) fn file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes an empty file where there is none, for SQLite: it takes one that it finds, and gives the
/// files beside it the same mode.
pub(crate) fn database(path: &Path) -> rusqlite::Result<()> {
    match file().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(cannot_open(&error)),
        _ => Ok(()),
    }
}

fn cannot_open(error: &io::Error) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
    rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
}
