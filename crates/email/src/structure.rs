//! Where the parts of a message begin and end: one pass over its bytes, no recursion.
//!
//! A line that begins with `--` is looked up among the boundaries that are open, so that the work
//! is the same however deep parts nest. A message inside a message is a leaf: it is listed and can
//! be fetched, and nothing in it is read.

use crate::{
    head::{Head, Keep, line_at, without_end},
    parser::{Media, MessageParser},
    transfer,
};
use headgate_event::{
    data::TransferEncoding,
    limits::{MAIL_BOUNDARY_BYTES_MAX, MAIL_DEPTH_MAX, MAIL_PARTS_MAX},
};
use std::{collections::HashMap, ops::Range};

/// One part: its fields, what they say, and where its body is.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// The multipart it is in; none of the message itself.
    pub(crate) parent: Option<usize>,
    /// How many parts are before it in its multipart.
    pub(crate) position: usize,
    pub(crate) head: Head<'a>,
    pub(crate) media: Media,
    pub(crate) disposition: Option<Media>,
    pub(crate) encoding: TransferEncoding,
    pub(crate) body: Range<usize>,
    /// How many parts are in it.
    pub(crate) children: usize,
}

/// The parts of a message in their order, a multipart before what is in it.
#[derive(Debug)]
pub(crate) struct Structure<'a> {
    pub(crate) parts: Vec<Part<'a>>,
    /// What is wrong with it, one code each.
    pub(crate) defects: Vec<&'static str>,
}

impl<'a> Structure<'a> {
    /// Finds the parts of a message.
    pub(crate) fn of(raw: &'a [u8], parser: &dyn MessageParser) -> Self {
        let structure = Self { parts: Vec::new(), defects: Vec::new() };
        let mut walk = Walk { raw, parser, structure, open: Vec::new(), levels: HashMap::new() };
        let mut at = walk.begin(0);
        while let Some((start, hit)) = walk.next_boundary(at) {
            let end = line_at(raw, start).map_or(raw.len(), |line| start + line.len());
            walk.close_down_to(hit.level, body_end(raw, start));
            at = end;
            if hit.closes {
                walk.leave(body_end(raw, start));
            } else if walk.structure.parts.len() < MAIL_PARTS_MAX {
                at = walk.begin(end);
            } else {
                walk.structure.defect("too_many_parts");
                break;
            }
        }
        walk.finish()
    }
}

impl Structure<'_> {
    fn defect(&mut self, code: &'static str) {
        if !self.defects.contains(&code) {
            self.defects.push(code);
        }
    }
}

/// The end of a body whose boundary line begins at `start`: the line end before it is not part of
/// it.
fn body_end(raw: &[u8], start: usize) -> usize {
    without_end(raw.get(..start).unwrap_or_default()).len()
}

/// A multipart that is not closed yet.
struct Open {
    part: usize,
    boundary: Vec<u8>,
}

/// A line that is a boundary.
#[derive(Clone, Copy)]
struct Hit {
    level: usize,
    closes: bool,
}

struct Walk<'a, 'p> {
    raw: &'a [u8],
    parser: &'p dyn MessageParser,
    structure: Structure<'a>,
    open: Vec<Open>,
    /// The place in `open` of each boundary.
    levels: HashMap<Vec<u8>, usize>,
}

