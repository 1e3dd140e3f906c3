//! A file of the simulated disk: every call is one that the disk counts and may let fail.

use super::{Ask, Disk, SimulatedDisk, failed};
use crate::log::storage::StorageFile;
use std::{
    fmt,
    io::{self, ErrorKind},
};

/// An open file of the disk.
pub(super) struct SimulatedFile {
    pub(super) disk: SimulatedDisk,
    pub(super) name: String,
    /// Its place in [`Disk::files`].
    pub(super) file: usize,
}

impl StorageFile for SimulatedFile {
    fn bytes(&self) -> io::Result<u64> {
        self.disk.call(Ask::Measure, &self.name, |disk, failure| {
            failed(failure)?;
            Ok(disk.files[self.file].seen().len() as u64)
        })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).expect("an offset");
        let about = format!("{} {from}+{}", self.name, buffer.len());
        self.disk.call(Ask::Read, &about, |disk, failure| {
            failed(failure)?;
            let held = disk.files[self.file].seen().get(from..from + buffer.len());
            held.map(|held| buffer.copy_from_slice(held)).ok_or(ErrorKind::UnexpectedEof.into())
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).expect("an offset");
        let crc = crc32c::crc32c(bytes);
        let about = format!("{} {at}+{} {crc:08x}", self.name, bytes.len());
        self.disk.call(Ask::Write, &about, |disk, failure| {
            disk.writes += 1;
            let room = disk.room();
            let more = (at + bytes.len()).saturating_sub(disk.files[self.file].seen().len());
            let mut fits = bytes.len() - more.saturating_sub(room).min(bytes.len());
            if failure.is_some() {
                // It was interrupted after any part of it.
                fits = disk.dice.below(fits + 1);
            }
            disk.files[self.file].write(at, &bytes[..fits]);
            failed(failure)?;
            if fits == bytes.len() { Ok(()) } else { Err(ErrorKind::StorageFull.into()) }
        })
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let about = format!("{} {bytes}", self.name);
        self.disk.call(Ask::Truncate, &about, |disk, failure| {
            failed(failure)?;
            disk.files[self.file].truncate(usize::try_from(bytes).expect("a length"));
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let (disks, held) = &*self.disk.shared;
        let mut disk = disks.lock().expect("no test panics inside");
        disk.syncs_waiting += 1;
        held.notify_all();
        disk = held.wait_while(disk, |disk| disk.syncs_held).expect("no test panics inside");
        disk.syncs_waiting -= 1;
        drop(disk);
        self.disk.call(Ask::Sync, &self.name, |disk, failure| {
            let Disk { files, dice, .. } = disk;
            match failure {
                Some(_) => files[self.file].sync_failed(dice),
                None => files[self.file].sync(),
            }
            failed(failure)
        })
    }
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedFile").field("name", &self.name).finish_non_exhaustive()
    }
}
