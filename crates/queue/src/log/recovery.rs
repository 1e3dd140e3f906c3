//! Opening what a stopped process, a power cut or a failing disk left behind.
//!
//! The rule: a broken place with nothing after it that says it was durable is what a power cut
//! leaves, and is cut off. A broken place that was durable once is damage, and is reported with
//! its segment and offset. Everything is looked at before anything is changed.
//!
//! Only the last segment is read through. Those before it were durable to their end before the
//! next was begun, which says so in its header; their frames are checked whenever they are read.

mod batches;

use super::{
    Begun, Erasure, OpenError, Storage, StorageFile,
    format::{
        FORMAT_VERSION, HeaderError, SEGMENT_HEADER_BYTES, SEGMENT_START, SegmentHeader, file_name,
        first_seq_of,
    },
    large::is_staged,
    random,
};
use crate::Seq;
use batches::Walk;
use headgate_event::EventId;
use std::{collections::BTreeMap, io, sync::Arc};

/// The segment that batches are appended to.
#[derive(Debug)]
pub(super) struct Active {
    /// Its file.
    pub file: Arc<dyn StorageFile>,
    /// Its header.
    pub header: SegmentHeader,
    /// Its length; all of it is durable.
    pub end: u64,
}

/// The log as it was found.
#[derive(Debug)]
pub(super) struct Recovered {
    /// The durable end of each segment, by its first sequence.
    pub extents: BTreeMap<Seq, u64>,
    /// The last segment.
    pub active: Active,
    /// The newest sequence.
    pub head: Seq,
    /// The newest id; all zero when there never was one.
    pub last_id: EventId,
}

/// A segment whose file is there.
struct Found {
    first_seq: Seq,
    bytes: u64,
    header: SegmentHeader,
}

/// Opens the log in this storage, or begins one. `indexed` is the newest event known elsewhere.
/// What was begun to be taken away is finished:
/// erasures before anything is looked at, because they break checksums while they last, and
/// retention after everything was.
pub(super) fn recover(
    storage: &Arc<dyn Storage>,
    indexed: Option<Seq>,
    begun: &Begun,
) -> Result<Recovered, OpenError> {
    for erasure in &begun.erasures {
        redo(&**storage, erasure)?;
    }
    let (expired, kept) = segments(&**storage, begun.kept_from)?;
    let (mut found, unborn) = survey(&**storage, &kept)?;
    check_chain(&found)?;
    let Some(last) = found.pop() else {
        not_behind(0, indexed)?;
        return begin(&**storage, unborn);
    };
    let name = file_name(last.first_seq);
    let file = storage.open(&name).map_err(|e| failed("open", &name, e))?;
    let walk = Walk::through(&*file, &last.header, last.bytes)?;
    not_behind(walk.head, indexed)?;
    if let Some(unborn) = unborn {
        forget(&**storage, unborn)?;
    }
    remove_staged(&**storage)?;
    settle(&**storage, &*file, &last, &walk)?;
    remove_expired(&**storage, &expired)?;
    let mut extents: BTreeMap<Seq, u64> = found.iter().map(|s| (s.first_seq, s.bytes)).collect();
    extents.insert(last.first_seq, walk.end);
    let active = Active { file, header: last.header, end: walk.end };
    Ok(Recovered { extents, active, head: walk.head, last_id: walk.last_id })
}

/// Begins a segment in its file, which was created empty: when this returns, a power cut cannot
/// take it away.
pub(super) fn begin_segment(
    storage: &dyn Storage,
    file: Arc<dyn StorageFile>,
    header: SegmentHeader,
) -> io::Result<Active> {
    file.write_at(0, &header.encode())?;
    file.sync()?;
    storage.sync_folder()?;
    Ok(Active { file, header, end: SEGMENT_START })
}

