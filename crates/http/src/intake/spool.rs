//! Where large bodies wait while they arrive: temporary files without a name, so that a killed
//! process leaves none behind. Files are read and written off the runtime's threads.

use super::hold::{BoundKind, ByteBound, Exhausted, Share};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read, Seek, Write},
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::Arc,
};
use tokio::task::spawn_blocking;

/// The prefix that `tempfile` gives to a file between making it and taking its name away, on a
/// file system that cannot make one without a name.
const NAMED_PREFIX: &[u8] = b".tmp";

/// The folder of temporary files.
#[derive(Clone, Debug)]
pub(super) struct SpoolDir {
    path: Arc<Path>,
    bound: ByteBound,
}

/// A body in its file, as far as it has come.
#[derive(Debug)]
pub(super) struct Spooled {
    file: File,
    share: Share,
    bytes: usize,
}

/// Why a body cannot be spooled: our fault or our limit, never the sender's.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpoolError {
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    #[error("the temporary file of a body failed: {0}")]
    File(#[from] io::Error),
    #[error("the temporary file of a body gave {found} bytes, expected {expected}")]
    Short { found: usize, expected: usize },
}

impl SpoolDir {
    /// Makes the folder when it is missing, and clears what a killed process left in it.
    pub(super) fn open(path: &Path, bytes_max: usize) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let named = entry.file_name().as_encoded_bytes().starts_with(NAMED_PREFIX);
            if named && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        // A folder that cannot be written to is better found at the start than by a sender.
        tempfile::tempfile_in(path)?;
        Ok(Self { path: path.into(), bound: ByteBound::new(BoundKind::Spool, bytes_max) })
    }

    /// A file with nothing in it yet.
    pub(super) async fn file(&self) -> Result<Spooled, SpoolError> {
        let path = Arc::clone(&self.path);
        let file = off_thread(move || tempfile::tempfile_in(path)).await?;
        Ok(Spooled { file, share: self.bound.share(), bytes: 0 })
    }
}

impl Spooled {
    /// Writes more of the body.
    pub(super) async fn append(self, part: Vec<u8>) -> Result<Self, SpoolError> {
        let Self { mut file, mut share, bytes } = self;
        share.grow(part.len())?;
        let bytes = bytes.saturating_add(part.len());
        let file = off_thread(move || file.write_all(&part).map(|()| file)).await?;
        Ok(Self { file, share, bytes })
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads the whole body back. The file is gone then.
    pub(super) async fn read_back(self) -> Result<Vec<u8>, SpoolError> {
        let Self { mut file, share, bytes: expected } = self;
        let body = off_thread(move || {
            let mut body = Vec::with_capacity(expected);
            file.rewind()?;
            file.read_to_end(&mut body).map(|_| body)
        })
        .await?;
        drop(share);
        if body.len() == expected {
            Ok(body)
        } else {
            Err(SpoolError::Short { found: body.len(), expected })
        }
    }
}

/// Runs what blocks on a thread for it. A request that is dropped meanwhile leaves the work to end
/// by itself; the file goes with it.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|ended| Err(io::Error::other(ended)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_spooled_comes_back_and_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = SpoolDir::open(folder.path(), 100).expect("opens");
        let file = spool.file().await.expect("a file");
        let file = file.append(b"one ".to_vec()).await.expect("fits");
        let file = file.append(b"two".to_vec()).await.expect("fits");
        assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 0);
        assert_eq!(file.read_back().await.expect("reads"), b"one two");
    }

    #[tokio::test]
    async fn files_are_bounded_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = SpoolDir::open(folder.path(), 10).expect("opens");
        let first = spool.file().await.expect("a file").append(vec![0; 6]).await.expect("fits");
        let second = spool.file().await.expect("a file").append(vec![0; 5]).await;
        assert!(matches!(second, Err(SpoolError::Exhausted(_))), "{second:?}");
        drop(first);
        spool.file().await.expect("a file").append(vec![0; 10]).await.expect("fits");
    }

    #[test]
    fn what_a_killed_process_left_is_cleared_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(".tmpAbC123"), "left over").expect("writes");
        fs::write(folder.path().join("notes"), "mine").expect("writes");
        fs::create_dir(folder.path().join(".tmpdir")).expect("makes");
        SpoolDir::open(folder.path(), 1).expect("opens");
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("reads")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".tmpdir", "notes"]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_at_the_start() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert!(SpoolDir::open(&file.path().join("spool"), 1).is_err());
    }
}
