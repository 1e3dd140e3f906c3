//! The table, and the file that it is in: for its owner alone.

use crate::OpenError;
use rusqlite::{Connection, ErrorCode};
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// The version of the table, as `user_version`.
const VERSION: i64 = 2;
const NAME: &str = "quarantine.db";

/// `bytes` is what a rejection counts against the bounds. What is long stands last, so that a list
/// need not read past it. `AUTOINCREMENT`, because the id of one that left is never given again.
const TABLE: &str = "
CREATE TABLE rejection (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    received_ms INTEGER NOT NULL,
    channel     TEXT NOT NULL,
    source      TEXT NOT NULL,
    remote_ip   TEXT NOT NULL,
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,
    code        TEXT NOT NULL,
    cause       TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    body_bytes  INTEGER NOT NULL,
    target      TEXT NOT NULL,
    headers     BLOB NOT NULL,
    body        BLOB
) STRICT;
CREATE INDEX rejection_age ON rejection (received_ms);
";

/// What came with the second version. The index has all that a start reads of the rejections, so
/// that none of their pages is read then; `believed` has one row, the last time that was believed.
const SECOND: &str = "
DROP INDEX IF EXISTS rejection_share;
CREATE INDEX rejection_share ON rejection (channel, code, seq, bytes);
CREATE TABLE believed (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    believed_ms INTEGER NOT NULL
) STRICT;
";

/// Why a file is not taken.
enum Unfit {
    Newer(i64),
    Failed(rusqlite::Error),
}

/// Opens the file in this folder. One that is damaged is set aside.
pub(super) fn open(folder: &Path) -> Result<Connection, OpenError> {
    make_folder(folder)?;
    match connect(&folder.join(NAME)) {
        Err(Unfit::Failed(error)) if is_damage(&error) => begin_anew(folder, &error),
        opened => opened.map_err(|unfit| unfit.of(folder)),
    }
}

/// Sets the file aside, which is damaged and not open, and begins another one.
pub(super) fn begin_anew(folder: &Path, damage: &rusqlite::Error) -> Result<Connection, OpenError> {
    let path = folder.join(NAME);
    let aside = set_aside(&path)?;
    tracing::error!(
        file = %path.display(),
        aside = %aside.display(),
        error = %damage,
        "the quarantine is damaged: it begins anew, and the old file is set aside"
    );
    connect(&path).map_err(|unfit| unfit.of(folder))
}

impl Unfit {
    fn of(self, folder: &Path) -> OpenError {
        let path = folder.join(NAME);
        match self {
            Self::Newer(found) => OpenError::Version { path, found, expected: VERSION },
            Self::Failed(error) => OpenError::File { path, source: Box::new(error) },
        }
    }
}

fn connect(path: &Path) -> Result<Connection, Unfit> {
    let mut connection = make_file(path).and_then(|()| Connection::open(path))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > VERSION {
        return Err(Unfit::Newer(version));
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    // The whole file is not checked: that would take the longer the more it holds. Whoever meets
    // damage later begins it anew.
    if version < VERSION {
        let transaction = connection.transaction()?;
        if version == 0 {
            transaction.execute_batch(TABLE)?;
        }
        transaction.execute_batch(SECOND)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    Ok(connection)
}

/// SQLite gives the files beside it the mode that it has.
fn make_file(path: &Path) -> rusqlite::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
    })
}

fn make_folder(folder: &Path) -> Result<(), OpenError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| failed("make the folder", folder, source))
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Gives a damaged file a name under which nothing looks for it; an older one there makes way.
fn set_aside(path: &Path) -> Result<PathBuf, OpenError> {
    for suffix in ["-wal", "-shm"] {
        let beside = path.with_file_name(format!("{NAME}{suffix}"));
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &beside, error));
            }
            _ => {}
        }
    }
    let aside = path.with_file_name(format!("{NAME}.damaged"));
    fs::rename(path, &aside).map_err(|source| failed("set aside", path, source))?;
    Ok(aside)
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Folder { action, path: path.to_owned(), source }
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}