/// Whether something was ever appended to the log in this storage.
pub(crate) fn holds_events(storage: &dyn Storage) -> Result<bool, OpenError> {
    let names = storage.list().map_err(|e| failed("list", "log", e))?;
    for first_seq in names.iter().filter_map(|name| first_seq_of(name)) {
        let bytes = || storage.open(&file_name(first_seq)).and_then(|file| file.bytes());
        let failed = |e| failed("measure", &file_name(first_seq), e);
        if first_seq > 1 || bytes().map_err(failed)? > SEGMENT_START {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of the segments in their order: those that retention was to remove, and the others.
fn segments(storage: &dyn Storage, kept_from: Seq) -> Result<(Vec<Seq>, Vec<Seq>), OpenError> {
    let names = storage.list().map_err(|e| failed("list", "log", e))?;
    let mut firsts: Vec<Seq> = names.iter().filter_map(|name| first_seq_of(name)).collect();
    firsts.sort_unstable();
    let nexts = firsts.iter().skip(1);
    let expired = nexts.take_while(|next| **next <= kept_from).count();
    let kept = firsts.split_off(expired);
    Ok((firsts, kept))
}

/// Finishes what was begun to be taken away, and looks at nothing else.
pub(crate) fn finish(storage: &dyn Storage, begun: &Begun) -> Result<(), OpenError> {
    for erasure in &begun.erasures {
        redo(storage, erasure)?;
    }
    let (expired, _) = segments(storage, begun.kept_from)?;
    remove_expired(storage, &expired)
}

/// Finishes a retention that was begun.
fn remove_expired(storage: &dyn Storage, expired: &[Seq]) -> Result<(), OpenError> {
    for segment in expired {
        let name = file_name(*segment);
        tracing::info!(segment = name, "removing a segment of the log that is past retention");
        storage.remove(&name).map_err(|e| failed("remove", &name, e))?;
    }
    if expired.is_empty() { Ok(()) } else { sync_folder(storage) }
}

/// Does an erasure once more that may not have been finished. One whose segment is gone, or is
/// another than it was, has nothing to erase.
fn redo(storage: &dyn Storage, erasure: &Erasure) -> Result<(), OpenError> {
    let name = file_name(erasure.position.segment);
    let file = match storage.open(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(|e| failed("open", &name, e))?,
    };
    if !erasure.fits(&*file).map_err(|e| failed("read", &name, e))? {
        tracing::warn!(segment = name, seq = erasure.seq, "an event to erase is not there");
        return Ok(());
    }
    let written = erasure.write(&*file).and_then(|()| file.sync());
    written.map_err(|e| failed("erase an event in", &name, e))
}

/// The segments in their order, and the last one apart when it never was more than begun.
fn survey(storage: &dyn Storage, firsts: &[Seq]) -> Result<(Vec<Found>, Option<Seq>), OpenError> {
    let mut found = Vec::with_capacity(firsts.len());
    for (nth, &first_seq) in firsts.iter().enumerate() {
        let (bytes, header) = look(storage, first_seq)?;
        // The header is durable before a batch is written, so a file that is longer had one.
        // The very first segment is 1; any other had one before it.
        let unborn =
            nth + 1 == firsts.len() && bytes <= SEGMENT_START && (nth > 0 || first_seq == 1);
        match header {
            Ok(header) if header.first_seq == first_seq => {
                found.push(Found { first_seq, bytes, header });
            }
            // A block that a power cut gave to the file may still hold what it held before.
            Ok(_) | Err(HeaderError::Broken(_)) if unborn => return Ok((found, Some(first_seq))),
            Ok(header) => {
                let other = file_name(header.first_seq);
                let reason = format!("its header is that of `{other}`");
                return Err(OpenError::damaged(first_seq, 0, reason));
            }
            Err(HeaderError::Newer(found)) => {
                return Err(OpenError::Newer { segment: first_seq, found, known: FORMAT_VERSION });
            }
            Err(HeaderError::Broken(reason)) => {
                return Err(OpenError::damaged(first_seq, 0, reason));
            }
        }
    }
    Ok((found, None))
}

/// Removes large calls that had not become segments: none of them was answered.
fn remove_staged(storage: &dyn Storage) -> Result<(), OpenError> {
    let names = storage.list().map_err(|e| failed("list", "log", e))?;
    for name in names.iter().filter(|name| is_staged(name)) {
        tracing::warn!(file = name, "removing a large event that was not stored to its end");
        storage.remove(name).map_err(|e| failed("remove", name, e))?;
    }
    Ok(())
}

/// The length and the header of a segment.
fn look(
    storage: &dyn Storage,
    first_seq: Seq,
) -> Result<(u64, Result<SegmentHeader, HeaderError>), OpenError> {
    let name = file_name(first_seq);
    let file = storage.open(&name).map_err(|e| failed("open", &name, e))?;
    let bytes = file.bytes().map_err(|e| failed("measure", &name, e))?;
    if bytes < SEGMENT_START {
        return Ok((bytes, Err(HeaderError::Broken("it is shorter than a segment's header"))));
    }
    let mut header = [0; SEGMENT_HEADER_BYTES];
    file.read_at(0, &mut header).map_err(|e| failed("read", &name, e))?;
    Ok((bytes, SegmentHeader::decode(&header)))
}

/// Whether each segment continues the one before it, which ends where it ended. The first may
/// continue one that retention has removed.
fn check_chain(found: &[Found]) -> Result<(), OpenError> {
    for (before, next) in found.iter().zip(found.iter().skip(1)) {
        let header = next.header;
        if header.previous != before.first_seq {
            let (segment, next) = (header.previous, next.first_seq);
            return Err(OpenError::Missing { segment, next });
        }
        if header.previous_end != before.bytes {
            let (expected, bytes) = (header.previous_end, before.bytes);
            let reason = format!("expected {expected} bytes, found {bytes}");
            return Err(OpenError::damaged(before.first_seq, bytes.min(expected), reason));
        }
    }
    Ok(())
}

fn not_behind(head: Seq, indexed: Option<Seq>) -> Result<(), OpenError> {
    match indexed {
        Some(indexed) if indexed > head => Err(OpenError::Behind { head, indexed }),
        _ => Ok(()),
    }
}

/// Begins an empty log.
fn begin(storage: &dyn Storage, unborn: Option<Seq>) -> Result<Recovered, OpenError> {
    if let Some(unborn) = unborn {
        forget(storage, unborn)?;
    }
    remove_staged(storage)?;
    let first = file_name(1);
    let tag = random::number().map_err(|e| failed("begin", &first, e))?;
    let last_id = EventId::from_bytes([0; 16]);
    let header = SegmentHeader { first_seq: 1, tag, previous: 0, previous_end: 0, last_id };
    let active = storage
        .create(&first)
        .and_then(|file| begin_segment(storage, file, header))
        .map_err(|e| failed("begin", &first, e))?;
    let extents = BTreeMap::from([(1, active.end)]);
    Ok(Recovered { extents, active, head: 0, last_id })
}

/// Removes a segment that a power cut left without its header.
fn forget(storage: &dyn Storage, first_seq: Seq) -> Result<(), OpenError> {
    let name = file_name(first_seq);
    tracing::warn!(segment = name, "removing a segment of the log that was only begun");
    storage.remove(&name).map_err(|e| failed("remove", &name, e))?;
    sync_folder(storage)
}

/// Makes durable what was found, so that what is shown from here on stays.
///
/// The last batch may have been written without having been synced. It is written once more,
/// because a sync that failed before may have left pages that count as clean.
fn settle(
    storage: &dyn Storage,
    file: &dyn StorageFile,
    last: &Found,
    walk: &Walk,
) -> Result<(), OpenError> {
    let name = file_name(last.first_seq);
    if walk.end < last.bytes {
        let bytes = last.bytes - walk.end;
        tracing::warn!(
            segment = name,
            offset = walk.end,
            bytes,
            "cutting off what a power cut left unfinished"
        );
        file.truncate(walk.end).map_err(|e| failed("cut", &name, e))?;
    }
    let length = usize::try_from(walk.end - walk.last_batch).unwrap_or(usize::MAX);
    let mut batch = vec![0; length];
    file.read_at(walk.last_batch, &mut batch).map_err(|e| failed("read", &name, e))?;
    file.write_at(walk.last_batch, &batch).map_err(|e| failed("write", &name, e))?;
    file.sync().map_err(|e| failed("sync", &name, e))?;
    sync_folder(storage)
}

fn sync_folder(storage: &dyn Storage) -> Result<(), OpenError> {
    storage.sync_folder().map_err(|e| failed("sync", "log", e))
}

fn failed(action: &'static str, file: &str, source: io::Error) -> OpenError {
    OpenError::Io { action, file: file.to_owned(), source }
}
