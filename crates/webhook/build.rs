//! Embeds every provider file and every sample, so that adding one touches no code.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=providers");
    println!("cargo:rerun-if-changed=samples");
    let mut code = String::from(
        "/// The provider files: name and text.\n\
         pub(crate) const PROVIDERS: &[(&str, &str)] = &[\n",
    );
    for name in names(Path::new("providers"), ".toml")? {
        writeln!(code, "({name:?}, {}),", include(&format!("/providers/{name}")))?;
    }
    code.push_str(
        "];\n\n/// The sample bodies: provider, event and text.\n\
         pub(crate) const SAMPLES: &[(&str, &str, &str)] = &[\n",
    );
    for provider in names(Path::new("samples"), "")? {
        for name in samples(&Path::new("samples").join(&provider))? {
            let event = name.trim_end_matches(".json");
            let text = include(&format!("/samples/{provider}/{name}"));
            writeln!(code, "({provider:?}, {event:?}, {text}),")?;
        }
    }
    code.push_str("];\n");
    fs::write(out_folder()?.join("embedded.rs"), code)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder this way")]
fn out_folder() -> Result<PathBuf, Box<dyn Error>> {
    Ok(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?.into())
}

fn include(path: &str) -> String {
    format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))")
}

/// The samples in a folder of a provider; an event with a `/` in its name is in a folder there.
fn samples(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut samples = Vec::new();
    for name in names(folder, "")? {
        if name.ends_with(".json") {
            samples.push(name);
        } else {
            let inner = names(&folder.join(&name), ".json")?;
            samples.extend(inner.into_iter().map(|inner| format!("{name}/{inner}")));
        }
    }
    Ok(samples)
}

/// The sorted names in a folder that end in `ending`.
fn names(folder: &Path, ending: &str) -> Result<Vec<String>, Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().map_err(|_| "a name is not UTF-8")?;
        if name.ends_with(ending) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
