//! What senders hand over in handshakes, in a file of the data folder for its owner alone: Notion
//! and Asana send the secret of a channel once, and it has to reach the configuration.

use anyhow::{Context, Result};
use headgate_event::limits::CAPTURES_MAX;
use headgate_webhook::{CaptureSink, Captured};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The file in the data folder.
const FILE: &str = "handshakes.json";

/// Keeps what is handed over.
#[derive(Debug)]
pub struct Captures {
    file: PathBuf,
    /// One writer at a time.
    writing: Mutex<()>,
}

/// What was handed over once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The handshake, as the provider file calls it.
    pub handshake: String,
    /// What was handed over.
    pub value: String,
    /// When, as RFC 3339 has it.
    pub at: String,
}

type All = BTreeMap<String, Vec<Kept>>;

impl Captures {
    /// Those of a data folder.
    #[must_use]
    pub fn at(data_dir: &Path) -> Self {
        Self { file: data_dir.join(FILE), writing: Mutex::default() }
    }

    /// What was handed over to a channel, the newest last.
    pub fn of(&self, channel: &str) -> Result<Vec<Kept>> {
        Ok(self.read()?.remove(channel).unwrap_or_default())
    }

    fn read(&self) -> Result<All> {
        let text = match fs::read(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(All::new()),
            Err(error) => Err(error).with_context(|| self.file.display().to_string())?,
        };
        serde_json::from_slice(&text).with_context(|| self.file.display().to_string())
    }

    fn write(&self, all: &All) -> Result<()> {
        let beside = self.file.with_extension("next");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(all)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.file)?;
        Ok(())
    }

    fn add(&self, channel: &str, kept: Kept) -> Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.read()?;
        let of = all.entry(channel.to_owned()).or_default();
        // A repeat is kept once, at its newest time.
        of.retain(|known| known.value != kept.value);
        if of.len() >= CAPTURES_MAX {
            of.remove(0);
        }
        of.push(kept);
        self.write(&all)
    }
}

impl CaptureSink for Captures {
    fn keep(&self, channel: &str, captured: &Captured) -> Result<(), String> {
        let kept = Kept {
            handshake: captured.handshake.clone(),
            value: String::from_utf8_lossy(captured.value.expose()).into_owned(),
            at: captured.at.to_string(),
        };
        self.add(channel, kept).map_err(|error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_event::{Secret, Timestamp};
    use std::os::unix::fs::PermissionsExt;

    fn captured(value: &str, second: i64) -> Captured {
        let at = Timestamp::from_unix_s(second);
        Captured { handshake: "hook-secret".to_owned(), value: Secret::new(value), at }
    }

    #[test]
    fn what_is_handed_over_is_kept_over_a_restart_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        for (at, value) in ["one", "two", "one"].into_iter().enumerate() {
            let captures = Captures::at(folder.path());
            captures.keep("tasks", &captured(value, at as i64)).expect("kept");
        }
        let kept = Captures::at(folder.path()).of("tasks").expect("read");
        let values: Vec<_> = kept.iter().map(|kept| kept.value.as_str()).collect();
        assert_eq!(values, ["two", "one"]);
        let mode = fs::metadata(folder.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Captures::at(folder.path()).of("other").expect("read"), []);
    }

    #[test]
    fn a_flood_of_secrets_pushes_out_the_oldest() {
        let folder = tempfile::tempdir().expect("a folder");
        let captures = Captures::at(folder.path());
        for number in 0..20 {
            captures.keep("tasks", &captured(&number.to_string(), number)).expect("kept");
        }
        let kept = captures.of("tasks").expect("read");
        assert_eq!(kept.len(), CAPTURES_MAX);
        assert_eq!(kept.last().expect("one").value, "19");
    }
}
