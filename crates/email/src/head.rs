//! A header block split into its fields, in one pass and within limits. It reads no value.
//!
//! The fields are those that a DKIM verifier sees: a name ends at the first colon and holds no
//! space (RFC 5322, 2.2), so that `Fr om:` is no From.

use headgate_event::limits::{
    MAIL_HEAD_BYTES_MAX, MAIL_HEADER_BYTES_MAX, MAIL_HEADERS_MAX, MAIL_HEADERS_OF_A_NAME_MAX,
};
use std::collections::BTreeMap;

/// One field: its name as written, its value with the folding in it and without its line end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a [u8],
}

/// The fields of a header block, and where its body begins.
#[derive(Debug, Default)]
pub(crate) struct Head<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) body: usize,
    /// What is wrong with it, one code each.
    pub(crate) defects: Vec<&'static str>,
}

/// Which fields are worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All within the limits.
    All,
    /// Those of a part: `Content-...`.
    Content,
}

/// How much of a line is looked at for the colon of a field that is none, in bytes.
const NAME_BYTES_LOOKED_AT: usize = 78;

/// What an event is made of: kept although the block is longer than its limit.
const TELLING: &[&str] = &[
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "auto-submitted",
    "precedence",
    "list-id",
    "list-unsubscribe",
    "x-auto-response-suppress",
    "return-path",
];

impl<'a> Head<'a> {
    /// Reads the block that begins at `from`; `ends` says which lines end it besides an empty one.
    pub(crate) fn read(
        raw: &'a [u8],
        from: usize,
        keep: Keep,
        ends: impl Fn(&[u8]) -> bool,
    ) -> Self {
        let mut reading = Reading { head: Self::default(), kept: 0, of_name: BTreeMap::new() };
        let mut at = from;
        let mut open: Option<(&str, usize, usize)> = None;
        while let Some(line) = line_at(raw, at) {
            let next = at + line.len();
            let shown = without_end(line);
            if shown.is_empty() {
                at = next;
                break;
            }
            if ends(shown) {
                break;
            }
            let folded = matches!(shown.first(), Some(b' ' | b'\t'));
            if let Some((name, start, _)) = open.filter(|_| folded) {
                open = Some((name, start, at + shown.len()));
            } else if let Some(name) = name_of(shown) {
                reading.close(raw, open.take(), keep);
                open = Some((name, at + name.len() + colon_after(shown, name), at + shown.len()));
            } else if at == from && (shown.starts_with(b"From ") || shown.starts_with(b">From ")) {
                // The separator of an mbox that a program forgot to take away.
            } else if is_nearly_a_field(shown) {
                reading.close(raw, open.take(), keep);
                reading.defect("header_malformed");
            } else {
                reading.defect("header_without_end");
                break;
            }
            at = next;
        }
        reading.close(raw, open, keep);
        reading.head.body = at;
        reading.head
    }

    /// The values of all fields of this name, written in lower case, in their order.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let named = move |field: &&Field<'a>| field.name.eq_ignore_ascii_case(name);
        self.fields.iter().filter(named).map(|field| field.value)
    }

    /// The value of the first field of this name.
    pub(crate) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|f| f.value)
    }
}

struct Reading<'a> {
    head: Head<'a>,
    kept: usize,
    of_name: BTreeMap<&'static str, usize>,
}

impl<'a> Reading<'a> {
    fn defect(&mut self, code: &'static str) {
        if !self.head.defects.contains(&code) {
            self.head.defects.push(code);
        }
    }

    fn close(&mut self, raw: &'a [u8], field: Option<(&'a str, usize, usize)>, keep: Keep) {
        let Some((name, start, end)) = field else { return };
        let is_content = name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"));
        if keep == Keep::Content && !is_content {
            return;
        }
        let whole = raw.get(start..end.max(start)).unwrap_or_default();
        let value = whole.get(..whole.len().min(MAIL_HEADER_BYTES_MAX)).unwrap_or_default();
        if value.len() < whole.len() {
            self.defect("header_cut");
        }
        let has_room = self.head.fields.len() < MAIL_HEADERS_MAX
            && self.kept + name.len() + value.len() <= MAIL_HEAD_BYTES_MAX;
        if !has_room {
            self.defect("headers_left_out");
            let telling = TELLING.iter().find(|telling| name.eq_ignore_ascii_case(telling));
            let Some(telling) = telling else { return };
            let count = self.of_name.entry(telling).or_default();
            *count += 1;
            if *count > MAIL_HEADERS_OF_A_NAME_MAX {
                return;
            }
        }
        self.kept += name.len() + value.len();
        self.head.fields.push(Field { name, value });
    }
}

/// The line that begins at `at`, with its end; none at the end of the text.
pub(crate) fn line_at(raw: &[u8], at: usize) -> Option<&[u8]> {
    let rest = raw.get(at..).filter(|rest| !rest.is_empty())?;
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    rest.get(..end)
}

/// A line without its line end.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The name of the field that a line begins: printable ASCII up to a colon, spaces before the
/// colon allowed (RFC 5322, 4.5).
fn name_of(line: &[u8]) -> Option<&str> {
    let end = line.iter().position(|byte| !matches!(byte, 33..=57 | 59..=126))?;
    let rest = line.get(end..)?;
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    (end > 0 && rest.get(spaces) == Some(&b':'))
        .then(|| line.get(..end).and_then(|name| std::str::from_utf8(name).ok()))?
}

/// Whether a line looks like a field and is none, like `Fr om: ..`. It is passed over, as verifiers
/// of signatures do, and ends no header block.
fn is_nearly_a_field(line: &[u8]) -> bool {
    let colon = line.iter().take(NAME_BYTES_LOOKED_AT).position(|byte| *byte == b':');
    let name = colon.and_then(|end| line.get(..end)).unwrap_or_default();
    !name.is_empty() && name.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

/// How many bytes after a name its colon ends.
fn colon_after(line: &[u8], name: &str) -> usize {
    let rest = line.get(name.len()..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b':').map_or(0, |at| at + 1)
}
