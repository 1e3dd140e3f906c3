//! `[server] tls`: the certificate and the key, read as they would be at a start.

use super::section::Section;
use crate::clock::SystemClock;
use headgate_event::Clock;
use headgate_http::{Tls, TlsError, TlsFiles};
use std::path::{Path, PathBuf};

/// The files that the key `tls` of `[server]` names, as they stand there.
pub(super) fn files(server: &Section<'_>) -> Option<Option<TlsFiles>> {
    let Some(value) = server.optional("tls") else { return Some(None) };
    let expected = "`{ certificate = \"..\", key = \"..\" }`, two PEM files";
    let section = value.section(expected)?;
    let file = |key| {
        section
            .required(key, "a PEM file")?
            .parsed("a PEM file", |text| (!text.is_empty()).then(|| PathBuf::from(text)))
    };
    let (certificate, key) = (file("certificate"), file("key"));
    let all_known = section.report_unknown(&[]);
    let files = TlsFiles { certificate: certificate?, key: key? };
    all_known.then_some(Some(files))
}

/// TLS with these files; a path is relative to the folder of the configuration.
pub(super) fn load(root: &Section<'_>, files: &TlsFiles, folder: &Path) -> Option<Tls> {
    let within = |path: &Path| folder.join(path).components().collect();
    let files = TlsFiles { certificate: within(&files.certificate), key: within(&files.key) };
    match Tls::load(files.clone(), SystemClock.now()) {
        Ok(tls) => Some(tls),
        Err(error) => {
            root.wrong(&format!("server.tls.{}", key_of(&error, &files)), &error.to_string());
            None
        }
    }
}

/// The key that names the file which is to blame.
fn key_of(error: &TlsError, files: &TlsFiles) -> &'static str {
    let file = match error {
        TlsError::Unreadable { file, .. } | TlsError::Content { file, .. } => Some(file),
        _ => None,
    };
    if file == Some(&files.certificate) { "certificate" } else { "key" }
}
