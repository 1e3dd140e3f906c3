//! Opening the folder, and closing it: what is read, what is compared, what is started.

use super::{
    Embedded, EmbeddedOptions, OpenError,
    at_hand::Finders,
    committer::{Committer, Known},
    folder::Folder,
    follower::{self, CatchUpError, Follower},
    index::IndexWriter,
    lanes::{self, Lanes},
    random,
    read::Reading,
    registry::Registry,
    room::RoomWatch,
    shelf::Shelf,
    state::State,
};
use crate::{
    Seq,
    log::{self, Begun, DiskStorage, Erasure, Log, LogOptions, Storage},
};
use headgate_event::{
    Clock, ClockWatch, EventId, Moment,
    limits::{DISK_FREE_BYTES_MIN, SEGMENT_BYTES_MAX},
    prompt::PromptKey,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Mutex;

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            segment_bytes_max: SEGMENT_BYTES_MAX,
            disk_free_bytes_min: DISK_FREE_BYTES_MIN,
            accept_lost_end: false,
        }
    }
}

impl Embedded {
    /// Opens the queue in this folder, which is made when it is missing.
    ///
    /// An index that is missing or cannot be read is made again from the log, which takes a while
    /// when there are many events.
    pub fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        options: EmbeddedOptions,
    ) -> Result<Self, OpenError> {
        Self::open_owned(Folder::own(folder)?, clock, options)
    }

    /// Opens the queue in this folder, which has to be there.
    pub fn open_existing(
        folder: &Path,
        clock: Arc<dyn Clock>,
        options: EmbeddedOptions,
    ) -> Result<Self, OpenError> {
        Self::open_owned(Folder::own_existing(folder)?, clock, options)
    }

    fn open_owned(
        folder: Folder,
        clock: Arc<dyn Clock>,
        options: EmbeddedOptions,
    ) -> Result<Self, OpenError> {
        let storage = storage(&folder)?;
        Self::open_on(storage, folder, clock, options)
    }

    /// The same with the log in this storage.
    pub(super) fn open_on(
        storage: Arc<dyn Storage>,
        folder: Folder,
        clock: Arc<dyn Clock>,
        options: EmbeddedOptions,
    ) -> Result<Self, OpenError> {
        let state_path = folder.join("headgate.db");
        if !State::is_begun(&state_path) && holds_events(&*storage, &folder)? {
            return Err(OpenError::LostState { path: state_path });
        }
        let mut state = State::open(&state_path)?;
        let state_failed = |source| OpenError::State { path: state_path.clone(), source };
        let key = state.key("prompt").map_err(state_failed)?;
        let begun = Begun::read(&state).map_err(state_failed)?;
        let erasures = begun.erasures.clone();
        let (log, mut writer) = open_log(storage, &folder, &clock, options, begun)?;
        let head = *log.head().borrow();
        if let Some(seen) = state.seen_after(head).map_err(state_failed)? {
            if !options.accept_lost_end {
                return Err(OpenError::LostEnd { path: folder.join("log"), head, seen });
            }
            state.cut_back(head).map_err(state_failed)?;
        }
        finish_erasures(&mut state, &mut writer, &erasures).map_err(state_failed)?;
        let index = Arc::clone(writer.index());
        let reading = Reading { log: log.clone(), index: Arc::clone(&index) };
        state.name_letters(|seq| reading.id_of(seq)).map_err(state_failed)?;
        let registry = Arc::new(Registry::load(state.subscriptions().map_err(state_failed)?, head));
        let believed = state.believed().map_err(state_failed)?;
        let newest = reading.id_of(head).map(EventId::time);
        let watch = ClockWatch::new(Moment::of(&*clock), believed, newest);
        let lanes = Arc::new(Lanes::default());
        run_replays(&state, &registry, &lanes, head).map_err(state_failed)?;
        let seed = random::number().map_err(OpenError::Random)?;
        let known = Known { registry: Arc::clone(&registry), lanes: Arc::clone(&lanes) };
        let committer = Committer::start(state, known, reading, seed).map_err(OpenError::Thread)?;
        let committer = Arc::new(committer);
        let follower = Follower::start(log.clone(), writer, Arc::clone(&committer));
        let follower = Arc::new(follower.map_err(OpenError::Thread)?);
        let room = RoomWatch::start(log.clone()).map_err(OpenError::Thread)?;
        let prompt_key = PromptKey::new(key);
        Ok(Self {
            clock,
            log,
            index,
            registry,
            lanes,
            committer,
            follower,
            shelf: Arc::new(Shelf::default()),
            finders: Finders::default(),
            removing: Arc::new(Mutex::new(watch)),
            _room: room,
            prompt_key,
            folder,
        })
    }

    /// Finishes what was begun, each after what it rests on.
    pub(super) async fn shut(&self) {
        self.log.close().await;
        let (follower, committer) = (Arc::clone(&self.follower), Arc::clone(&self.committer));
        let index = Arc::clone(&self.index);
        // They write what is left, which may take a while.
        let stopped = tokio::task::spawn_blocking(move || {
            follower.stop();
            committer.stop();
            index.close();
        });
        if stopped.await.is_err() {
            tracing::error!("the writers of state and index did not end as they should");
        }
        for subscriber in self.registry.all() {
            subscriber.wake();
        }
    }
}

