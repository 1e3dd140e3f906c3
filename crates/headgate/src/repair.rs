//! `headgate repair`: says what is damaged in the folder and, when told so, mends it.

use crate::{cli::RepairArguments, clock::SystemClock, failure::Failure, output};
use anyhow::{Context, anyhow};
use headgate_queue::{Damage, Embedded, LostEvents, RepairReport};
use serde_json::json;
use std::{fmt::Write, path::Path, sync::Arc};

/// How many ids of lost events a line shows.
const IDS_SHOWN: usize = 20;

/// Reads everything through, tells what is damaged, and mends it with `--yes`.
pub async fn run(arguments: &RepairArguments) -> Result<(), Failure> {
    let folder = arguments.place.folder()?;
    let clock = Arc::new(SystemClock);
    let report = if arguments.yes {
        Embedded::repair(&folder, clock).await
    } else {
        let path = folder.clone();
        let looking = tokio::task::spawn_blocking(move || Embedded::inspect(&path));
        looking.await.map_err(anyhow::Error::new)?
    };
    let report = report.context("cannot look at the folder")?;
    if arguments.json {
        output::line(&json!(report).to_string())?;
    } else {
        output::line(&told(&report, &folder))?;
    }
    let mended = report.kept_in.is_some() && !report.is_beyond_repair();
    if report.damage.is_empty() || mended {
        return Ok(());
    }
    let what = if report.kept_in.is_some() { "not all of it is mended" } else { "it is damaged" };
    Err(anyhow!("`{}`: {what}", folder.display()).into())
}

fn told(report: &RepairReport, folder: &Path) -> String {
    let RepairReport { segments, first, last, unfinished_bytes, .. } = report;
    let RepairReport { unfinished_erasures, damage, kept_in, .. } = report;
    let mut text = format!("read {segments} segments of `{}`", folder.display());
    let events = (last + 1).saturating_sub(*first);
    // Writing to a string cannot fail.
    let _ = match events {
        0 => write!(text, ": no events"),
        events => write!(text, ": {events} events, {first} to {last}"),
    };
    if *unfinished_bytes > 0 {
        let _ = write!(
            text,
            "\n{unfinished_bytes} bytes at the end were never finished, which is no damage: the \
             next start cuts them off"
        );
    }
    if *unfinished_erasures > 0 {
        let _ = write!(
            text,
            "\n{unfinished_erasures} events are being erased, which is no damage: the next start \
             finishes it"
        );
    }
    for damage in damage {
        tell(damage, &mut text);
    }
    let end = match kept_in {
        _ if damage.is_empty() => "nothing is damaged".to_owned(),
        None if damage.iter().all(|damage| damage.remedy.is_none()) => {
            "nothing of this can be mended; nothing was changed".to_owned()
        }
        None => "nothing was changed; `--yes` does it and keeps a copy of what it changes".into(),
        Some(kept) => format!("done; what was changed is kept in `{}`", kept.display()),
    };
    text + "\n" + &end
}

fn tell(damage: &Damage, text: &mut String) {
    let Damage { file, offset, bytes, reason, lost, remedy } = damage;
    let _ = write!(text, "\n`{file}`");
    if let (Some(offset), Some(bytes)) = (offset, bytes) {
        let _ = write!(text, " at offset {offset}, {bytes} bytes");
    }
    let _ = write!(text, ": {reason}");
    for LostEvents { first, last, ids } in lost {
        let _ = match last - first {
            0 => write!(text, "\n  lost: event {first}"),
            more => write!(text, "\n  lost: {} events, {first} to {last}", more + 1),
        };
        for id in ids.iter().take(IDS_SHOWN) {
            let _ = write!(text, "\n    {id}");
        }
        if ids.len() > IDS_SHOWN {
            let _ = write!(text, "\n    and others; `--json` tells more");
        }
    }
    let _ = write!(text, "\n  remedy: {}", remedy.unwrap_or("none"));
}
