//! A disk in memory that a test can tear, fill, break and pull the plug of.
//!
//! A write reaches the pages of the operating system, a sync the disk. At a power cut any of the
//! pages that were not synced have reached it, in any version, the last one perhaps in part; a
//! file may have any length that it had; which files there are is certain only after a sync of the
//! folder. A sync that fails leaves pages that count as clean. Calls can be made to fail or to take
//! long, the disk can be filled, bits can be turned. Apart from what it was told, it lies about
//! nothing, and all chance comes from one seed. It does not know about time: while a
//! call takes long, others do something.

mod dice;
mod file;
mod long;
mod pages;
mod trace;

pub(crate) use dice::Dice;
use long::Meanwhile;
pub(crate) use trace::Trace;

use super::{Storage, StorageFile};
use file::SimulatedFile;
use pages::{Content, Fate};
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, ErrorKind},
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

/// What a disk can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    List,
    Create,
    Open,
    Rename,
    Remove,
    Measure,
    Read,
    Write,
    Sync,
    Truncate,
    SyncFolder,
    Room,
}

/// The nth ask of a kind from now on, counted from 1, fails like this.
pub(crate) type Failures = Vec<(Ask, usize, ErrorKind)>;

/// How a process ends in the middle of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is killed: the pages of the operating system stay.
    Kill,
    /// With the power: only what the disk has stays.
    PowerCut,
}

/// One folder in memory; clones are the same folder.
#[derive(Clone)]
pub(crate) struct SimulatedDisk {
    shared: Arc<(Mutex<Disk>, Condvar)>,
}

#[derive(Clone)]
struct Disk {
    /// Which names there are, and which a power cut leaves for certain.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Names that came and went since the folder was synced.
    moves: Vec<(String, Option<usize>)>,
    files: Vec<Content>,
    /// The nth ask of a kind fails.
    failures: Failures,
    /// The nth ask of a kind takes long.
    delays: Vec<(Ask, usize, Meanwhile)>,
    /// How many did.
    delayed: u64,
    bytes_max: Option<usize>,
    syncs_held: bool,
    syncs_waiting: usize,
    writes: usize,
    calls: u64,
    cut_at: Option<(u64, End)>,
    /// The process was killed; every call fails from then on.
    killed: bool,
    /// What the power cut left; every call fails from then on.
    left: Option<BTreeMap<String, Vec<u8>>>,
    dice: Dice,
    trace: Trace,
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self::new(0)
    }
}

