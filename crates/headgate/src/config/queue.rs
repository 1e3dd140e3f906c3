//! `[queue]`: where events are kept, and how long.

use super::{section::Section, value::Value};
use headgate_event::limits::{RETENTION_AGE_MIN, RETENTION_BYTES_MIN};
use headgate_queue::Retention;
use std::path::{Path, PathBuf};

/// What the section says. The embedded backend is the only one of this version.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) backup_dir: Option<PathBuf>,
    pub(super) retention: Retention,
}

/// Reads the section; a path is relative to this folder.
pub(super) fn read(root: &Section<'_>, folder: &Path) -> Option<Queue> {
    let Some(value) = root.optional("queue") else { return Some(Queue::default()) };
    let section = value.section("a table")?;
    if let Some(value) = section.optional("backend") {
        match value.text("`embedded`") {
            Some("postgres") => {
                value.note("expected `embedded`, found `postgres`, which is not there yet");
            }
            Some("memory") => value
                .note("expected `embedded`, found `memory`, which keeps nothing and is for tests"),
            _ => {
                value.word(&[("embedded", ())]);
            }
        }
    }
    let backup_dir = match section.optional("backup_dir") {
        Some(value) => value
            .parsed("a folder", |text| (!text.is_empty()).then(|| PathBuf::from(text)))
            .map(|path| Some(folder.join(path).components().collect())),
        None => Some(None),
    };
    let retention = match section.optional("retention") {
        Some(value) => retention(&value),
        None => Some(Retention::default()),
    };
    section.report_unknown(&[]);
    Some(Queue { backup_dir: backup_dir?, retention: retention? })
}

fn retention(value: &Value<'_>) -> Option<Retention> {
    let expected = "a table such as `{ age = \"30d\", bytes = \"20GiB\" }`";
    let section = value.section(expected)?;
    let (age, bytes) = (section.optional("age"), section.optional("bytes"));
    if age.is_none() && bytes.is_none() {
        return value.wrong("`age`, `bytes` or both");
    }
    let known = section.report_unknown(&[]);
    let age = age.map(|value| {
        let short = format!("at least {}s", RETENTION_AGE_MIN.as_secs());
        value
            .duration()
            .and_then(|age| if age >= RETENTION_AGE_MIN { Some(age) } else { value.wrong(&short) })
    });
    let bytes = bytes.map(|value| {
        // What is being written is never removed, so less could not be kept to.
        let few = format!("at least {}MiB", RETENTION_BYTES_MIN >> 20);
        value.size().and_then(|bytes| {
            if bytes >= RETENTION_BYTES_MIN { Some(bytes) } else { value.wrong(&few) }
        })
    });
    let retention = Retention { age: age.flatten(), bytes: bytes.flatten() };
    known.then_some(retention)
}
