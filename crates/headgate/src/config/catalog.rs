//! `[[catalog]]` and `catalog_files`: which events applications may emit.

use super::{problem::Notes, section::Section, value::Value};
use headgate_app::{Audit, Catalog, CatalogError, CatalogType};
use headgate_event::limits::CATALOG_FILE_BYTES_MAX;
use std::path::Path;
use toml::de::DeTable;

/// The catalog of the configuration and of the files that it names.
pub(super) fn read(root: &Section<'_>, folder: &Path) -> Option<Catalog> {
    let mut catalog = Catalog::default();
    let own = tables(root, &mut catalog);
    let files = match root.optional("catalog_files") {
        Some(value) => value.list("an array of paths of files")?,
        None => Vec::new(),
    };
    let read: Vec<Option<()>> =
        files.iter().map(|file| from_file(file, folder, &mut catalog)).collect();
    own?;
    read.into_iter().collect::<Option<Vec<()>>>()?;
    Some(catalog)
}

/// Adds the types under `[[catalog]]` lines.
fn tables(section: &Section<'_>, catalog: &mut Catalog) -> Option<()> {
    let Some(value) = section.optional("catalog") else { return Some(()) };
    let read: Vec<Option<()>> =
        value.tables("catalog").iter().map(|one| entry(one, catalog)).collect();
    value.plain_list()?;
    read.into_iter().collect()
}

fn entry(section: &Section<'_>, catalog: &mut Catalog) -> Option<()> {
    let name = section.required("type", "the name of a type such as `proposal.received`");
    let description = section.optional("description").map(|value| value.text("a sentence"));
    let audit = section.optional("audit").map_or(Some(false), |value| value.truth());
    let all_known = section.report_unknown(&[]);
    let name = name?;
    let text = name.text("the name of a type such as `proposal.received`")?;
    let description = match description {
        Some(text) => Some(text?.to_owned()),
        None => None,
    };
    let audit = if audit? { Audit::Yes } else { Audit::No };
    match catalog.add(text, CatalogType { description, audit }) {
        Ok(()) => all_known.then_some(()),
        Err(error @ CatalogError::Description) => {
            section.wrong("description", &error.to_string());
            None
        }
        Err(error) => {
            name.note(&error.to_string());
            None
        }
    }
}

/// Adds the types of a file, which has `[[catalog]]` lines and nothing else.
fn from_file(value: &Value<'_>, folder: &Path, catalog: &mut Catalog) -> Option<()> {
    let path = value.text("the path of a file")?;
    let file = folder.join(path);
    let text = match text_of(&file) {
        Ok(text) => text,
        Err(reason) => {
            value.note(&format!("expected a file that can be read, found `{path}`: {reason}"));
            return None;
        }
    };
    let notes = Notes::new(path, &text);
    let (document, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        notes.syntax(error.span().map_or(0, |span| span.start), error.message());
    }
    if errors.is_empty() {
        let root = Section::new(document.get_ref(), 0..0, String::new(), &notes);
        if root.required("catalog", "types, each under a `[[catalog]]` line").is_some() {
            // What is wrong is in the notes.
            let _ = tables(&root, catalog);
        }
        root.report_unknown(&[]);
    }
    let Some(problems) = notes.into_problems() else { return Some(()) };
    let lines: Vec<String> = problems.lines().collect();
    value.note(&format!("expected a catalog, found a file with errors: {}", lines.join("; ")));
    None
}

fn text_of(file: &Path) -> Result<String, String> {
    let bytes = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if bytes > CATALOG_FILE_BYTES_MAX {
        return Err(format!("it has {bytes} bytes, more than {CATALOG_FILE_BYTES_MAX}"));
    }
    std::fs::read_to_string(file).map_err(|error| error.to_string())
}
