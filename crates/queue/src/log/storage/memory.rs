//! A disk in memory that a test can tear, fill, break and pull the plug of.
//!
//! It forgets what was not synced, as a disk does; it does not know about time.

use super::{Storage, StorageFile};
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, ErrorKind},
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

/// The length of what a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// What a disk can be asked that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) enum Ask {
    Create,
    Read,
    Write,
    Sync,
    Truncate,
    SyncFolder,
}

/// One folder in memory; clones are the same folder.
#[derive(Clone, Default)]
pub(in crate::log) struct MemoryStorage {
    shared: Arc<(Mutex<Disk>, Condvar)>,
}

#[derive(Clone, Default)]
struct Disk {
    /// Which names there are, and which a power cut leaves.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    files: Vec<Content>,
    /// The nth ask of a kind fails.
    failure: Option<(Ask, usize, ErrorKind)>,
    bytes_max: Option<usize>,
    syncs_held: bool,
    syncs_waiting: usize,
    writes: usize,
}

#[derive(Clone, Default)]
struct Content {
    /// What a read sees.
    seen: Vec<u8>,
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// What a power cut may leave, or not, or in part.
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl MemoryStorage {
    /// Makes the nth ask of a kind fail, counted from 1.
    pub(in crate::log) fn fail(&self, ask: Ask, nth: usize, kind: ErrorKind) {
        self.disk().failure = Some((ask, nth, kind));
    }

    /// Sets how many bytes the disk holds.
    pub(in crate::log) fn hold_at_most(&self, bytes: Option<usize>) {
        self.disk().bytes_max = bytes;
    }

    /// The bytes in use.
    pub(in crate::log) fn used(&self) -> usize {
        let disk = self.disk();
        disk.names.values().map(|file| disk.files[*file].seen.len()).sum()
    }

    /// How many writes there were.
    pub(in crate::log) fn writes(&self) -> usize {
        self.disk().writes
    }

    /// Lets every sync wait until it is released.
    pub(in crate::log) fn hold_syncs(&self) {
        self.disk().syncs_held = true;
    }

    /// Waits until a sync waits.
    pub(in crate::log) fn until_a_sync_waits(&self) {
        let held = |disk: &mut Disk| disk.syncs_waiting == 0;
        drop(self.shared.1.wait_while(self.disk(), held).expect("no test panics inside"));
    }

    pub(in crate::log) fn release_syncs(&self) {
        self.disk().syncs_held = false;
        self.shared.1.notify_all();
    }

    /// The content of a file.
    pub(in crate::log) fn bytes_of(&self, name: &str) -> Vec<u8> {
        let disk = self.disk();
        disk.files[disk.names[name]].seen.clone()
    }

    /// Puts a durable file there, whatever was there before.
    pub(in crate::log) fn put(&self, name: &str, bytes: &[u8]) {
        let mut disk = self.disk();
        let file = disk.files.len();
        let (seen, durable) = (bytes.to_vec(), bytes.to_vec());
        disk.files.push(Content { seen, durable, pending: Vec::new() });
        disk.names.insert(name.to_owned(), file);
        disk.durable_names.insert(name.to_owned(), file);
    }

    /// All files as a read sees them.
    pub(in crate::log) fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = self.disk();
        disk.names.iter().map(|(name, at)| (name.clone(), disk.files[*at].seen.clone())).collect()
    }

    /// Another disk with what a power cut at this moment leaves. `dice` decides what becomes of
    /// everything that was not synced.
    pub(in crate::log) fn after_power_cut(&self, mut dice: impl FnMut(u32) -> u32) -> Self {
        let disk = self.disk().clone();
        let mut names = disk.durable_names.clone();
        for (name, file) in &disk.names {
            if dice(2) == 0 {
                names.insert(name.clone(), *file);
            }
        }
        names.retain(|name, _| disk.names.contains_key(name) || dice(2) == 0);
        let after = Self::default();
        for (name, file) in &names {
            after.put(name, &disk.files[*file].torn(&mut dice));
        }
        after
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.shared.0.lock().expect("no test panics inside")
    }
}

