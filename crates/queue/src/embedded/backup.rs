//! Copying a queue while it runs: state and log, so that they fit each other.
//!
//! The state is copied first and the log after it, up to where it is durable then: what the state
//! knows of an event was written after the event was durable, so the log's copy holds every event
//! that the state's copy speaks of. The index is derived and not copied.
//!
//! Segments are copied, newest first, and not linked: erasing an event overwrites it in place,
//! which must not reach a copy and leave another one as it was by where each happens to lie. When
//! retention takes the oldest away meanwhile, the copy begins after them, as the log itself does.

use super::Embedded;
use crate::{
    BackupError, BackupReport, Backups,
    log::{Log, LogError},
    private,
};
use headgate_event::{BoxFuture, Clock, ClockWatch, limits::BACKUP_COPY_BYTES};
use rusqlite::{Connection, OpenFlags};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Makes copies of a queue under one folder, named by their time, one at a time.
pub struct BackupFolder {
    queue: Arc<Embedded>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    /// Kept by the copying itself, which goes on when its caller has gone.
    turn: Arc<Mutex<()>>,
}

impl BackupFolder {
    /// Copies of this queue go under this folder, which is made when it is missing.
    #[must_use]
    pub fn new(queue: Arc<Embedded>, folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { queue, folder, clock, turn: Arc::default() }
    }
}

impl Backups for BackupFolder {
    fn back_up(&self) -> BoxFuture<'_, Result<BackupReport, BackupError>> {
        Box::pin(async {
            let turn = Arc::clone(&self.turn).try_lock_owned();
            let turn = turn.map_err(|_| BackupError::Running)?;
            let (to, folder) = (named(&self.folder, &*self.clock), self.folder.clone());
            let still = Arc::clone(&self.queue.removing).lock_owned().await;
            let copying = self.queue.copying(&to, still);
            off_the_runtime(move || {
                let _turn = turn;
                clear_left_over(&folder);
                copying()
            })
            .await
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
        let still = Arc::clone(&self.removing).lock_owned().await;
        off_the_runtime(self.copying(to, still)).await
    }

    /// The copying, while nothing is taken away: what goes between the two copies would be in
    /// neither, or in one in part. It keeps that lock itself, because its caller may go.
    fn copying(
        &self,
        to: &Path,
        still: OwnedMutexGuard<ClockWatch>,
    ) -> impl FnOnce() -> Result<BackupReport, BackupError> + use<> {
        let reading = self.parts();
        let (state, to) = (self.folder.join("headgate.db"), to.to_owned());
        move || {
            let _still = still;
            let newest = |head| reading.locate(head).ok().flatten().map(|located| located.id);
            let copied = copy(&state, &reading.log, &to)?;
            Ok(BackupReport { newest_event: newest(copied.head), ..copied.report })
        }
    }
}

/// Copies where that holds up no other task.
async fn off_the_runtime(
    copying: impl FnOnce() -> Result<BackupReport, BackupError> + Send + 'static,
) -> Result<BackupReport, BackupError> {
    let ended = tokio::task::spawn_blocking(copying).await;
    ended.map_err(|error| BackupError::Ended(error.to_string()))?
}

/// Removes what processes that were killed have left under this folder. Who still makes a copy has
/// its folder locked.
fn clear_left_over(under: &Path) {
    let Ok(listed) = fs::read_dir(under) else { return };
    for path in listed.filter_map(Result::ok).map(|entry| entry.path()) {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if !name.starts_with(NAME) || !name.ends_with(PARTIAL) {
            continue;
        }
        let free = File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok());
        let cleared = free.then(|| fs::remove_dir_all(&path));
        let folder = path.display();
        match cleared {
            Some(Ok(())) => tracing::info!(%folder, "removed a backup that was never finished"),
            Some(Err(error)) => tracing::warn!(%folder, %error, "cannot remove a left-over backup"),
            None => tracing::info!(%folder, "another process makes this backup"),
        }
    }
}

/// How the name of a copy begins.
const NAME: &str = "backup-";
/// How the name of one ends that is not whole.
const PARTIAL: &str = ".partial";

struct Copied {
    report: BackupReport,
    head: u64,
    /// Held until the copy has its name, so that nobody takes it for left over.
    locked: File,
}

/// The folder of a copy that is made at this moment.
fn named(folder: &Path, clock: &dyn Clock) -> PathBuf {
    folder.join(format!("{NAME}{}", clock.now().to_string().replace(':', "-")))
}

fn copy(state: &Path, log: &Log, to: &Path) -> Result<Copied, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists { path: to.to_owned() });
    }
    let mut partial = OsString::from(to);
    partial.push(PARTIAL);
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
    let Copied { report, head, locked } = copied?;
    Ok(Copied { report: BackupReport { folder: to.to_owned(), ..report }, head, locked })
}

fn copy_all(state: &Path, log: &Log, to: &Path) -> Result<Copied, BackupError> {
    let segments = to.join("log");
    for folder in [to, &segments] {
        // It holds bodies and keys, which are nobody else's to read.
        let made = private::folder().recursive(folder == to).create(folder);
        made.map_err(|e| failed("make", folder, e))?;
    }
    let locked = File::open(to).and_then(|folder| Ok(folder.try_lock().map(|()| folder)?));
    let locked = locked.map_err(|e| failed("lock", to, e))?;
    check_room(state, log, to)?;
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
    Ok(Copied {
        report: BackupReport { folder, newest_event, segments: copied, bytes },
        head,
        locked,
    })
}

/// Whether the disk takes the copy and still has what the log keeps free on its own: they may be
/// the same one, and no backup is worth a sender's 503.
fn check_room(state: &Path, log: &Log, to: &Path) -> Result<(), BackupError> {
    let failed = |source| failed("copy everything to", to, source);
    let bytes = fs::metadata(state).map_err(failed)?.len() + log.extents().values().sum::<u64>();
    let kept = log.disk_free_bytes_min();
    let room = rustix::fs::statvfs(to).map_err(|error| failed(error.into()))?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    if free >= bytes.saturating_add(kept) {
        return Ok(());
    }
    let reason = format!("expected {bytes} bytes free and {kept} to keep, found {free}");
    Err(failed(io::Error::new(io::ErrorKind::StorageFull, reason)))
}

/// Copies what is committed at one moment, and answers its length.
fn copy_state(from: &Path, to: &Path) -> Result<u64, BackupError> {
    let failed_at = |source| BackupError::State { path: to.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags).map_err(failed_at)?;
    let name = to.to_str().ok_or_else(|| failed_at(rusqlite::Error::InvalidPath(to.into())))?;
    // SQLite takes an empty file as it is.
    private::database(to).map_err(failed_at)?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed_at)?;
    sync(to)?;
    Ok(fs::metadata(to).map_err(|e| failed("measure", to, e))?.len())
}

fn copy_segment(log: &Log, segment: u64, end: u64, to: &Path) -> Result<(), BackupError> {
    let file = private::file().write(true).create_new(true).open(to);
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
