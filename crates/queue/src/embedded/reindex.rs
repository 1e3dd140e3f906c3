//! Making the index anew from the log, while no gateway runs.

use super::{
    Embedded, EmbeddedOptions, OpenError,
    folder::Folder,
    follower,
    index::IndexWriter,
    open::{Opening, storage},
    state::State,
};
use crate::log::Begun;
use headgate_event::Clock;
use std::{path::Path, sync::Arc};

impl Embedded {
    /// Throws the index of this folder away, makes it again from the log, and answers how many
    /// events it holds.
    ///
    /// The log is opened as it is at every start: an end that a power cut left is cut off. A log
    /// that ends before what the index had seen is refused, and the index stays, because it alone
    /// knows of the loss.
    pub fn reindex(
        folder: &Path,
        clock: Arc<dyn Clock>,
        options: EmbeddedOptions,
    ) -> Result<u64, OpenError> {
        let folder = Folder::own_existing(folder)?;
        let path = folder.join("index.db");
        let index_failed = |source| OpenError::Index { path: path.clone(), source };
        let state_path = folder.join("headgate.db");
        let state = State::open(&state_path)?;
        let state_failed = |source| OpenError::State { path: state_path.clone(), source };
        let begun = Begun::read(&state).map_err(state_failed)?;
        let (path_of_log, storage) = (folder.join("log"), storage(&folder)?);
        let opening = Opening { path: path_of_log, storage, clock, options, begun };
        let seen = IndexWriter::open(&path).map_err(index_failed)?.index().last();
        let head = match opening.log(Some(seen)) {
            Err(OpenError::LostEnd { head, .. }) if options.accept_lost_end => head,
            opened => *opened?.head().borrow(),
        };
        tracing::info!(events = head, "making the index from the log");
        let mut writer = IndexWriter::create(&path).map_err(index_failed)?;
        let log = opening.log(Some(0))?;
        follower::catch_up(&log, &mut writer).map_err(|error| opening.failed(&path, error))?;
        follower::take_rest(&log, &mut writer).map_err(index_failed)?;
        writer.checkpoint().map_err(index_failed)?;
        Ok((writer.index().last() + 1).saturating_sub(log.first_seq()))
    }
}
