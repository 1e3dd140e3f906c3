//! `headgate reindex`: makes the index of a queue anew from its log, while no gateway runs.

use crate::{cli::ReindexArguments, clock::SystemClock, failure::Failure, output, place};
use anyhow::Context;
use headgate_queue::{Embedded, EmbeddedOptions};
use serde_json::json;
use std::sync::Arc;

/// Makes the index anew and says how many events it holds.
pub fn run(arguments: &ReindexArguments) -> Result<(), Failure> {
    let folder = arguments.place.folder()?;
    let clock = Arc::new(SystemClock);
    let events = Embedded::reindex(&folder, clock, EmbeddedOptions::default())
        .map_err(|error| place::not_opened(&folder, error))
        .context("cannot make the index anew")?;
    if arguments.json {
        return output::line(&json!({ "events": events, "data_dir": folder }).to_string());
    }
    output::line(&format!("indexed {events} events in `{}`", folder.display()))
}
