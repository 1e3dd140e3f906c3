//! The folder of an embedded queue, and its one owner.

use super::OpenError;
use crate::private;
use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

/// What the names of folders begin with in which a repair keeps what it changes.
pub(super) const DAMAGED: &str = "damaged-";

/// A folder that this process owns until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The operating system lets go of the lock when the process ends, however it ends.
    _lock: File,
}

impl Folder {
    /// Takes the folder, which is made when it is missing.
    pub(super) fn own(path: &Path) -> Result<Self, OpenError> {
        let failed = |action, source| OpenError::Folder { action, path: path.to_owned(), source };
        // Bodies and the installation's keys are nobody else's to read.
        make(path, &private::folder()).map_err(|error| failed("make", error))?;
        let mut lock = private::file()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .map_err(|error| failed("lock", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Who owns it is only said to help; the refusal stands without it.
                let _ = lock.read_to_string(&mut pid);
                let pid = pid.trim().parse().ok();
                return Err(OpenError::Owned { path: path.to_owned(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
        }
        write_pid(&mut lock).map_err(|error| failed("lock", error))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Takes the folder of a queue that is there already.
    pub(super) fn own_existing(path: &Path) -> Result<Self, OpenError> {
        Self::own_with(path, &["log"])
    }

    /// Takes the folder of a queue of which something is there.
    pub(super) fn own_damaged(path: &Path) -> Result<Self, OpenError> {
        Self::own_with(path, &["log", "headgate.db"])
    }

    fn own_with(path: &Path, names: &[&str]) -> Result<Self, OpenError> {
        if names.iter().any(|name| path.join(name).exists()) {
            return Self::own(path);
        }
        match fs::metadata(path.join("log")) {
            Ok(_) => Self::own(path),
            Err(source) => {
                let (action, path) = ("find a log in", path.to_owned());
                Err(OpenError::Folder { action, path, source })
            }
        }
    }

    /// Whether it has copies of what a repair has changed.
    pub(super) fn has_damaged_copies(&self) -> bool {
        let Ok(listed) = fs::read_dir(&self.path) else { return false };
        let mut names = listed.filter_map(Result::ok).map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with(DAMAGED))
    }

    /// The file or folder of this name in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes a folder and those above it that are missing, so that a power cut takes away none of
/// their names.
fn make(path: &Path, builder: &DirBuilder) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    make(above, &DirBuilder::new())?;
    match builder.create(path) {
        Err(error) if !path.is_dir() => return Err(error),
        _ => {}
    }
    File::open(above)?.sync_all()
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_a_repair_has_kept_is_seen() {
        let above = tempfile::tempdir().expect("a folder");
        let folder = Folder::own(above.path()).expect("owned");
        assert!(!folder.has_damaged_copies());
        fs::create_dir(folder.join("damaged-2026-11-21T00-00-00.000Z")).expect("made");
        assert!(folder.has_damaged_copies());
    }

    #[test]
    fn a_folder_that_is_made_is_its_owners_alone() {
        let above = tempfile::tempdir().expect("a folder");
        let path = above.path().join("new/data");
        drop(Folder::own(&path).expect("made"));
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
