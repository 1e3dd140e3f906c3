//! Reading what is durable: one frame by its position, or many in their order.

use super::{
    Erasure, Frame, LogError, Storage, StorageFile, erase,
    format::{
        BATCH_HEADER_BYTES, BATCH_MAGIC, SEGMENT_HEADER_BYTES, SEGMENT_START, SegmentHeader,
        file_name,
    },
    frame::{FRAME_HEAD_BYTES, FRAME_LENGTH_MAX},
    recovery::Active,
};
use crate::Seq;
use bytes::Bytes;
use headgate_event::limits::SEGMENTS_OPEN_MAX;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

/// How much a scan reads at once.
const CHUNK_BYTES: u64 = 256 << 10;

/// A byte of the log: where a frame or a batch begins, or where a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// The first sequence of the segment, which names its file.
    pub segment: Seq,
    /// The offset in it.
    pub offset: u64,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    /// The first sequence of the segment, which names its file.
    pub segment: Seq,
    /// The offset of the frame in it.
    pub offset: u64,
    /// The length of the frame.
    pub len: u32,
}

/// Some frames in their order, and where the next one is or will be.
#[derive(Clone, Debug)]
pub(crate) struct Scanned {
    /// The frames; none at the end of the log.
    pub frames: Vec<Frame>,
    /// What to scan from for those after them.
    pub next: Place,
}

/// The header of a batch, as it is in the file.
type BatchBytes = [u8; BATCH_HEADER_BYTES];

/// The durable part of the segments.
pub(super) struct Reader {
    storage: Arc<dyn Storage>,
    catalog: Mutex<Catalog>,
    /// Frames that are being erased, as they are read from the moment that begins.
    erased: RwLock<BTreeMap<Place, Frame>>,
    /// Held while a frame of a sealed segment is overwritten: two in one batch would spoil its
    /// checksum.
    erasing: Mutex<()>,
}

struct Catalog {
    /// The durable end of each segment, by its first sequence.
    extents: BTreeMap<Seq, u64>,
    /// Some of their files.
    files: BTreeMap<Seq, Arc<dyn StorageFile>>,
    /// Events before this one are not shown any more, although their segment may be there.
    shown_from: Seq,
}

impl Position {
    /// The place right behind the frame.
    pub(crate) fn end(self) -> Place {
        Place { segment: self.segment, offset: self.offset.saturating_add(self.len.into()) }
    }
}

