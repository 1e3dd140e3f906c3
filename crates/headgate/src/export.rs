//! `headgate export`: every event with its exact bytes, from the folder or from a running gateway.

use crate::{
    cli::ExportArguments, client::CallPath, config::Environment, failure::Failure, output, place,
};
use anyhow::Context;
use bytes::Bytes;
use headgate_queue::{Embedded, Export, ExportQuery, Queue, Selection};
use serde::Deserialize;
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where the lines go, counted.
struct Out {
    file: Option<(PathBuf, PathBuf, File)>,
    lines: u64,
    /// The last bytes, in which the last line is.
    end: Vec<u8>,
}

/// The last line.
#[derive(Deserialize)]
struct Last {
    #[serde(default)]
    left_out: u64,
}

/// More than the last line is long, in bytes.
const LAST_LINE_BYTES: usize = 256;

/// Writes the export.
pub async fn run(arguments: &ExportArguments, environment: &Environment) -> Result<(), Failure> {
    let query = query(arguments);
    let opened = place::open(arguments.data_dir.as_deref(), &arguments.client).await?;
    let mut out = Out::open(arguments.out.as_deref())?;
    let written = match opened {
        Some(queue) => from_folder(queue, query, &mut out).await,
        None => from_gateway(arguments, environment, &mut out).await,
    };
    match written {
        Ok(()) => out.finish(),
        Err(failure) => {
            out.discard();
            Err(failure)
        }
    }
}

async fn from_folder(queue: Embedded, query: ExportQuery, out: &mut Out) -> Result<(), Failure> {
    let queue: Arc<dyn Queue> = Arc::new(queue);
    let mut export = Export::new(Arc::clone(&queue), query);
    let written = async {
        while let Some(piece) = export.piece().await.context("cannot export")? {
            out.take(&piece)?;
        }
        Ok(())
    };
    let written = written.await;
    queue.close().await;
    written
}

async fn from_gateway(
    arguments: &ExportArguments,
    environment: &Environment,
    out: &mut Out,
) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = CallPath::new("/v1/export")
        .parameters("channel", &arguments.channel)
        .parameters("since", &arguments.since.map(|at| at.to_string()))
        .parameters("until", &arguments.until.map(|at| at.to_string()));
    let mut download = client.download(path.as_str()).await?;
    while let Some(piece) = download.piece().await? {
        out.take(&piece)?;
    }
    Ok(())
}

fn query(arguments: &ExportArguments) -> ExportQuery {
    let selection = Selection { channels: arguments.channel.clone(), ..Selection::default() };
    ExportQuery { selection, since: arguments.since, until: arguments.until }
}

impl Out {
    /// The file is named `.partial` until it is whole.
    fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self { file: None, lines: 0, end: Vec::new() }) };
        if path.exists() {
            let shown = path.display();
            return Err(Failure::usage(format!("expected no file `{shown}`, found one")));
        }
        let mut partial = OsString::from(path);
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        // What a killed command left has perhaps another's mode.
        let _ = fs::remove_file(&partial);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
        let file = file.with_context(|| format!("cannot write `{}`", partial.display()))?;
        Ok(Self { file: Some((path.to_owned(), partial, file)), lines: 0, end: Vec::new() })
    }

    fn take(&mut self, piece: &Bytes) -> Result<(), Failure> {
        self.lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.end.extend_from_slice(
            piece.get(piece.len().saturating_sub(LAST_LINE_BYTES)..).unwrap_or(piece),
        );
        self.end.drain(..self.end.len().saturating_sub(LAST_LINE_BYTES));
        match &mut self.file {
            Some((_, partial, file)) => {
                let failed = || format!("cannot write `{}`", partial.display());
                Ok(file.write_all(piece).with_context(failed)?)
            }
            None => output::bytes(piece),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        let last = self.end.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty());
        let last: Last =
            serde_json::from_slice(last.unwrap_or_default()).context("the export has no end")?;
        if last.left_out > 0 {
            let left_out = last.left_out;
            tracing::warn!(
                left_out,
                "places without an event: erased, removed, lost or damaged, of which `headgate \
                 repair` says"
            );
        }
        let Some((path, partial, file)) = self.file else { return Ok(()) };
        let above = path.parent().filter(|above| *above != Path::new(""));
        let sync_name = || File::open(above.unwrap_or(Path::new(".")))?.sync_all();
        let named = || fs::rename(&partial, &path).and_then(|()| sync_name());
        let synced = file.sync_all().and_then(|()| named());
        synced.with_context(|| format!("cannot write `{}`", path.display()))?;
        // The first and the last line are no events.
        let events = self.lines.saturating_sub(2);
        output::line(&format!("exported {events} events to `{}`", path.display()))
    }

    fn discard(self) {
        if let Some((_, partial, _)) = self.file {
            // What is left of it is named `.partial`.
            let _ = fs::remove_file(partial);
        }
    }
}
