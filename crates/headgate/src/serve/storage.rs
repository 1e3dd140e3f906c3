//! Opens the queue that the gateway stands on.

use crate::{config::Config, place};
use anyhow::Context;
use headgate_event::{Clock, Sink, prompt::PromptKey};
use headgate_queue::{BackupFolder, Backups, Embedded, EmbeddedOptions, Queue};
use std::sync::Arc;

/// The opened queue, as those who use it see it.
pub(super) struct Storage {
    /// For the API.
    pub(super) queue: Arc<dyn Queue>,
    /// For sources: the same queue.
    pub(super) sink: Arc<dyn Sink>,
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
    Ok(Storage { queue: Arc::clone(&embedded) as _, sink: embedded, backups, prompt_key })
}
