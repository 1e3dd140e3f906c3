//! Calls that take long: others do something before or after what was asked is done, and before it
//! is answered.

use super::{Ask, Disk, SimulatedDisk};
use std::{
    io,
    sync::{Arc, MutexGuard},
};

/// What happens while a call takes long.
pub(crate) type Meanwhile = Arc<dyn Fn() + Send + Sync>;

impl SimulatedDisk {
    /// Makes the nth ask of a kind take long, counted from 1: this happens meanwhile, before or
    /// after what is asked is done.
    pub(crate) fn delay(&self, ask: Ask, nth: usize, meanwhile: Meanwhile) {
        self.disk().delays.push((ask, nth, meanwhile));
    }

    /// Lets no call take long any more.
    pub(crate) fn delay_no_more(&self) {
        self.disk().delays.clear();
    }

    /// How many calls took long.
    pub(crate) fn delayed(&self) -> u64 {
        self.disk().delayed
    }

    /// Lets others do something, and gives the disk as it is then.
    pub(super) fn wait<'a>(
        &'a self,
        mut disk: MutexGuard<'a, Disk>,
        ask: Ask,
        meanwhile: &Meanwhile,
    ) -> io::Result<MutexGuard<'a, Disk>> {
        disk.delayed += 1;
        disk.trace.say(format!("{ask:?} takes long"));
        drop(disk);
        meanwhile();
        let disk = self.disk();
        if disk.has_ended() { Err(io::Error::other("the process has ended")) } else { Ok(disk) }
    }
}

impl Disk {
    /// What happens meanwhile, when this ask takes long.
    pub(super) fn delay(&mut self, ask: Ask) -> Option<Meanwhile> {
        let mut delayed = None;
        self.delays.retain_mut(|(long, nth, meanwhile)| {
            if *long != ask {
                return true;
            }
            *nth = nth.saturating_sub(1);
            if *nth == 0 {
                delayed = Some(Arc::clone(meanwhile));
            }
            *nth > 0
        });
        delayed
    }
}
