//! `[queue]`: where events are kept.

use super::section::Section;

const LATER: [&str; 1] = ["retention"];

/// Reads the section. The embedded backend is the only one of this version, so it gives nothing.
pub(super) fn read(root: &Section<'_>) {
    let section = root.optional("queue").and_then(|value| value.section("a table"));
    let Some(section) = section else { return };
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
    section.report_unknown(&LATER);
}
