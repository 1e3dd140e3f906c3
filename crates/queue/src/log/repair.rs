//! Looking at a damaged log, and writing it anew without what is lost.
//!
//! Sequences have no gaps, and subscriptions, index and readers rest on that. So a lost event is
//! not left out: a frame that says so stands in its place. A segment that is missing is mended by
//! the one before it, which takes the frames of its lost events.
//!
//! The order of deciding is that of the segments; nothing is written here before all is decided.

mod mend;
mod salvage;

use super::{
    Erasure, OpenError, Position,
    format::{
        BatchHeader, FORMAT_VERSION, HeaderError, SEGMENT_HEADER_BYTES, SegmentHeader, file_name,
        first_seq_of, number_u64,
    },
    random,
};
use crate::{Seq, private};
use bytes::Bytes;
use headgate_event::{EventId, limits::REPAIR_SEGMENT_BYTES_MAX};
use salvage::{Known, Salvage, salvage};
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

/// Damage of the log at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wound {
    /// The segment's file.
    pub file: String,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes are not as they were written; 0 where they are missing.
    pub bytes: u64,
    /// What was found.
    pub reason: String,
    /// The events that are lost.
    pub lost: Vec<Range<Seq>>,
}

impl Wound {
    /// Whether it is what erasing an event has begun to overwrite.
    pub(crate) fn is_of(&self, erasure: &Erasure) -> bool {
        let Position { segment, offset, len } = erasure.position;
        let overwritten = erasure.batch..offset + u64::from(len);
        self.file == file_name(segment) && overwritten.contains(&self.offset)
    }
}

/// A log as it was found.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    folder: PathBuf,
    /// How many segments there are.
    pub segments: u64,
    /// The oldest and the newest event; the newest is before the oldest when there is none.
    pub first: Seq,
    pub head: Seq,
    /// What is damaged.
    pub wounds: Vec<Wound>,
    /// Bytes at the end that were never finished: the next start cuts them off.
    pub unfinished: u64,
    remedies: Vec<Remedy>,
}

/// What is done about one file.
#[derive(Debug)]
enum Remedy {
    /// The segment is written anew, with this header.
    Rewrite { header: SegmentHeader, known: Known },
    /// Nothing in it can be read, and none comes after it.
    Remove(Seq),
}

/// A segment that was looked at, for the one after it.
struct Before {
    segment: Seq,
    head: Seq,
    last_id: EventId,
    bytes: u64,
}

/// Reads every segment of the log in this folder through. Nothing is changed.
pub(crate) fn inspect(folder: &Path) -> Result<Diagnosis, OpenError> {
    let firsts = firsts(folder)?;
    let mut diagnosis = Diagnosis {
        folder: folder.to_owned(),
        segments: firsts.len() as u64,
        first: firsts.first().copied().unwrap_or(1),
        head: 0,
        wounds: Vec::new(),
        unfinished: 0,
        remedies: Vec::new(),
    };
    let mut before = None;
    for (nth, &segment) in firsts.iter().enumerate() {
        let limit = firsts.get(nth + 1).copied();
        before = diagnosis.look(segment, limit, before)?;
    }
    diagnosis.head = before.map_or(diagnosis.first - 1, |last| last.head);
    Ok(diagnosis)
}

impl Diagnosis {
    /// The files that mending changes or removes.
    pub(crate) fn changed(&self) -> Vec<String> {
        self.remedies.iter().map(|remedy| file_name(remedy.segment())).collect()
    }

