//! The folder of an embedded queue, and its one owner.

use super::OpenError;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

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
        fs::create_dir_all(path).map_err(|error| failed("make", error))?;
        let mut lock = OpenOptions::new()
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
        match fs::metadata(path.join("log")) {
            Ok(_) => Self::own(path),
            Err(source) => {
                let (action, path) = ("find a log in", path.to_owned());
                Err(OpenError::Folder { action, path, source })
            }
        }
    }

    /// The file or folder of this name in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}
