//! Reading the file: whole once, to see that nothing of it is missing or changed, and then line by
//! line.

use super::{SCHEMA, SCHEMA_NAME};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headgate_event::{
    Draft, Event, EventId, StoredEvent,
    limits::{EXPORT_LINE_BYTES_MAX, FRAME_BYTES_MAX},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a file cannot be imported. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line is not what is expected there.
    #[error("`{}` line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What was expected and found.
        reason: String,
    },
}

/// A file that is whole: every line was read, and the last one says so.
#[derive(Clone, Debug)]
pub struct CheckedFile {
    path: PathBuf,
    events: u64,
}

/// An event of the file.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) line: u64,
    pub(crate) event: Event,
    pub(crate) draft: Draft,
}

/// The lines of a file, one after the other.
pub(crate) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
    last_id: Option<EventId>,
    digest: Sha256,
    events: u64,
    text: Vec<u8>,
}

/// A line of any kind.
#[derive(Deserialize)]
struct AnyLine {
    schema: Option<String>,
    event: Option<Event>,
    dedupe_window_ms: Option<u64>,
    raw_b64: Option<String>,
    events: Option<u64>,
    sha256: Option<String>,
}

impl CheckedFile {
    /// Reads the whole file and checks every line of it.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let mut lines = Lines::open(path)?;
        while lines.next()?.is_some() {}
        Ok(Self { path: path.to_owned(), events: lines.events })
    }

    /// How many events it holds.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Its lines once more.
    pub(crate) fn lines(&self) -> Result<Lines, FileError> {
        Lines::open(&self.path)
    }

    /// What is wrong with a line beyond the file itself.
    pub(crate) fn wrong(&self, line: u64, reason: impl Into<String>) -> FileError {
        FileError::Line { path: self.path.clone(), line, reason: reason.into() }
    }
}

impl Lines {
    fn open(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mut lines = Self {
            path: path.to_owned(),
            reader: BufReader::with_capacity(1 << 20, file),
            line: 0,
            last_id: None,
            digest: Sha256::new(),
            events: 0,
            text: Vec::new(),
        };
        lines.begin()?;
        Ok(lines)
    }

    fn begin(&mut self) -> Result<(), FileError> {
        let found = self.parsed()?.and_then(|line| line.schema);
        let expected = format!("expected the first line of an export, `{SCHEMA}`");
        match found {
            Some(found) if found == SCHEMA => {
                self.digest.update(&self.text);
                Ok(())
            }
            Some(found) if found.starts_with(SCHEMA_NAME) => Err(self.wrong(format!(
                "{expected}, found `{found}`: another version of headgate wrote it"
            ))),
            Some(found) => Err(self.wrong(format!("{expected}, found `{}`", shown(&found)))),
            None => Err(self.wrong(format!("{expected}, found none"))),
        }
    }

    /// The next event; none at the last line, which has to fit those before it.
    pub(crate) fn next(&mut self) -> Result<Option<Imported>, FileError> {
        let Some(line) = self.parsed()? else {
            let reason = "expected the last line of an export, found the end of the file: it was \
                          cut off";
            return Err(self.wrong(reason));
        };
        if let (Some(events), Some(sha256)) = (line.events, &line.sha256) {
            return self.end(events, sha256).map(|()| None);
        }
        let (Some(event), Some(raw)) = (line.event, line.raw_b64) else {
            return Err(self.wrong("expected `event` and `raw_b64`, found one of them missing"));
        };
        let raw = STANDARD.decode(raw).map_err(|e| self.wrong(format!("`raw_b64`: {e}")))?;
        self.digest.update(&self.text);
        self.events += 1;
        let window = line.dedupe_window_ms.map(Duration::from_millis);
        self.imported(event, Bytes::from(raw), window).map(Some)
    }

    fn imported(
        &mut self,
        event: Event,
        raw: Bytes,
        dedupe_window: Option<Duration>,
    ) -> Result<Imported, FileError> {
        let id = event.id();
        if let Some(last) = self.last_id.filter(|last| *last >= id) {
            return Err(self.wrong(format!("expected an event after `{last}`, found `{id}`")));
        }
        if id.time() < event.created_at() {
            let at = event.created_at();
            return Err(self.wrong(format!("expected an id not before `{at}`, found `{id}`")));
        }
        self.last_id = Some(id);
        let draft = Draft::restored(&event, raw, dedupe_window)
            .map_err(|error| self.wrong(error.to_string()))?;
        let stored = StoredEvent::encode(&draft);
        if stored.len() + draft.raw.len() >= FRAME_BYTES_MAX {
            return Err(self.wrong(format!("expected at most {FRAME_BYTES_MAX} bytes")));
        }
        let again = StoredEvent::decode(id, &stored, &draft.raw);
        if !again.is_ok_and(|again| again == event) {
            return Err(self.wrong("expected an event that storing does not change"));
        }
        Ok(Imported { line: self.line, event, draft })
    }

    fn end(&mut self, events: u64, sha256: &str) -> Result<(), FileError> {
        if events != self.events {
            let found = self.events;
            return Err(self.wrong(format!("expected {events} events before it, found {found}")));
        }
        let found = hex::encode(self.digest.finalize_reset());
        if found != sha256 {
            let sha256 = shown(sha256);
            let reason =
                format!("expected the SHA-256 `{sha256}` of what is before, found `{found}`");
            return Err(self.wrong(reason));
        }
        match self.parsed()? {
            None => Ok(()),
            Some(_) => Err(self.wrong("expected the end of the file, found another line")),
        }
    }

    /// The next line, read; none at the end of the file.
    fn parsed(&mut self) -> Result<Option<AnyLine>, FileError> {
        self.text.clear();
        let mut room = (&mut self.reader).take(EXPORT_LINE_BYTES_MAX as u64);
        let failed = |source| FileError::Io { path: self.path.clone(), source };
        room.read_until(b'\n', &mut self.text).map_err(failed)?;
        if self.text.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if !self.text.ends_with(b"\n") {
            let cut = self.text.len() < EXPORT_LINE_BYTES_MAX;
            let reason = if cut { "the file was cut off" } else { "it is longer than any event" };
            return Err(self.wrong(format!("expected a whole line: {reason}")));
        }
        serde_json::from_slice(&self.text).map(Some).map_err(|error| {
            // The parser counts lines of its own, and this is always its first.
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            let column = error.column();
            self.wrong(format!("expected a line of an export: {said} (column {column})"))
        })
    }

    fn wrong(&self, reason: impl Into<String>) -> FileError {
        let (path, line) = (self.path.clone(), self.line.max(1));
        FileError::Line { path, line, reason: reason.into() }
    }
}

/// Text of the file, short and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
