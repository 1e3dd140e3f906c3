//! Where a command finds the queue: in its folder while no gateway has it, else behind the gateway.

use crate::{
    cli::{ClientArguments, PlaceArguments},
    clock::SystemClock,
    config,
    failure::Failure,
};
use headgate_queue::{Embedded, EmbeddedOptions, OpenError};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

impl PlaceArguments {
    /// The folder that is meant.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        match folder(self.data_dir.as_deref(), self.config.as_deref())? {
            Some(folder) => Ok(folder),
            None => Err(Failure::usage("expected `--config` or `--data-dir`")),
        }
    }
}

/// Opens the queue in its folder; `None` when a gateway is to be asked: it was named, or it has
/// the folder.
pub(crate) async fn open(
    data_dir: Option<&Path>,
    client: &ClientArguments,
) -> Result<Option<Embedded>, Failure> {
    if data_dir.is_none() && client.url.is_some() {
        return Ok(None);
    }
    let named = client.url.is_some() || client.config.is_some();
    let Some(folder) = folder(data_dir, client.config.as_deref())? else {
        let expected = "expected `--config`, `--data-dir` or `--url`";
        return Err(Failure::usage(expected));
    };
    let path = folder.clone();
    let opening =
        move || Embedded::open_existing(&folder, Arc::new(SystemClock), EmbeddedOptions::default());
    let opened = tokio::task::spawn_blocking(opening).await.map_err(anyhow::Error::new)?;
    match opened {
        Err(OpenError::Owned { .. }) if named => Ok(None),
        opened => Ok(Some(opened.map_err(|error| not_opened(&path, error))?)),
    }
}

/// Why the queue in this folder is not opened; with the command for it where something is damaged.
pub(crate) fn not_opened(folder: &Path, error: OpenError) -> anyhow::Error {
    let damaged = error.is_damage();
    let error = anyhow::Error::new(error);
    if !damaged {
        return error;
    }
    let folder = folder.display();
    error.context(format!(
        "it is damaged (`headgate repair --data-dir {folder}` says what is lost and what can be \
         mended)"
    ))
}

fn folder(data_dir: Option<&Path>, config: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    match (data_dir, config) {
        (Some(folder), _) => Ok(Some(folder.to_owned())),
        (None, Some(file)) => config::data_dir_of(file).map(Some).map_err(Failure::Configuration),
        (None, None) => Ok(None),
    }
}
