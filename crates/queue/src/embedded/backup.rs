//! Copying a queue while it runs: state and log, so that they fit each other.
//!
//! The state is copied first and the log after it, up to where it is durable then: what the state
//! knows of an event was written after the event was durable, so the log's copy holds every event
//! that the state's copy speaks of. The index is derived and not copied.
//!
//! Segments are copied, newest first, and not linked: erasing an event overwrites it in place,
//! which must not reach a copy and leave another one as it was by where each happens to lie. When
//! retention takes the oldest away meanwhile, the copy begins after them, as the log itself does.

use super::{Embedded, read::Reading};
use crate::{
    BackupError, BackupReport, Backups,
    log::{Log, LogError},
};
use headgate_event::{BoxFuture, Clock, limits::BACKUP_COPY_BYTES};
use rusqlite::{Connection, OpenFlags};
use std::{
    ffi::OsString,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Mutex;

/// Makes copies of a queue under one folder, named by their time, one at a time.
pub struct BackupFolder {
    queue: Arc<Embedded>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    turn: Mutex<()>,
}

impl BackupFolder {
    /// Copies of this queue go under this folder, which is made when it is missing.
    #[must_use]
    pub fn new(queue: Arc<Embedded>, folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { queue, folder, clock, turn: Mutex::new(()) }
    }
}

impl Backups for BackupFolder {
    fn back_up(&self) -> BoxFuture<'_, Result<BackupReport, BackupError>> {
        Box::pin(async {
            let _turn = self.turn.try_lock().map_err(|_| BackupError::Running)?;
            let to = named(&self.folder, &*self.clock);
            self.queue.back_up(&to).await
        })
    }
}

impl fmt::Debug for BackupFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupFolder").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Copies state and log into a folder that is not there yet, while the queue goes on.
    pub async fn back_up(&self, to: &Path) -> Result<BackupReport, BackupError> {
        // What is taken away between the two copies would be in neither, or in one in part.
        let _one = self.removing.lock().await;
        let reading = Reading { log: self.log.clone(), index: Arc::clone(&self.index) };
        let (state, to) = (self.folder.join("headgate.db"), to.to_owned());
        let copying = move || {
            let newest = |head| reading.locate(head).ok().flatten().map(|located| located.id);
            let copied = copy(&state, &reading.log, &to)?;
            Ok(BackupReport { newest_event: newest(copied.head), ..copied.report })
        };
        let ended = tokio::task::spawn_blocking(copying).await;
        ended.map_err(|error| BackupError::Ended(error.to_string()))?
    }
}

struct Copied {
    report: BackupReport,
    head: u64,
}

/// The folder of a copy that is made at this moment.
fn named(folder: &Path, clock: &dyn Clock) -> PathBuf {
    folder.join(format!("backup-{}", clock.now().to_string().replace(':', "-")))
}

fn copy(state: &Path, log: &Log, to: &Path) -> Result<Copied, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists { path: to.to_owned() });
    }
    let mut partial = OsString::from(to);
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let copied = copy_all(state, log, &partial).and_then(|copied| {
        fs::rename(&partial, to).map_err(|e| failed("rename", &partial, e))?;
        sync(to.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new(".")))?;
        Ok(copied)
    });
    if copied.is_err() {
        // What is left is named `.partial`, so that nobody takes it for a copy.
        let _ = fs::remove_dir_all(&partial);
    }
    let Copied { report, head } = copied?;
    Ok(Copied { report: BackupReport { folder: to.to_owned(), ..report }, head })
}

fn copy_all(state: &Path, log: &Log, to: &Path) -> Result<Copied, BackupError> {
    let segments = to.join("log");
    for folder in [to, &segments] {
        // It holds bodies and keys, which are nobody else's to read.
        let made = DirBuilder::new().recursive(folder == to).mode(0o700).create(folder);
        made.map_err(|e| failed("make", folder, e))?;
    }
    let mut bytes = copy_state(state, &to.join("headgate.db"))?;
    let head = *log.head().borrow();
    let mut copied = 0;
    for (segment, end) in log.extents().into_iter().rev() {
        let name = Log::file_name(segment);
        match copy_segment(log, segment, end, &segments.join(&name)) {
            Ok(()) => {}
            // Retention has taken it, and all before it.
            Err(_) if log.first_seq() > segment => {
                let _ = fs::remove_file(segments.join(&name));
                break;
            }
            Err(error) => return Err(error),
        }
        bytes += end;
        copied += 1;
    }
    sync(&segments)?;
    sync(to)?;
    let (folder, newest_event) = (to.to_owned(), None);
    Ok(Copied { report: BackupReport { folder, newest_event, segments: copied, bytes }, head })
}

/// Copies what is committed at one moment, and answers its length.
fn copy_state(from: &Path, to: &Path) -> Result<u64, BackupError> {
    let failed_at = |source| BackupError::State { path: to.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags).map_err(failed_at)?;
    let name = to.to_str().ok_or_else(|| failed_at(rusqlite::Error::InvalidPath(to.into())))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed_at)?;
    sync(to)?;
    Ok(fs::metadata(to).map_err(|e| failed("measure", to, e))?.len())
}

fn copy_segment(log: &Log, segment: u64, end: u64, to: &Path) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(to);
    let mut file = file.map_err(|e| failed("make", to, e))?;
    let mut offset = 0;
    while offset < end {
        let length = (end - offset).min(BACKUP_COPY_BYTES);
        let part = log.bytes(segment, offset, length).map_err(|error| match error {
            LogError::Io { source, .. } => failed("copy the segment to", to, source),
            other => failed("copy the segment to", to, io::Error::other(other.to_string())),
        })?;
        file.write_all(&part).map_err(|e| failed("write", to, e))?;
        offset += length;
    }
    // One after the other, so that no single sync holds up those of the log for long.
    file.sync_all().map_err(|e| failed("sync", to, e))
}

fn sync(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| failed("sync", path, e))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> BackupError {
    BackupError::Io { action, path: path.to_owned(), source }
}
