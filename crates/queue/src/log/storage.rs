//! The seam below the log: a folder of files that can be lost, torn and full.
//!
//! Everything the log knows of disks goes through it, so that tests can pull the plug.

mod disk;
#[cfg(test)]
pub(crate) mod simulated;

pub(crate) use disk::DiskStorage;

use std::{fmt, io, sync::Arc};

/// One folder.
pub(crate) trait Storage: Send + Sync + fmt::Debug {
    /// The names of its files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new, empty file; an error when there is one of that name.
    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;
    /// A file that is there, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;
    /// Takes a file away.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes durable which files there are.
    fn sync_folder(&self) -> io::Result<()>;
    /// How many bytes there is room for.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// One file, read and written at places.
pub(crate) trait StorageFile: Send + Sync + fmt::Debug {
    /// Its length in bytes.
    fn bytes(&self) -> io::Result<u64>;
    /// Fills the whole buffer from this offset on.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// Writes all of it from this offset on.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts it to this length.
    fn truncate(&self, bytes: u64) -> io::Result<()>;
    /// Makes its content and length durable. After an error nothing is known about either.
    fn sync(&self) -> io::Result<()>;
}