    /// Writes the damaged segments anew. What they were has to be kept elsewhere before.
    pub(crate) fn mend(&self) -> Result<(), OpenError> {
        for remedy in &self.remedies {
            let name = file_name(remedy.segment());
            let path = self.folder.join(&name);
            match remedy {
                Remedy::Remove(_) => {
                    fs::remove_file(&path).map_err(|e| failed("remove", &name, e))?;
                }
                Remedy::Rewrite { header, known } => {
                    let old = read(&self.folder, known.segment)?;
                    let parts = salvage(&old, *known).parts;
                    let partial = path.with_extension("seg.mended");
                    write(&partial, &mend::mended(header, &old, &parts))
                        .and_then(|()| fs::rename(&partial, &path))
                        .map_err(|e| failed("write", &name, e))?;
                }
            }
        }
        let synced = fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| failed("sync", "log", e))
    }

    /// Looks at a segment, and answers how it is once it is mended.
    fn look(
        &mut self,
        segment: Seq,
        limit: Option<Seq>,
        before: Option<Before>,
    ) -> Result<Option<Before>, OpenError> {
        let bytes = read(&self.folder, segment)?;
        let (found, broken) = header_of(&bytes, segment)?;
        if found.is_none() && limit.is_none() {
            return Ok(self.look_at_headless_end(segment, before, bytes.len() as u64));
        }
        let header = found.map_or_else(|| header_with(segment), Ok)?;
        if let Some(reason) = broken {
            let length = bytes.len().min(SEGMENT_HEADER_BYTES) as u64;
            self.wound(segment, 0, length, reason.to_owned(), Vec::new());
        }
        let chained = self.chained(header, before.as_ref());
        let (head, last_id) = (segment - 1, chained.last_id);
        let known = Known { segment, tag: header.tag, head, last_id, limit };
        let Salvage { parts, wounds, head, last_id, end } = salvage(&bytes, known);
        let rewrite = broken.is_some() || chained != header || !wounds.is_empty();
        for wound in wounds {
            self.wound(segment, wound.offset, wound.bytes, wound.reason.to_owned(), wound.lost);
        }
        if limit.is_none() {
            self.unfinished = bytes.len().saturating_sub(end) as u64;
        }
        let length = if rewrite {
            self.remedies.push(Remedy::Rewrite { header: chained, known });
            mend::mended(&chained, &bytes, &parts).len() as u64
        } else {
            end as u64
        };
        Ok(Some(Before { segment, head, last_id, bytes: length }))
    }

    /// The last segment, when its header cannot be read or made again.
    fn look_at_headless_end(
        &mut self,
        segment: Seq,
        before: Option<Before>,
        bytes: u64,
    ) -> Option<Before> {
        if bytes <= SEGMENT_HEADER_BYTES as u64 && (before.is_some() || segment == 1) {
            // Opening removes a segment that was only being begun.
            self.unfinished = bytes;
        } else {
            let reason = format!("it has no header, and every event from {segment} on is lost");
            self.wound(segment, 0, bytes, reason, Vec::new());
            self.remedies.push(Remedy::Remove(segment));
        }
        before
    }

    /// The header with which a segment continues the mended one before it.
    fn chained(&mut self, header: SegmentHeader, before: Option<&Before>) -> SegmentHeader {
        let Some(before) = before else { return header };
        if header.previous > before.segment && header.previous < header.first_seq {
            self.note_missing(header.previous, header.first_seq, before.segment);
        }
        let chained = SegmentHeader {
            previous: before.segment,
            previous_end: before.bytes,
            // An id that was given to an event that was never stored is not given again.
            last_id: header.last_id.max(before.last_id),
            ..header
        };
        if chained != header && self.wounds.is_empty() {
            let (expected, found) = (header.previous_end, before.bytes);
            let reason = format!("expected {expected} bytes, found {found}");
            self.wound(before.segment, found, 0, reason, Vec::new());
        }
        chained
    }

    /// Says that a segment is missing, where the one before it takes its lost events.
    fn note_missing(&mut self, missing: Seq, next: Seq, before: Seq) {
        let early = self.wounds.last_mut().filter(|wound| wound.file == file_name(before));
        if let Some(wound) = early {
            let (missing, next) = (file_name(missing), file_name(next));
            wound.reason = format!("`{missing}` is missing: `{next}` continues it");
        }
    }

    fn wound(
        &mut self,
        segment: Seq,
        offset: u64,
        bytes: u64,
        reason: String,
        lost: Vec<Range<Seq>>,
    ) {
        self.wounds.push(Wound { file: file_name(segment), offset, bytes, reason, lost });
    }
}

impl Remedy {
    fn segment(&self) -> Seq {
        match self {
            Self::Rewrite { known, .. } => known.segment,
            Self::Remove(segment) => *segment,
        }
    }
}

/// The header of a segment, also one that is made again from its first batch; and what is wrong
/// with the one that is there.
fn header_of(
    bytes: &Bytes,
    segment: Seq,
) -> Result<(Option<SegmentHeader>, Option<&'static str>), OpenError> {
    let Some(first) = bytes.first_chunk::<SEGMENT_HEADER_BYTES>() else {
        return Ok((None, Some("it is shorter than a segment's header")));
    };
    let reason = match SegmentHeader::decode(first) {
        Ok(header) if header.first_seq == segment => return Ok((Some(header), None)),
        Ok(_) => "its header is that of another segment",
        Err(HeaderError::Broken(reason)) => reason,
        Err(HeaderError::Newer(found)) => {
            return Err(OpenError::Newer { segment, found, known: FORMAT_VERSION });
        }
    };
    let batch = bytes.get(SEGMENT_HEADER_BYTES..).and_then(|rest| rest.first_chunk());
    let tag = batch.map(|batch| number_u64(batch, 8));
    let fits = batch.zip(tag).and_then(|(batch, tag)| BatchHeader::decode(batch, tag));
    let header = fits.filter(|batch| batch.first_seq == segment).map(|batch| SegmentHeader {
        first_seq: segment,
        tag: batch.tag,
        previous: 0,
        previous_end: 0,
        last_id: EventId::from_bytes([0; 16]),
    });
    Ok((header, Some(reason)))
}

/// A header for a segment of which nothing is known but its name.
fn header_with(first_seq: Seq) -> Result<SegmentHeader, OpenError> {
    let name = file_name(first_seq);
    let tag = random::number().map_err(|e| failed("begin", &name, e))?;
    let last_id = EventId::from_bytes([0; 16]);
    Ok(SegmentHeader { first_seq, tag, previous: 0, previous_end: 0, last_id })
}

fn firsts(folder: &Path) -> Result<Vec<Seq>, OpenError> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", "log", error)),
    };
    let mut firsts = Vec::new();
    for entry in listed {
        let name = entry.map_err(|e| failed("list", "log", e))?.file_name();
        firsts.extend(name.to_str().and_then(first_seq_of));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

fn read(folder: &Path, segment: Seq) -> Result<Bytes, OpenError> {
    let name = file_name(segment);
    let path = folder.join(&name);
    let bytes = fs::metadata(&path).map_err(|e| failed("measure", &name, e))?.len();
    if bytes > REPAIR_SEGMENT_BYTES_MAX {
        let reason = format!("expected at most {REPAIR_SEGMENT_BYTES_MAX} bytes, found {bytes}");
        return Err(OpenError::damaged(segment, REPAIR_SEGMENT_BYTES_MAX, reason));
    }
    fs::read(&path).map(Bytes::from).map_err(|e| failed("read", &name, e))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = private::file();
    let mut file = options.write(true).create(true).truncate(true).open(path)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()
}

fn failed(action: &'static str, file: &str, source: io::Error) -> OpenError {
    OpenError::Io { action, file: file.to_owned(), source }
}
