//! Opens the queue that the gateway stands on.

use anyhow::Context;
use headgate_event::{Clock, Sink, prompt::PromptKey};
use headgate_queue::{Embedded, EmbeddedOptions, Queue};
use std::{path::Path, sync::Arc};

/// The opened queue, as those who use it see it.
pub(super) struct Storage {
    /// For the API.
    pub(super) queue: Arc<dyn Queue>,
    /// The same queue, for what only this backend does.
    pub(super) embedded: Arc<Embedded>,
    /// For sources: the same queue.
    pub(super) sink: Arc<dyn Sink>,
    /// What the fences of this installation's prompts are made with.
    pub(super) prompt_key: PromptKey,
}

/// Opens the queue in this folder; an error says so when another process owns it.
pub(super) async fn open(folder: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<Storage> {
    let (path, clock) = (folder.to_owned(), Arc::clone(clock));
    // Making an index anew takes a while, and signals are heard meanwhile.
    let opening = move || Embedded::open(&path, clock, EmbeddedOptions::default());
    let embedded = tokio::task::spawn_blocking(opening)
        .await
        .context("open the queue")?
        .context("cannot open the queue")?;
    let prompt_key = embedded.prompt_key();
    let embedded = Arc::new(embedded);
    let (queue, sink) = (Arc::clone(&embedded) as _, Arc::clone(&embedded) as _);
    Ok(Storage { queue, embedded, sink, prompt_key })
}
