//! `headgate import`: takes the events of an exported file into a folder, while no gateway runs.

use crate::{cli::ImportArguments, clock::SystemClock, failure::Failure, output, place};
use anyhow::Context;
use headgate_queue::{CheckedFile, Embedded, ImportError, ImportReport};
use serde_json::json;
use std::{path::Path, sync::Arc};

/// Checks the whole file, stores its events and says how many there were.
pub async fn run(arguments: &ImportArguments) -> Result<(), Failure> {
    let folder = arguments.place.folder()?;
    let path = arguments.file.clone();
    let checking = tokio::task::spawn_blocking(move || CheckedFile::read(&path));
    let file = checking.await.map_err(anyhow::Error::new)?.context("nothing was imported")?;
    let ImportReport { imported, known } =
        imported_into(&folder, &file).await.context("cannot import")?;
    if arguments.json {
        let said = json!({ "imported": imported, "known": known, "data_dir": folder });
        return output::line(&said.to_string());
    }
    let known = match known {
        0 => String::new(),
        known => format!("; {known} were there already"),
    };
    output::line(&format!("imported {imported} events into `{}`{known}", folder.display()))
}

async fn imported_into(folder: &Path, file: &CheckedFile) -> anyhow::Result<ImportReport> {
    match Embedded::import(folder, file, Arc::new(SystemClock)).await {
        Err(ImportError::Open(error)) => Err(place::not_opened(folder, error)),
        imported => Ok(imported?),
    }
}
