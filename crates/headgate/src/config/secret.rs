//! Secrets: from an environment variable or a file, never in the configuration unless that is said.

use super::{Context, section::Section, value::Value};
use headgate_event::{Secret, limits::SECRET_BYTES_MAX};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

pub(crate) const EXPECTED: &str = "`{ env = \"NAME\" }` or `{ file = \"PATH\" }`";

/// The secret that a value names.
pub(crate) fn read(value: &Value<'_>, context: &Context<'_>) -> Option<Secret> {
    read_with(value, context, |_| Some(())).map(|(secret, ())| secret)
}

/// The secret that a value names, and what else stands in its table.
pub(crate) fn read_with<T>(
    value: &Value<'_>,
    context: &Context<'_>,
    more: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Option<(Secret, T)> {
    let Some(section) = value.plain_section() else { return value.wrong_unseen(EXPECTED) };
    let more = more(&section);
    secret_of(value, &section, context).zip(more)
}

fn secret_of(value: &Value<'_>, section: &Section<'_>, context: &Context<'_>) -> Option<Secret> {
    let ways = [
        section.optional("env").map(|name| from_variable(&name, context)),
        section.optional("file").map(|path| from_file(&path, context)),
        section.optional("insecure_inline").map(|text| inline(&text)),
    ];
    let mut given = ways.into_iter().flatten();
    let (first, more) = (given.next(), given.next());
    let all_known = section.report_unknown(&[]);
    match (first, more) {
        (Some(secret), None) => secret,
        (Some(_), Some(_)) => {
            value.note("expected one way to the secret, found more than one");
            None
        }
        (None, _) if all_known => value.wrong_unseen(EXPECTED),
        (None, _) => None,
    }
}

/// A list of secrets with at least one in it.
pub(crate) fn read_list(value: &Value<'_>, context: &Context<'_>) -> Option<Vec<Secret>> {
    list_of(value, |member| read(member, context))
}

/// A list with at least one secret in it, each of which `read` reads.
pub(crate) fn list_of<T>(
    value: &Value<'_>,
    read: impl Fn(&Value<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let expected = format!("an array of {EXPECTED}");
    let Some(members) = value.plain_list() else { return value.wrong_unseen(&expected) };
    if members.is_empty() {
        value.note(&format!("expected {expected}, found an empty array"));
        return None;
    }
    members.iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn from_variable(value: &Value<'_>, context: &Context<'_>) -> Option<Secret> {
    let name = value.text("the name of an environment variable")?;
    let Some(content) = context.environment.variable(name) else {
        value.note(&format!("expected environment variable `{name}` to be set, found none"));
        return None;
    };
    let secret = Secret::new(content.into_encoded_bytes());
    if secret.is_empty() {
        value.note(&format!("expected a secret in environment variable `{name}`, found it empty"));
        return None;
    }
    Some(secret)
}

fn from_file(value: &Value<'_>, context: &Context<'_>) -> Option<Secret> {
    let path = value.text("the path of a file")?;
    let content = match content_of(&context.folder.join(path)) {
        Ok(content) => content,
        Err(error) => {
            value.note(&format!("expected a file that can be read, found `{path}`: {error}"));
            return None;
        }
    };
    if content.len() > SECRET_BYTES_MAX {
        let expected = format!("expected at most {SECRET_BYTES_MAX} bytes in file `{path}`");
        value.note(&format!("{expected}, found more"));
        return None;
    }
    let secret = Secret::new(without_line_end(&content));
    if secret.is_empty() {
        value.note(&format!("expected a secret in file `{path}`, found it empty"));
        return None;
    }
    Some(secret)
}

fn inline(value: &Value<'_>) -> Option<Secret> {
    let Some(text) = value.plain_text() else { return value.wrong_unseen("a string") };
    if text.is_empty() {
        value.note("expected a secret, found it empty");
        return None;
    }
    Some(Secret::new(text))
}

/// Reads one byte more than a secret may have, and not all of a device that never ends.
fn content_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let most = SECRET_BYTES_MAX as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut content)?;
    Ok(content)
}

/// Editors and `echo` end a file with a line end that is no part of the secret.
fn without_line_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}
