//! `headgate import`: takes the events of an exported file into a folder, while no gateway runs.

use crate::{cli::ImportArguments, clock::SystemClock, failure::Failure, output};
use anyhow::Context;
use headgate_queue::{CheckedFile, Embedded, ImportReport};
use serde_json::json;
use std::sync::Arc;

/// Checks the whole file, stores its events and says how many there were.
pub async fn run(arguments: &ImportArguments) -> Result<(), Failure> {
    let folder = arguments.place.folder()?;
    let path = arguments.file.clone();
    let checking = tokio::task::spawn_blocking(move || CheckedFile::read(&path));
    let file = checking.await.map_err(anyhow::Error::new)?.context("nothing was imported")?;
    let ImportReport { imported, known } =
        Embedded::import(&folder, &file, Arc::new(SystemClock)).await.context("cannot import")?;
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
