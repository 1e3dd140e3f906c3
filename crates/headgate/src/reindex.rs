//! `headgate reindex`: makes the index of a queue anew from its log, while no gateway runs.

use crate::{cli::ReindexArguments, clock::SystemClock, config, failure::Failure, output};
use anyhow::Context;
use headgate_queue::{Embedded, EmbeddedOptions};
use serde_json::json;
use std::sync::Arc;

/// Makes the index anew and says how many events it holds.
pub fn run(arguments: &ReindexArguments) -> Result<(), Failure> {
    let folder = match (&arguments.data_dir, &arguments.config) {
        (Some(folder), _) => folder.clone(),
        (None, Some(file)) => config::data_dir_of(file).map_err(Failure::Configuration)?,
        (None, None) => return Err(Failure::usage("expected `--config` or `--data-dir`")),
    };
    let clock = Arc::new(SystemClock);
    let events = Embedded::reindex(&folder, clock, EmbeddedOptions::default())
        .context("cannot make the index anew")?;
    if arguments.json {
        return output::line(&json!({ "events": events, "data_dir": folder }).to_string());
    }
    output::line(&format!("indexed {events} events in `{}`", folder.display()))
}