impl SimulatedDisk {
    /// An empty disk whose chance comes from this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(Dice::new(seed), Trace::default())
    }

    fn with(dice: Dice, trace: Trace) -> Self {
        let disk = Disk {
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            moves: Vec::new(),
            files: Vec::new(),
            failures: Vec::new(),
            delays: Vec::new(),
            delayed: 0,
            bytes_max: None,
            syncs_held: false,
            syncs_waiting: 0,
            writes: 0,
            calls: 0,
            cut_at: None,
            killed: false,
            left: None,
            dice,
            trace,
        };
        Self { shared: Arc::new((Mutex::new(disk), Condvar::new())) }
    }

    /// Makes the nth ask of a kind fail, counted from 1.
    pub(crate) fn fail(&self, ask: Ask, nth: usize, kind: ErrorKind) {
        self.disk().failures.push((ask, nth, kind));
    }

    /// Puts other failures in the place of those that have not come yet, and gives these.
    pub(crate) fn set_failures(&self, failures: Failures) -> Failures {
        std::mem::replace(&mut self.disk().failures, failures)
    }

    /// Takes back the failures that have not come yet.
    pub(crate) fn fail_no_more(&self) {
        self.disk().failures.clear();
    }

    /// Sets how many bytes the disk holds.
    pub(crate) fn hold_at_most(&self, bytes: Option<usize>) {
        self.disk().bytes_max = bytes;
    }

    /// The bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.disk().used()
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> usize {
        self.disk().writes
    }

    /// What it was asked so far.
    pub(crate) fn trace(&self) -> Trace {
        self.disk().trace.clone()
    }

    /// Lets every sync wait until it is released.
    pub(crate) fn hold_syncs(&self) {
        self.disk().syncs_held = true;
    }

    /// Waits until a sync waits.
    pub(crate) fn until_a_sync_waits(&self) {
        let held = |disk: &mut Disk| disk.syncs_waiting == 0;
        drop(self.shared.1.wait_while(self.disk(), held).expect("no test panics inside"));
    }

    pub(crate) fn release_syncs(&self) {
        self.disk().syncs_held = false;
        self.shared.1.notify_all();
    }

    /// The content of a file.
    pub(crate) fn bytes_of(&self, name: &str) -> Vec<u8> {
        let disk = self.disk();
        disk.files[disk.names[name]].seen().to_vec()
    }

    /// Puts a durable file there, whatever was there before.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let mut disk = self.disk();
        let file = disk.files.len();
        disk.files.push(Content::of(bytes));
        disk.names.insert(name.to_owned(), file);
        disk.durable_names.insert(name.to_owned(), file);
    }

    /// All files as a read sees them.
    pub(crate) fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = self.disk();
        let seen = |file: &usize| disk.files[*file].seen().to_vec();
        disk.names.iter().map(|(name, file)| (name.clone(), seen(file))).collect()
    }

    /// Turns one bit of a file at rest.
    pub(crate) fn flip(&self, name: &str, at: usize, bit: u32) {
        let mut disk = self.disk();
        let file = disk.names[name];
        disk.files[file].flip(at, bit);
    }

    /// Takes pages out of memory that count as clean, as an operating system may at any time.
    pub(crate) fn drop_caches(&self) {
        let disk = &mut *self.disk();
        disk.files.iter_mut().for_each(|file| file.drop_caches(&mut disk.dice));
    }

    /// Ends the process in the middle of the nth call from now on, whatever it is.
    pub(crate) fn end_at(&self, nth: u64, end: End) {
        let mut disk = self.disk();
        disk.cut_at = Some((disk.calls + nth.max(1), end));
    }

    /// Lets the process live.
    pub(crate) fn end_never(&self) {
        self.disk().cut_at = None;
    }

    /// Whether nothing was ordered to go wrong.
    pub(crate) fn is_well(&self) -> bool {
        let disk = self.disk();
        disk.cut_at.is_none() && disk.failures.is_empty() && disk.bytes_max.is_none()
    }

    /// Whether the process was ended.
    pub(crate) fn is_off(&self) -> bool {
        let disk = self.disk();
        disk.killed || disk.left.is_some()
    }

    /// Ends the process with the power, unless it has ended, and gives the disk as it is found
    /// afterwards.
    pub(crate) fn restarted(&self) -> Self {
        let mut disk = self.disk();
        if disk.killed {
            let delays = Vec::new();
            let after = Disk { killed: false, cut_at: None, delays, ..disk.clone() };
            return Self { shared: Arc::new((Mutex::new(after), Condvar::new())) };
        }
        disk.cut_power();
        let left = disk.left.clone().unwrap_or_default();
        let after = Self::with(disk.dice.clone(), disk.trace.clone());
        after.disk().bytes_max = disk.bytes_max;
        after.disk().delayed = disk.delayed;
        left.iter().for_each(|(name, bytes)| after.put(name, bytes));
        after
    }

    /// Another disk with what a power cut at this moment leaves when nothing that was not synced
    /// has reached the disk.
    pub(crate) fn with_what_was_synced(&self) -> Self {
        let disk = self.disk();
        let after = Self::default();
        for (name, file) in &disk.durable_names {
            after.put(name, &disk.files[*file].torn(&mut Dice::new(0), Fate::Lost, &[]));
        }
        after
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.shared.0.lock().expect("no test panics inside")
    }

    /// One call: it may fail, be noted, and be cut off by the power. `act` is told how to fail.
    fn call<T>(
        &self,
        ask: Ask,
        about: &str,
        act: impl FnOnce(&mut Disk, Option<ErrorKind>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut disk = self.disk();
        if disk.has_ended() {
            return Err(io::Error::other("the process has ended"));
        }
        disk.calls += 1;
        let calls = disk.calls;
        let end = disk.cut_at.filter(|(last, _)| *last == calls).map(|(_, end)| end);
        if let Some(end) = end
            && disk.dice.one_in(2)
        {
            return disk.end(end);
        }
        let delay = disk.delay(ask).map(|meanwhile| (meanwhile, disk.dice.one_in(2)));
        if let Some((meanwhile, true)) = &delay {
            disk = self.wait(disk, ask, meanwhile)?;
        }
        let failure = disk.failure(ask);
        let answer = act(&mut disk, failure);
        if let Some((meanwhile, false)) = &delay {
            disk = self.wait(disk, ask, meanwhile)?;
        }
        if let Some(end) = end {
            return disk.end(end);
        }
        disk.trace.note(ask, about, answer.as_ref().map(|_| ()));
        answer
    }
}

