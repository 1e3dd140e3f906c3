//! What senders hand over in handshakes, in a file of the data folder for its owner alone: Notion
//! and Asana send the secret of a channel once, and it has to reach the configuration.
//!
//! Nothing proves who hands something over. So what came first stays: a stranger who sends more
//! than is kept of a channel is refused, until the operator has made room.

use anyhow::{Context, Result};
use headgate_event::limits::CAPTURES_MAX;
use headgate_webhook::{CaptureSink, Captured, NotKept};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The file in the data folder.
const FILE: &str = "handshakes.json";

/// Keeps what is handed over.
#[derive(Debug)]
pub struct Captures {
    folder: PathBuf,
}

/// What was handed over once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The handshake, as the provider file calls it.
    pub handshake: String,
    /// What was handed over.
    pub value: String,
    /// When it came first, as RFC 3339 has it.
    pub at: String,
}

type All = BTreeMap<String, Vec<Kept>>;

/// What became of something that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    New,
    Known,
    Full,
}

impl Captures {
    /// Those of a data folder.
    #[must_use]
    pub fn at(data_dir: &Path) -> Self {
        Self { folder: data_dir.to_owned() }
    }

    /// What was handed over to a channel, the newest last.
    pub fn of(&self, channel: &str) -> Result<Vec<Kept>> {
        Ok(self.read()?.remove(channel).unwrap_or_default())
    }

    /// Forgets what was handed over to a channel, and says how much it was.
    pub fn forget(&self, channel: &str) -> Result<usize> {
        if !self.file().exists() {
            return Ok(0);
        }
        let _one = self.writing()?;
        let mut all = self.read()?;
        let Some(of) = all.remove(channel) else { return Ok(0) };
        self.write(&all)?;
        Ok(of.len())
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// One writer at a time, of this process and of others, until the lock is dropped.
    fn writing(&self) -> Result<File> {
        let path = self.file().with_extension("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| path.display().to_string())?;
        lock.lock().with_context(|| path.display().to_string())?;
        Ok(lock)
    }

    fn read(&self) -> Result<All> {
        let file = self.file();
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(All::new()),
            Err(error) => Err(error).with_context(|| file.display().to_string())?,
        };
        serde_json::from_slice(&text).with_context(|| file.display().to_string())
    }

    fn write(&self, all: &All) -> Result<()> {
        let beside = self.file().with_extension("next");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .with_context(|| beside.display().to_string())?;
        file.write_all(&serde_json::to_vec_pretty(all)?)?;
        file.sync_all()?;
        fs::rename(&beside, self.file())?;
        // The new name is in the folder, which has to reach the disk, too.
        File::open(&self.folder)?.sync_all()?;
        Ok(())
    }

    fn add(&self, channel: &str, kept: Kept) -> Result<Added> {
        let _one = self.writing()?;
        let mut all = self.read()?;
        let of = all.entry(channel.to_owned()).or_default();
        if of.iter().any(|known| known.value == kept.value) {
            return Ok(Added::Known);
        }
        if of.len() >= CAPTURES_MAX {
            return Ok(Added::Full);
        }
        of.push(kept);
        self.write(&all).map(|()| Added::New)
    }
}

impl CaptureSink for Captures {
    fn keep(&self, channel: &str, captured: &Captured) -> Result<bool, NotKept> {
        let kept = Kept {
            handshake: captured.handshake.clone(),
            value: String::from_utf8_lossy(captured.value.expose()).into_owned(),
            at: captured.at.to_string(),
        };
        match self.add(channel, kept) {
            Ok(Added::New) => Ok(true),
            Ok(Added::Known) => Ok(false),
            Ok(Added::Full) => Err(NotKept::Full),
            Err(error) => Err(NotKept::Failed(format!("{error:#}"))),
        }
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
        for (at, (value, is_new)) in
            [("one", true), ("two", true), ("one", false)].iter().enumerate()
        {
            let captures = Captures::at(folder.path());
            assert_eq!(captures.keep("tasks", &captured(value, at as i64)), Ok(*is_new), "{value}");
        }
        let kept = Captures::at(folder.path()).of("tasks").expect("read");
        let values: Vec<_> = kept.iter().map(|kept| kept.value.as_str()).collect();
        assert_eq!(values, ["one", "two"]);
        let mode = fs::metadata(folder.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Captures::at(folder.path()).of("other").expect("read"), []);
    }

    /// Symptom: whoever knew the URL could push out what the sender had handed over. Cause: the
    /// oldest went when there was no room.
    #[test]
    fn a_flood_of_secrets_pushes_nothing_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let captures = Captures::at(folder.path());
        for number in 0..20 {
            let kept = captures.keep("tasks", &captured(&number.to_string(), number));
            let expected = if number < 8 { Ok(true) } else { Err(NotKept::Full) };
            assert_eq!(kept, expected, "{number}");
        }
        assert_eq!(captures.keep("tasks", &captured("0", 21)), Ok(false), "a repeat is no more");
        let kept = captures.of("tasks").expect("read");
        assert_eq!(kept.len(), CAPTURES_MAX);
        assert_eq!(kept.first().expect("one").value, "0");
        assert_eq!(captures.keep("other", &captured("1", 21)), Ok(true), "each has its own room");
        assert_eq!(captures.forget("tasks").expect("forgotten"), CAPTURES_MAX);
        assert_eq!(captures.forget("tasks").expect("forgotten"), 0);
        assert_eq!(captures.keep("tasks", &captured("21", 22)), Ok(true));
    }

    #[test]
    fn what_cannot_be_written_is_not_said_to_be_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let captures = Captures::at(&folder.path().join("gone"));
        let kept = captures.keep("tasks", &captured("one", 1));
        assert!(matches!(kept, Err(NotKept::Failed(_))), "{kept:?}");
    }
}
