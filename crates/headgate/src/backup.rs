//! `headgate backup`: a copy of the queue, made by the gateway that runs, or here while none does.

use crate::{
    cli::BackupArguments,
    client::ClientError,
    clock::SystemClock,
    config::{self, Environment},
    failure::Failure,
    output, place,
};
use anyhow::Context;
use headgate_event::EventId;
use headgate_queue::{BackupFolder, Backups, Embedded, Queue};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How long a gateway may take to copy what it has.
const BACKUP_WAIT: Duration = Duration::from_secs(6 * 3600);

/// A backup as it is told.
#[derive(Deserialize)]
struct Report {
    folder: PathBuf,
    newest_event: Option<EventId>,
    bytes: u64,
}

/// Makes the backup and says where it is.
pub async fn run(arguments: &BackupArguments, environment: &Environment) -> Result<(), Failure> {
    let opened = place::open(arguments.data_dir.as_deref(), &arguments.client).await?;
    let report = match opened {
        Some(queue) => copied(queue, arguments).await?,
        None if arguments.to.is_some() => {
            return Err(Failure::usage(
                "expected no `--to`, found one: a gateway that runs writes under the `backup_dir` \
                 of its configuration",
            ));
        }
        None => {
            let client = arguments.client.client(environment)?;
            let reply = client.post("/v1/backups", &json!({}), BACKUP_WAIT).await?;
            serde_json::from_slice(&reply.body).map_err(unexpected)?
        }
    };
    if arguments.json {
        return output::line(&report.to_string());
    }
    let Report { folder, newest_event, bytes } =
        serde_json::from_value(report).map_err(unexpected)?;
    let upto = newest_event.map_or("without an event".to_owned(), |id| format!("up to event {id}"));
    output::line(&format!("made `{}` ({bytes} bytes, {upto})", folder.display()))
}

/// Copies a queue that no gateway has.
async fn copied(queue: Embedded, arguments: &BackupArguments) -> Result<Value, Failure> {
    let configured = match (&arguments.to, &arguments.client.config) {
        (Some(to), _) => Some(to.clone()),
        (None, Some(file)) => config::backup_dir_of(file).map_err(Failure::Configuration)?,
        (None, None) => None,
    };
    let Some(to) = configured else {
        let expected = "expected `--to` or `backup_dir` in the configuration's `[queue]`";
        return Err(Failure::usage(expected));
    };
    let queue = Arc::new(queue);
    let backups = BackupFolder::new(Arc::clone(&queue), to, Arc::new(SystemClock));
    let made = backups.back_up().await;
    queue.close().await;
    let report = made.context("cannot make the backup")?;
    Ok(serde_json::to_value(report).context("the report")?)
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}