impl<'a> Walk<'a, '_> {
    /// Reads the head of a part that begins at `at`, and gives where its body begins.
    fn begin(&mut self, at: usize) -> usize {
        let keep = if self.structure.parts.is_empty() { Keep::All } else { Keep::Content };
        let head = Head::read(self.raw, at, keep, |line| self.hit(line).is_some());
        for defect in &head.defects {
            self.structure.defect(defect);
        }
        let body = head.body;
        let parent = self.open.last().map(|open| open.part);
        let position =
            parent.and_then(|parent| self.structure.parts.get_mut(parent)).map_or(0, |parent| {
                parent.children += 1;
                parent.children - 1
            });
        let part = self.read(head, parent, position);
        let index = self.structure.parts.len();
        let boundary = part.media.parameter("boundary").map(|text| text.trim_end().as_bytes());
        let boundary = boundary.filter(|_| part.media.kind == "multipart").map(<[u8]>::to_vec);
        let is_multipart = part.media.kind == "multipart";
        self.structure.parts.push(part);
        match boundary {
            Some(boundary) if self.may_open(&boundary) => {
                self.levels.insert(boundary.clone(), self.open.len());
                self.open.push(Open { part: index, boundary });
            }
            None if is_multipart => self.structure.defect("boundary_missing"),
            _ => {}
        }
        body
    }

    fn may_open(&mut self, boundary: &[u8]) -> bool {
        let fits = !boundary.is_empty() && boundary.len() <= MAIL_BOUNDARY_BYTES_MAX;
        if !fits {
            self.structure.defect("boundary_unusable");
        } else if self.levels.contains_key(boundary) {
            self.structure.defect("boundary_repeated");
            return false;
        } else if self.open.len() >= MAIL_DEPTH_MAX {
            self.structure.defect("too_deep");
            return false;
        }
        fits
    }

    fn read(&mut self, head: Head<'a>, parent: Option<usize>, position: usize) -> Part<'a> {
        let typed = head.first("content-type").and_then(|value| self.parser.media(value));
        let in_digest = parent
            .and_then(|parent| self.structure.parts.get(parent))
            .is_some_and(|parent| parent.media.is("multipart", "digest"));
        let is_typed = typed.as_ref().is_some_and(|media| !media.subkind.is_empty());
        // RFC 2045, 5.2 and RFC 2046, 5.1.5: what a part without a type is.
        let media = typed.filter(|_| is_typed).unwrap_or_else(|| {
            let (kind, subkind) = if in_digest { ("message", "rfc822") } else { ("text", "plain") };
            Media { kind: kind.into(), subkind: subkind.into(), parameters: Vec::new() }
        });
        let (encoding, known) = transfer::named(head.first("content-transfer-encoding"));
        if !known {
            self.structure.defect("encoding_unknown");
        }
        let disposition = head.first("content-disposition");
        let disposition = disposition.and_then(|value| self.parser.media(value));
        let body = head.body..self.raw.len();
        Part { parent, position, head, media, disposition, encoding, body, children: 0 }
    }

    /// The next line from `at` on that is an open boundary.
    fn next_boundary(&self, at: usize) -> Option<(usize, Hit)> {
        if self.open.is_empty() {
            return None;
        }
        let from = at.saturating_sub(1);
        let hit_at = |start: usize| {
            let line = without_end(line_at(self.raw, start)?);
            self.hit(line).map(|hit| (start, hit))
        };
        if at == 0
            && let Some(hit) = hit_at(0)
        {
            return Some(hit);
        }
        let rest = self.raw.get(from..).unwrap_or_default();
        memchr::memmem::find_iter(rest, b"\n--").find_map(|found| hit_at(from + found + 1))
    }

    /// What boundary a line without its line end is.
    fn hit(&self, line: &[u8]) -> Option<Hit> {
        let line = line.strip_prefix(b"--")?;
        // The longest is a boundary, the two dashes of its end and some padding.
        if line.len() > 2 * MAIL_BOUNDARY_BYTES_MAX {
            return None;
        }
        let line = line.trim_ascii_end();
        if let Some(level) = self.levels.get(line) {
            return Some(Hit { level: *level, closes: false });
        }
        let level = *self.levels.get(line.strip_suffix(b"--")?)?;
        Some(Hit { level, closes: true })
    }

    /// Ends the last part and every multipart above `level`, which nobody closed.
    fn close_down_to(&mut self, level: usize, end: usize) {
        self.end_last(end);
        while self.open.len() > level + 1 {
            self.structure.defect("boundary_not_closed");
            self.leave(end);
        }
    }

    /// Ends the innermost multipart.
    fn leave(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        self.levels.remove(&open.boundary);
        if let Some(part) = self.structure.parts.get_mut(open.part) {
            part.body.end = end.max(part.body.start);
        }
    }

    fn end_last(&mut self, end: usize) {
        let Some(part) = self.structure.parts.last_mut() else { return };
        if part.children == 0 && part.body.end == self.raw.len() {
            part.body.end = end.max(part.body.start);
        }
    }

    fn finish(mut self) -> Structure<'a> {
        if !self.open.is_empty() {
            self.structure.defect("boundary_not_closed");
        }
        for open in std::mem::take(&mut self.open) {
            let empty = self.structure.parts.get(open.part).is_some_and(|part| part.children == 0);
            if empty {
                self.structure.defect("boundary_never_found");
            }
        }
        self.structure
    }
}