impl Disk {
    fn has_ended(&self) -> bool {
        self.killed || self.left.is_some()
    }

    fn failure(&mut self, ask: Ask) -> Option<ErrorKind> {
        let mut failed = None;
        self.failures.retain_mut(|(failing, nth, kind)| {
            if *failing != ask {
                return true;
            }
            *nth = nth.saturating_sub(1);
            if *nth == 0 {
                failed = Some(*kind);
            }
            *nth > 0
        });
        failed
    }

    fn used(&self) -> usize {
        self.names.values().map(|file| self.files[*file].seen().len()).sum()
    }

    fn room(&self) -> usize {
        self.bytes_max.map_or(usize::MAX, |most| most.saturating_sub(self.used()))
    }

    fn end<T>(&mut self, end: End) -> io::Result<T> {
        match end {
            End::Kill => {
                self.killed = true;
                self.trace.say("the process is killed".to_owned());
            }
            End::PowerCut => self.cut_power(),
        }
        Err(io::Error::other("the process has ended"))
    }

    /// Decides what is left of everything that was not synced.
    fn cut_power(&mut self) {
        if self.left.is_some() {
            return;
        }
        let mut names = self.durable_names.clone();
        for (name, file) in std::mem::take(&mut self.moves) {
            if self.dice.one_in(2) {
                match file {
                    Some(file) => names.insert(name, file),
                    None => names.remove(&name),
                };
            }
        }
        let mut left = BTreeMap::new();
        for (name, file) in names {
            let fate = match self.dice.below(6) {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => Fate::Mixed,
            };
            let stale = if self.dice.one_in(4) {
                let other = self.dice.below(self.files.len());
                self.files[other].seen().to_vec()
            } else {
                Vec::new()
            };
            left.insert(name, self.files[file].torn(&mut self.dice, fate, &stale));
        }
        let sizes: Vec<_> = left.iter().map(|(name, bytes)| (name, bytes.len())).collect();
        self.trace.say(format!("the power is cut and leaves {sizes:?}"));
        self.left = Some(left);
    }
}

impl Storage for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.call(Ask::List, "", |disk, failure| {
            failed(failure)?;
            Ok(disk.names.keys().cloned().collect())
        })
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.call(Ask::Create, name, |disk, failure| {
            failed(failure)?;
            if disk.names.contains_key(name) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            let file = disk.files.len();
            disk.files.push(Content::default());
            disk.names.insert(name.to_owned(), file);
            disk.moves.push((name.to_owned(), Some(file)));
            Ok(file)
        })?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), name: name.to_owned(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.call(Ask::Open, name, |disk, failure| {
            failed(failure)?;
            disk.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
        })?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), name: name.to_owned(), file }))
    }

    /// The name that came and the name that went are lost one without the other: not every file
    /// system has both in one transaction.
    fn rename(&self, name: &str, to: &str) -> io::Result<()> {
        self.call(Ask::Rename, &format!("{name} {to}"), |disk, failure| {
            if failure.is_some() && disk.dice.one_in(2) {
                return failed(failure);
            }
            let file = disk.names.remove(name).ok_or(ErrorKind::NotFound)?;
            disk.names.insert(to.to_owned(), file);
            disk.moves.push((to.to_owned(), Some(file)));
            disk.moves.push((name.to_owned(), None));
            failed(failure)
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call(Ask::Remove, name, |disk, failure| {
            failed(failure)?;
            disk.names.remove(name).ok_or(ErrorKind::NotFound)?;
            disk.moves.push((name.to_owned(), None));
            Ok(())
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.call(Ask::SyncFolder, "", |disk, failure| {
            failed(failure)?;
            disk.durable_names = disk.names.clone();
            disk.moves.clear();
            Ok(())
        })
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.call(Ask::Room, "", |disk, failure| {
            failed(failure)?;
            Ok(disk.room() as u64)
        })
    }
}

fn failed(failure: Option<ErrorKind>) -> io::Result<()> {
    failure.map_or(Ok(()), |kind| Err(kind.into()))
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedDisk").finish_non_exhaustive()
    }
}
