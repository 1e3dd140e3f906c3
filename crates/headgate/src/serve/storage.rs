//! Opens the queue that the gateway stands on.

use crate::{config::Config, place, telemetry};
use anyhow::Context;
use headgate_api::Measure;
use headgate_event::{Clock, Sink, prompt::PromptKey};
use headgate_queue::{BackupFolder, Backups, Embedded, EmbeddedOptions, Queue};
use std::sync::Arc;

/// The opened queue, as those who use it see it.
pub(super) struct Storage {
    /// For the API.
    pub(super) queue: Arc<dyn Queue>,
    /// The same queue, for what only this backend does.
    pub(super) embedded: Arc<Embedded>,
    /// For sources: the same queue.
    pub(super) sink: Arc<dyn Sink>,
    /// Measures the log and the disk that it is on.
    pub(super) measure: Measure,
    /// Makes its backups, where the configuration has a folder for them.
    pub(super) backups: Option<Arc<dyn Backups>>,
    /// What the fences of this installation's prompts are made with.
    pub(super) prompt_key: PromptKey,
}

/// Opens the queue of a configuration; an error says so when another process owns its folder.
pub(super) async fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Storage> {
    let (path, backup_clock) = (config.data_dir.clone(), Arc::clone(clock));
    let clock = Arc::clone(clock);
    // Making an index anew takes a while, and signals are heard meanwhile.
    let opening = move || Embedded::open(&path, clock, EmbeddedOptions::default());
    let embedded = tokio::task::spawn_blocking(opening)
        .await
        .context("open the queue")?
        .map_err(|error| place::not_opened(&config.data_dir, error))
        .context("cannot open the queue")?;
    let prompt_key = embedded.prompt_key();
    let embedded = Arc::new(embedded);
    let backups = config.backup_dir.clone().map(|folder| {
        let backups = BackupFolder::new(Arc::clone(&embedded), folder, backup_clock);
        Arc::new(backups) as Arc<dyn Backups>
    });
    let (measured, folder) = (Arc::clone(&embedded), config.data_dir.clone());
    let measure = Arc::new(move || {
        measured.measure();
        telemetry::metrics::measure(&folder);
    });
    let (queue, sink) = (Arc::clone(&embedded) as _, Arc::clone(&embedded) as _);
    Ok(Storage { queue, embedded, sink, measure, backups, prompt_key })
}
