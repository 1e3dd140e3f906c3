//! Names of attachments, made safe to write to a file system.

use headgate_event::{limits::MAIL_FILENAME_BYTES_MAX, prompt::clean};

/// Names that are devices on Windows, whatever their extension.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// A sender's name of a file as one base name: no folder, no control or hidden character, nothing
/// that a shell or a file system reads as more than a name, at most 200 bytes with its extension
/// kept. Nothing left is nothing.
pub(crate) fn safe(name: &str) -> Option<String> {
    let visible = clean(name).text;
    let base = visible.rsplit(['/', '\\']).find(|part| !is_blank(part))?;
    let mut safe: String = base.chars().map(plain).collect();
    safe = safe.split_whitespace().collect::<Vec<_>>().join(" ");
    // A leading dot hides a file, a leading dash is an option, a trailing dot is lost on Windows.
    let trimmed = safe.trim_start_matches(['.', '-', ' ', '~']).trim_end_matches(['.', ' ']);
    if trimmed.is_empty() {
        return None;
    }
    let stem = trimmed.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let stem = stem.trim_end();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_device = DEVICES.contains(&stem)
        || numbered.is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()));
    let named = if is_device { format!("_{trimmed}") } else { trimmed.to_owned() };
    Some(shortened(&named))
}

/// The name of a message that is attached without one, by its subject.
pub(crate) fn of_message(subject: &str) -> Option<String> {
    let name = safe(&subject.replace(['/', '\\'], "_"))?;
    safe(&format!("{name}.eml"))
}

fn is_blank(part: &str) -> bool {
    part.chars().all(|char| char.is_whitespace() || char == '.')
}

/// The character, or `_` where it means something besides itself.
fn plain(char: char) -> char {
    match char {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | '`' | '$' | '\n' | '\t' => '_',
        _ => char,
    }
}

/// At most so many bytes, the extension kept.
fn shortened(name: &str) -> String {
    if name.len() <= MAIL_FILENAME_BYTES_MAX {
        return name.to_owned();
    }
    let extension = name.rfind('.').and_then(|at| name.get(at..));
    let extension = extension.filter(|extension| extension.len() <= 16).unwrap_or_default();
    let room = MAIL_FILENAME_BYTES_MAX - extension.len();
    let kept = name.get(..name.floor_char_boundary(room)).unwrap_or_default();
    format!("{}{extension}", kept.trim_end_matches(['.', ' ']))
}

/// The extension of a media type that is sent without a name.
pub(crate) fn extension(kind: &str, subkind: &str) -> &'static str {
    match (kind, subkind) {
        ("text", "calendar") => "ics",
        ("text", "html") => "html",
        ("text", "csv") => "csv",
        ("text", _) => "txt",
        ("message", "rfc822" | "global") => "eml",
        ("message", _) => "txt",
        ("image", "jpeg") => "jpg",
        ("image", "png") => "png",
        ("image", "gif") => "gif",
        ("application", "pdf") => "pdf",
        ("application", "json") => "json",
        ("application", "zip") => "zip",
        ("application", "ms-tnef") => "dat",
        ("application", "pgp-signature" | "pgp-keys") => "asc",
        ("application", "pkcs7-signature" | "x-pkcs7-signature") => "p7s",
        ("application", "pkcs7-mime" | "x-pkcs7-mime") => "p7m",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for (name, expected) in [
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("C:\\Users\\a\\report.pdf", "report.pdf"),
            ("/etc/", "etc"),
            ("-rf.sh", "rf.sh"),
            (".bashrc", "bashrc"),
            ("a\u{0}b\u{202e}fdp.exe", "abfdp.exe"),
            ("$(id)`x`.txt", "_(id)_x_.txt"),
            ("con.txt", "_con.txt"),
            ("COM1", "_COM1"),
            ("été  2026.pdf ", "été 2026.pdf"),
        ] {
            assert_eq!(safe(name).as_deref(), Some(expected), "{name:?}");
        }
        for name in ["", "..", "../..", "\u{200b}", " . "] {
            assert_eq!(safe(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = safe(&format!("{}.pdf", "ä".repeat(500))).expect("a name");
        assert!(name.len() <= MAIL_FILENAME_BYTES_MAX && name.ends_with("ä.pdf"), "{name}");
    }

    // Symptom: a message forwarded with a long subject got a name of 204 bytes. Cause: the subject
    // was cut before its extension came to it. Fix: both are cut together.
    #[test]
    fn a_message_is_named_by_its_subject_within_the_limit() {
        let long = of_message(&"€".repeat(100)).expect("a name");
        assert!(long.len() <= MAIL_FILENAME_BYTES_MAX && long.ends_with("€.eml"), "{long}");
        for (subject, expected) in
            [("Re: a/b.", Some("Re_ a_b.eml")), ("con", Some("_con.eml")), (" . ", None)]
        {
            assert_eq!(of_message(subject).as_deref(), expected, "{subject:?}");
        }
    }
}