impl Disk {
    fn ask(&mut self, ask: Ask) -> io::Result<()> {
        match &mut self.failure {
            Some((failing, nth, kind)) if *failing == ask => {
                *nth -= 1;
                if *nth > 0 {
                    return Ok(());
                }
                let error = io::Error::from(*kind);
                self.failure = None;
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

impl Content {
    /// What is left when the changes that were not synced are lost, whole or in part.
    fn torn(&self, dice: &mut impl FnMut(u32) -> u32) -> Vec<u8> {
        let mut left = self.durable.clone();
        for change in &self.pending {
            match (change, dice(4)) {
                (_, 0) => {}
                (Change::Truncate(bytes), _) => left.resize(*bytes, 0),
                (Change::Write(at, bytes), 1) => write(&mut left, *at, bytes),
                // The new length without all of the content: zeros or what was there before.
                (Change::Write(at, bytes), 2) => {
                    left.resize(left.len().max(at + bytes.len()), 0);
                    for (nth, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                        if dice(2) == 0 {
                            write(&mut left, at + nth * SECTOR_BYTES, sector);
                        }
                    }
                }
                (Change::Write(at, bytes), _) => {
                    let most = u32::try_from(bytes.len()).expect("tests write little") + 1;
                    let kept = usize::try_from(dice(most)).expect("a length");
                    write(&mut left, *at, &bytes[..kept]);
                }
            }
        }
        left
    }
}

fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    content.resize(content.len().max(at + bytes.len()), 0);
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Storage for MemoryStorage {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.disk().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let mut disk = self.disk();
        disk.ask(Ask::Create)?;
        if disk.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = disk.files.len();
        disk.files.push(Content::default());
        disk.names.insert(name.to_owned(), file);
        Ok(Arc::new(MemoryFile { storage: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let file = *self.disk().names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(Arc::new(MemoryFile { storage: self.clone(), file }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk().names.remove(name).map(|_| ()).ok_or(ErrorKind::NotFound.into())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.ask(Ask::SyncFolder)?;
        disk.durable_names = disk.names.clone();
        Ok(())
    }
}

struct MemoryFile {
    storage: MemoryStorage,
    file: usize,
}

impl MemoryFile {
    fn with<T>(&self, ask: Ask, act: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        let mut disk = self.storage.disk();
        disk.ask(ask)?;
        Ok(act(&mut disk.files[self.file]))
    }
}

impl StorageFile for MemoryFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.storage.disk().files[self.file].seen.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).expect("an offset");
        self.with(Ask::Read, |content| {
            let held = content.seen.get(from..from + buffer.len());
            held.map(|held| buffer.copy_from_slice(held)).ok_or(ErrorKind::UnexpectedEof.into())
        })?
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).expect("an offset");
        let used = self.storage.used();
        let room = self.storage.disk().bytes_max.map_or(usize::MAX, |most| most - used.min(most));
        self.storage.disk().writes += 1;
        self.with(Ask::Write, |content| {
            let more = (at + bytes.len()).saturating_sub(content.seen.len());
            let fits = bytes.len() - more.saturating_sub(room);
            write(&mut content.seen, at, &bytes[..fits]);
            content.pending.push(Change::Write(at, bytes[..fits].to_vec()));
            if fits == bytes.len() { Ok(()) } else { Err(ErrorKind::StorageFull.into()) }
        })?
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let bytes = usize::try_from(bytes).expect("a length");
        self.with(Ask::Truncate, |content| {
            content.seen.resize(bytes, 0);
            content.pending.push(Change::Truncate(bytes));
        })
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.storage.disk();
        disk.syncs_waiting += 1;
        self.storage.shared.1.notify_all();
        let held = |disk: &mut Disk| disk.syncs_held;
        disk = self.storage.shared.1.wait_while(disk, held).expect("no test panics inside");
        disk.syncs_waiting -= 1;
        let asked = disk.ask(Ask::Sync);
        let content = &mut disk.files[self.file];
        // After an error pages count as clean: a read sees them, the disk does not have them, and
        // the next sync says that all is well.
        let pending = std::mem::take(&mut content.pending);
        asked?;
        for change in pending {
            match change {
                Change::Truncate(bytes) => content.durable.resize(bytes, 0),
                Change::Write(at, bytes) => write(&mut content.durable, at, &bytes),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage").finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFile").field("file", &self.file).finish_non_exhaustive()
    }
}