impl Reader {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        extents: BTreeMap<Seq, u64>,
        active: &Active,
    ) -> Self {
        let files = BTreeMap::from([(active.header.first_seq, Arc::clone(&active.file))]);
        let catalog = Mutex::new(Catalog { extents, files, shown_from: 0 });
        Self { storage, catalog, erased: RwLock::default(), erasing: Mutex::default() }
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    pub(super) fn extents(&self) -> BTreeMap<Seq, u64> {
        self.catalog().extents.clone()
    }

    pub(super) fn first_seq(&self) -> Seq {
        let catalog = self.catalog();
        catalog.extents.keys().next().copied().unwrap_or(1).max(catalog.shown_from)
    }

    pub(super) fn place_before(&self, seq: Seq) -> Place {
        let catalog = self.catalog();
        let segment = catalog.extents.range(..=seq).next_back().or(catalog.extents.iter().next());
        Place { segment: segment.map_or(1, |(first, _)| *first), offset: SEGMENT_START }
    }

    /// Shows what a batch added to its segment.
    pub(super) fn extend(&self, end: Place) {
        self.catalog().extents.insert(end.segment, end.offset);
    }

    /// Shows a segment that was begun.
    pub(super) fn begin(&self, active: &Active) {
        let mut catalog = self.catalog();
        catalog.extents.insert(active.header.first_seq, active.end);
        catalog.keep(active.header.first_seq, Arc::clone(&active.file));
    }

    pub(super) fn read(&self, position: Position) -> Result<Frame, LogError> {
        let at = Place { segment: position.segment, offset: position.offset };
        let (file, end) = self.file(at)?;
        let length = usize::try_from(position.len).unwrap_or(usize::MAX);
        let inside = at.offset >= SEGMENT_START && position.end().offset <= end;
        if !inside || !(FRAME_HEAD_BYTES..=FRAME_LENGTH_MAX).contains(&length) {
            return Err(LogError::outside(at));
        }
        self.decoded(&read_bytes(&*file, at, length)?, at, &*file)
    }

    /// Durable bytes from a place on.
    pub(super) fn bytes(&self, at: Place, length: u64) -> Result<Bytes, LogError> {
        let (file, end) = self.file(at)?;
        match usize::try_from(length) {
            Ok(length) if at.offset + length as u64 <= end => read_bytes(&*file, at, length),
            _ => Err(LogError::outside(at)),
        }
    }

    pub(super) fn scan(
        &self,
        from: Place,
        frames_max: usize,
        bytes_max: usize,
    ) -> Result<Scanned, LogError> {
        let mut scan = Scan { reader: self, frames: Vec::new(), frames_max, bytes_left: bytes_max };
        let mut place = Place { offset: from.offset.max(SEGMENT_START), ..from };
        loop {
            let (file, end) = self.file(place)?;
            if place.offset > end {
                return Err(LogError::outside(place));
            }
            while place.offset < end && !scan.is_full() {
                place = scan.chunk(&*file, place, end)?;
            }
            let next = self.catalog().extents.range(place.segment + 1..).next().map(|(s, _)| *s);
            match next {
                // The end is looked up again: the segment may have grown before the next began.
                Some(segment) if !scan.is_full() && self.file(place)?.1 == place.offset => {
                    place = Place { segment, offset: SEGMENT_START };
                }
                _ => return Ok(Scanned { frames: scan.frames, next: place }),
            }
        }
    }

    /// Shows no event before this one any more.
    pub(super) fn hide_before(&self, seq: Seq) {
        let mut catalog = self.catalog();
        catalog.shown_from = catalog.shown_from.max(seq);
    }

    /// Removes the segments that end before this event, oldest first, and answers how many and
    /// how many bytes they had. One that cannot be removed stays for the next call.
    pub(super) fn remove_before(&self, seq: Seq) -> Result<(u64, u64), LogError> {
        let (mut segments, mut bytes) = (0, 0);
        let mut removed = Ok(());
        while let Some((segment, end)) = self.take_oldest_before(seq) {
            let at = Place { segment, offset: 0 };
            removed = self.storage.remove(&file_name(segment)).map_err(|e| LogError::io(at, e));
            if removed.is_err() {
                self.catalog().extents.insert(segment, end);
                break;
            }
            segments += 1;
            bytes += end;
        }
        if segments > 0 {
            let at = Place { segment: seq, offset: 0 };
            self.storage.sync_folder().map_err(|error| LogError::io(at, error))?;
        }
        removed.map(|()| (segments, bytes))
    }

    /// Takes the oldest segment out of what is read, when it ends before this event.
    fn take_oldest_before(&self, seq: Seq) -> Option<(Seq, u64)> {
        let mut catalog = self.catalog();
        catalog.extents.keys().nth(1).filter(|next| **next <= seq)?;
        let (segment, end) = catalog.extents.pop_first()?;
        catalog.files.remove(&segment);
        Some((segment, end))
    }

    /// What erasing the event of a frame has to write.
    pub(super) fn batch_of(&self, position: Position) -> Result<(u64, BatchBytes), LogError> {
        let start = Place { segment: position.segment, offset: SEGMENT_START };
        let (file, _) = self.file(start)?;
        let header = read_bytes(&*file, Place { offset: 0, ..start }, SEGMENT_HEADER_BYTES)?;
        let header = header.first_chunk().map(SegmentHeader::decode);
        let Some(Ok(SegmentHeader { tag, .. })) = header else {
            return Err(LogError::damaged(start, "its header is not that of this segment"));
        };
        erase::batch_of(&*file, tag, start, position)
    }

    /// Reads the frame as an erased one from here on.
    pub(super) fn begin_erasing(&self, erasure: &Erasure, frame: Frame) {
        let mut erased = self.erased.write().unwrap_or_else(PoisonError::into_inner);
        erased.insert(erasure.place(), frame);
    }

    /// Takes it that the frame is erased in its file.
    pub(super) fn end_erasing(&self, erasure: &Erasure) {
        self.erased.write().unwrap_or_else(PoisonError::into_inner).remove(&erasure.place());
    }

    /// Overwrites a frame of a segment that is not written to any more, durably.
    pub(super) fn erase_sealed(&self, erasure: &Erasure) -> Result<(), LogError> {
        let place = erasure.place();
        let _one = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, _) = self.file(place)?;
        erasure.write(&*file).and_then(|()| file.sync()).map_err(|e| LogError::io(place, e))
    }

    /// The frame in these bytes, or what is left of it when it is being erased.
    fn decoded(&self, bytes: &Bytes, at: Place, file: &dyn StorageFile) -> Result<Frame, LogError> {
        if let Some(erased) = self.erased_at(at) {
            return Ok(erased);
        }
        Frame::decode(bytes, at).or_else(|error| {
            // It may have been overwritten while it was read.
            let erased = self.erased_at(at).map(Ok);
            erased.unwrap_or_else(|| {
                let again = read_bytes(file, at, bytes.len())?;
                Frame::decode(&again, at).map_err(|_| error)
            })
        })
    }

    fn erased_at(&self, at: Place) -> Option<Frame> {
        self.erased.read().unwrap_or_else(PoisonError::into_inner).get(&at).cloned()
    }

    /// The file of a place and its durable end.
    fn file(&self, at: Place) -> Result<(Arc<dyn StorageFile>, u64), LogError> {
        let (kept, end) = {
            let catalog = self.catalog();
            let outside = || LogError::outside(at);
            let end = catalog.extents.get(&at.segment).copied().ok_or_else(outside)?;
            (catalog.files.get(&at.segment).cloned(), end)
        };
        if let Some(file) = kept {
            return Ok((file, end));
        }
        // The writer needs the catalog to show what it has stored, so it is not held over a disk.
        let file = self.open(at)?;
        self.catalog().keep(at.segment, Arc::clone(&file));
        Ok((file, end))
    }

    fn open(&self, at: Place) -> Result<Arc<dyn StorageFile>, LogError> {
        let file = self.storage.open(&file_name(at.segment)).map_err(|e| LogError::io(at, e))?;
        let start = Place { offset: 0, ..at };
        let header = read_bytes(&*file, start, SEGMENT_HEADER_BYTES)?;
        let header = header.first_chunk().map(SegmentHeader::decode);
        if !header.is_some_and(|h| h.is_ok_and(|header| header.first_seq == at.segment)) {
            return Err(LogError::damaged(start, "its header is not that of this segment"));
        }
        Ok(file)
    }

    fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Catalog {
    /// Keeps a file open, and lets go of the oldest when there are many.
    fn keep(&mut self, segment: Seq, file: Arc<dyn StorageFile>) {
        if self.files.len() >= SEGMENTS_OPEN_MAX {
            self.files.pop_first();
        }
        self.files.insert(segment, file);
    }
}

