//! `providers_dir`: provider files of the user's own, beside those in the program.

use super::{Context, section::Section};
use headgate_webhook::{Provider, Providers};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The providers that there are; none when a file of the folder is wrong.
pub(super) fn read(root: &Section<'_>, context: &Context<'_>) -> Option<Arc<Providers>> {
    let mut providers = context.providers.clone();
    let Some(value) = root.optional("providers_dir") else { return Some(Arc::new(providers)) };
    let folder: PathBuf =
        value.parsed("a folder", |text| (!text.is_empty()).then(|| context.folder.join(text)))?;
    let files = match files(&folder) {
        Ok(files) => files,
        Err(error) => {
            let shown = value.plain_text().unwrap_or_default();
            value.note(&format!("expected a folder that can be read, found `{shown}`: {error}"));
            return None;
        }
    };
    let (mut right, mut own) = (true, Vec::new());
    for (name, text) in files {
        match Provider::parse(&name, &text) {
            // Two files for one name: nobody could tell which one counts.
            Ok(provider) if own.contains(&provider.name().to_owned()) => {
                value.note(&format!(
                    "{name}: another file of the folder is for `{}`",
                    provider.name()
                ));
                right = false;
            }
            Ok(provider) => {
                own.push(provider.name().to_owned());
                providers.put(provider);
            }
            Err(errors) => {
                errors.iter().for_each(|error| value.note(&error.to_string()));
                right = false;
            }
        }
    }
    right.then(|| Arc::new(providers))
}

/// The provider files of a folder with their paths, sorted.
fn files(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push((path.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
