//! What others see and do while a call of the writer takes long.

use super::{
    super::{super::writer::ByHand, *},
    run::read_from,
};
use crate::log::LogError;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the writer waits for, and nobody else.
pub(super) const DELAYED: [Ask; 5] =
    [Ask::Write, Ask::Sync, Ask::SyncFolder, Ask::Create, Ask::Rename];

/// How far the index has come meanwhile.
#[derive(Clone, Default)]
pub(super) struct Index(Arc<AtomicU64>);

impl Index {
    /// The newest event that it has, which had this one before.
    pub(super) fn has(&self, before: Seq) -> Seq {
        before.max(self.0.load(Ordering::SeqCst))
    }

    /// Another process begins.
    pub(super) fn forget(&self) {
        self.0.store(0, Ordering::SeqCst);
    }
}

type Found = dyn Fn(&SimulatedDisk) -> Result<(Log, ByHand), OpenError> + Send + Sync;

/// All but the writer.
pub(super) struct Others {
    pub(super) log: Log,
    pub(super) disk: SimulatedDisk,
    pub(super) index: Index,
    /// How far the index comes meanwhile, as far as there is anything.
    pub(super) upto: Seq,
    /// The log as a process finds it on a disk.
    pub(super) found: Box<Found>,
}

impl Others {
    /// Reads what is shown, lets the index follow, and looks whether a power cut at this moment
    /// would leave all that is shown.
    pub(super) fn look(&self) {
        if self.disk.is_off() {
            return;
        }
        let head = *self.log.head().borrow();
        let entries = self.log.committed(0, usize::MAX);
        assert!(entries.last().is_none_or(|last| last.seq == head), "what is shown is the head");
        for entry in &entries {
            match self.log.read(entry.position) {
                Ok(frame) => assert_eq!(frame.id, entry.id),
                Err(LogError::Io { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let upto = self.upto.min(head);
        self.log.indexed(upto);
        self.index.0.fetch_max(upto, Ordering::SeqCst);
        self.cut_power(head);
    }

    /// A power cut that takes all that is not synced takes nothing that is shown.
    fn cut_power(&self, head: Seq) {
        let left = self.disk.with_what_was_synced();
        let (log, _hand) = (self.found)(&left).expect("what is synced opens");
        let reads = read_from(&log, &mut log.place_before(0)).expect("it reads");
        assert!(reads.len() as u64 >= head, "{head} are shown, {} are synced", reads.len());
    }
}
