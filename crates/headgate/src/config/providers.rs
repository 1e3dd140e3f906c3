//! `providers_dir`: provider files of the user's own, beside those in the program.

use super::{Context, Problems, part_of, section::Section};
use headgate_webhook::{Provider, Providers, SampleFile};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where the samples of a folder's providers are: in a folder of its own for each.
const SAMPLES: &str = "samples";

/// The providers that there are; none when a file of the folder is wrong.
pub(super) fn read(root: &Section<'_>, context: &Context<'_>) -> Option<Arc<Providers>> {
    read_beside(root, context.folder, context.providers).map(Arc::new)
}

/// The providers that a configuration knows, whatever else is wrong with it: who only makes or
/// reads requests does not have its secrets.
pub fn providers_of(file: &Path, known: &Providers) -> Result<Providers, Problems> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    part_of(file, "`providers_dir`", |root| read_beside(root, folder, known))
}

/// These providers and those of a folder, or what is wrong with its files.
pub fn providers_in(folder: &Path, known: &Providers) -> Result<Providers, Vec<String>> {
    let unread = |error: io::Error| {
        let shown = folder.display();
        vec![format!("expected a folder that can be read, found `{shown}`: {error}")]
    };
    let mut providers = known.clone();
    let files = files(folder).map_err(unread)?;
    let samples = samples(folder).map_err(unread)?;
    let (mut wrong, mut own) = (Vec::new(), Vec::new());
    for (name, text) in files {
        match Provider::parse_with(&name, &text, &samples) {
            // Two files for one name: nobody could tell which one counts.
            Ok(provider) if own.contains(&provider.name().to_owned()) => {
                wrong.push(format!(
                    "{name}: another file of the folder is for `{}`",
                    provider.name()
                ));
            }
            Ok(provider) => {
                own.push(provider.name().to_owned());
                providers.put(provider);
            }
            Err(errors) => wrong.extend(errors.iter().map(ToString::to_string)),
        }
    }
    if wrong.is_empty() { Ok(providers) } else { Err(wrong) }
}

fn read_beside(root: &Section<'_>, folder: &Path, known: &Providers) -> Option<Providers> {
    let Some(value) = root.optional("providers_dir") else { return Some(known.clone()) };
    let own: PathBuf =
        value.parsed("a folder", |text| (!text.is_empty()).then(|| folder.join(text)))?;
    match fs::read_dir(&own) {
        Ok(_) => match providers_in(&own, known) {
            Ok(providers) => Some(providers),
            Err(wrong) => {
                wrong.iter().for_each(|text| value.note(text));
                None
            }
        },
        Err(error) => {
            let shown = value.plain_text().unwrap_or_default();
            value.note(&format!("expected a folder that can be read, found `{shown}`: {error}"));
            None
        }
    }
}

/// The provider files of a folder with their paths, sorted.
fn files(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in inside(folder)? {
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push((path.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    Ok(files)
}

/// The samples beside provider files: `samples/acme/order.placed.json`. An event with a `/` in its
/// name is in a folder there.
pub(crate) fn samples(folder: &Path) -> io::Result<Vec<SampleFile>> {
    let mut found = Vec::new();
    let folder = folder.join(SAMPLES);
    if !folder.is_dir() {
        return Ok(found);
    }
    for owner in inside(&folder)?.into_iter().filter(|path| path.is_dir()) {
        let provider = name(&owner);
        for path in inside(&owner)? {
            let bodies = if path.is_dir() { inside(&path)? } else { vec![path] };
            for body in bodies {
                let relative = body.strip_prefix(&owner).unwrap_or(&body);
                let relative = relative.to_string_lossy().replace('\\', "/");
                let Some(event) = relative.strip_suffix(".json") else { continue };
                let (provider, event) = (provider.clone(), event.to_owned());
                found.push(SampleFile { provider, event, body: fs::read_to_string(&body)? });
            }
        }
    }
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The sorted paths in a folder.
fn inside(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
