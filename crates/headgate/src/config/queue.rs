//! `[queue]`: where events are kept.

use super::section::Section;
use std::path::{Path, PathBuf};

const LATER: [&str; 1] = ["retention"];

/// What the section says. The embedded backend is the only one of this version.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) backup_dir: Option<PathBuf>,
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
        Some(value) => {
            let path: PathBuf =
                value.parsed("a folder", |text| (!text.is_empty()).then(|| text.into()))?;
            Some(folder.join(path).components().collect())
        }
        None => None,
    };
    section.report_unknown(&LATER);
    Some(Queue { backup_dir })
}