/// Takes up the replays that were running.
fn run_replays(
    state: &State,
    registry: &Registry,
    lanes: &Lanes,
    head: Seq,
) -> rusqlite::Result<()> {
    for (generation, ended) in state.ended_replays()? {
        lanes.end(generation, ended);
    }
    for (row, kept) in state.running_replays()? {
        let to = registry.all().into_iter().find(|known| known.generation() == row.of);
        if let Some(to) = to {
            lanes.begin(lanes::subscriber(&to, &row, kept, head));
        }
    }
    Ok(())
}

/// The folder of the log.
pub(super) fn storage(folder: &Folder) -> Result<Arc<dyn Storage>, OpenError> {
    let path = folder.join("log");
    match DiskStorage::new(&path) {
        Ok(storage) => Ok(Arc::new(storage)),
        Err(source) => Err(OpenError::Folder { action: "open", path, source }),
    }
}

/// Whether the log has more than its begin. The state is made before it, so that there is one when
/// it has.
fn holds_events(storage: &dyn Storage, folder: &Folder) -> Result<bool, OpenError> {
    log::holds_events(storage).map_err(|error| OpenError::log(folder.join("log"), error))
}

/// Opens the log, and the index so that it and the log's memory together know every event.
fn open_log(
    storage: Arc<dyn Storage>,
    folder: &Folder,
    clock: &Arc<dyn Clock>,
    options: EmbeddedOptions,
    begun: Begun,
) -> Result<(Log, IndexWriter), OpenError> {
    let (log_path, index_path) = (folder.join("log"), folder.join("index.db"));
    let index_failed = |source| OpenError::Index { path: index_path.clone(), source };
    let mut writer = IndexWriter::open(&index_path).map_err(index_failed)?;
    let opening = Opening { path: log_path, storage, clock: Arc::clone(clock), options, begun };
    let mut log = match opening.log(Some(writer.index().last())) {
        Err(OpenError::LostEnd { head, seen, .. }) if options.accept_lost_end => {
            tracing::error!(head, seen, "the end of the log is lost; going on without it");
            writer.cut_back(head).map_err(index_failed)?;
            opening.log(Some(head))?
        }
        opened => opened?,
    };
    if !follower::fits(&log, writer.index()).map_err(index_failed)? {
        tracing::warn!("the index is not of this log and is rebuilt");
        drop((log, writer));
        writer = IndexWriter::create(&index_path).map_err(index_failed)?;
        log = opening.log(Some(0))?;
    }
    follower::catch_up(&log, &mut writer).map_err(|error| opening.failed(&index_path, error))?;
    Ok((log, writer))
}

/// Takes out of the index what the log has erased while it was opened, and ends the erasures: one
/// that has left something in a write-ahead log goes on the next time.
fn finish_erasures(
    state: &mut State,
    writer: &mut IndexWriter,
    erasures: &[Erasure],
) -> rusqlite::Result<()> {
    if erasures.is_empty() {
        return Ok(());
    }
    let erased: Vec<Seq> = erasures.iter().map(|erasure| erasure.seq).collect();
    writer.erase(&erased)?;
    if writer.checkpoint()? && state.checkpoint()? {
        state.change(|transaction| {
            erased.iter().try_for_each(|seq| super::state::end_erasure(transaction, *seq))
        })?;
    }
    Ok(())
}

/// How the log is opened, perhaps twice.
pub(super) struct Opening {
    pub(super) path: PathBuf,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: EmbeddedOptions,
    pub(super) begun: Begun,
}

impl Begun {
    /// What the state knows to be begun.
    pub(super) fn read(state: &State) -> rusqlite::Result<Self> {
        Ok(Self { kept_from: state.kept_from()?, erasures: state.erasures()? })
    }
}

impl Opening {
    /// Why the index in this file could not follow the log.
    pub(super) fn failed(&self, index: &Path, error: CatchUpError) -> OpenError {
        match error {
            CatchUpError::Index(source) => OpenError::Index { path: index.to_owned(), source },
            CatchUpError::Log(source) => OpenError::log(self.path.clone(), source.into()),
        }
    }

    pub(super) fn log(&self, indexed: Option<Seq>) -> Result<Log, OpenError> {
        let EmbeddedOptions { segment_bytes_max, disk_free_bytes_min, .. } = self.options;
        let limits = LogOptions { segment_bytes_max, disk_free_bytes_min, ..LogOptions::default() };
        let options = LogOptions { indexed, ..limits };
        let storage = Arc::clone(&self.storage);
        Log::open_finishing(storage, Arc::clone(&self.clock), options, &self.begun)
            .map_err(|error| OpenError::log(self.path.clone(), error))
    }
}