/// A scan on its way.
struct Scan<'a> {
    reader: &'a Reader,
    frames: Vec<Frame>,
    frames_max: usize,
    bytes_left: usize,
}

impl Scan<'_> {
    fn is_full(&self) -> bool {
        self.frames.len() >= self.frames_max || (self.bytes_left == 0 && !self.frames.is_empty())
    }

    /// Reads one chunk and takes the frames that are whole in it; gives the place behind them.
    fn chunk(&mut self, file: &dyn StorageFile, from: Place, end: u64) -> Result<Place, LogError> {
        let left = end - from.offset;
        let mut length = usize::try_from(left.min(CHUNK_BYTES)).unwrap_or(usize::MAX);
        let mut bytes = read_bytes(file, from, length)?;
        if let Some(needed) = needed(&bytes, from)?.filter(|needed| *needed > length) {
            if needed as u64 > left {
                return Err(LogError::damaged(from, "a frame reaches beyond its segment"));
            }
            length = needed;
            bytes = read_bytes(file, from, length)?;
        }
        let mut place = from;
        while !bytes.is_empty() && !self.is_full() {
            let Some(needed) = needed(&bytes, place)?.filter(|needed| *needed <= bytes.len())
            else {
                // The rest comes with the next chunk. A first frame is always whole.
                break;
            };
            let whole = bytes.split_to(needed);
            if !whole.starts_with(&BATCH_MAGIC) {
                self.bytes_left = self.bytes_left.saturating_sub(whole.len());
                self.frames.push(self.reader.decoded(&whole, place, file)?);
            }
            place.offset += needed as u64;
        }
        if place == from {
            return Err(LogError::damaged(from, "a batch or frame is cut short"));
        }
        Ok(place)
    }
}

/// How long the batch header or frame is that begins here; `None` when too little of it is known.
fn needed(bytes: &[u8], at: Place) -> Result<Option<usize>, LogError> {
    let Some(first) = bytes.first_chunk::<4>() else { return Ok(None) };
    if *first == BATCH_MAGIC {
        return Ok(Some(BATCH_HEADER_BYTES));
    }
    let length = usize::try_from(u32::from_le_bytes(*first)).unwrap_or(usize::MAX);
    if (FRAME_HEAD_BYTES..=FRAME_LENGTH_MAX).contains(&length) {
        Ok(Some(length))
    } else {
        Err(LogError::damaged(at, "expected a batch or a frame, found neither"))
    }
}

fn read_bytes(file: &dyn StorageFile, at: Place, length: usize) -> Result<Bytes, LogError> {
    let mut buffer = vec![0; length];
    file.read_at(at.offset, &mut buffer).map_err(|error| LogError::io(at, error))?;
    Ok(Bytes::from(buffer))
}
