//! The bytes of a segment as they are written anew: what was kept, and a frame in the place of
//! each event that was lost.

use super::salvage::Part;
use crate::{
    Seq,
    log::{
        Keys,
        format::{BatchHeader, SegmentHeader},
        frame::lost_frame,
    },
};
use headgate_event::{EventId, limits::BATCH_EVENTS_MAX};
use std::ops::Range;

/// A segment with this header that holds these parts of the old one.
pub(super) fn mended(header: &SegmentHeader, old: &[u8], parts: &[Part]) -> Vec<u8> {
    let mut segment = header.encode().to_vec();
    let mut frames: Vec<u8> = Vec::new();
    let mut loose: Option<(Seq, u32)> = None;
    for part in parts {
        match part {
            Part::Batch(range, first_seq, count) => {
                put(&mut segment, header.tag, loose.take(), &mut frames);
                frames.extend_from_slice(old.get(range.clone()).unwrap_or_default());
                put(&mut segment, header.tag, Some((*first_seq, *count)), &mut frames);
            }
            Part::Frame(range, seq) => {
                frames.extend_from_slice(old.get(range.clone()).unwrap_or_default());
                let (first, count) = loose.unwrap_or((*seq, 0));
                loose = Some((first, count + 1));
            }
            Part::Lost(lost, after) => {
                put(&mut segment, header.tag, loose.take(), &mut frames);
                put_lost(&mut segment, header.tag, lost.clone(), *after);
            }
        }
    }
    put(&mut segment, header.tag, loose, &mut frames);
    segment
}

/// Frames that stand for lost events, in batches of the usual size.
fn put_lost(segment: &mut Vec<u8>, tag: u64, lost: Range<Seq>, after: EventId) {
    let (keys, mut id) = (Keys::lost().encode(), after);
    let (mut first, mut frames) = (lost.start, Vec::new());
    for seq in lost.clone() {
        id = id.next();
        frames.extend_from_slice(&lost_frame(seq, id, &keys));
        let count = seq + 1 - first;
        if count == BATCH_EVENTS_MAX as u64 || seq + 1 == lost.end {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            put(segment, tag, Some((first, count)), &mut frames);
            first = seq + 1;
        }
    }
}

/// One batch; none when it has no frames.
fn put(segment: &mut Vec<u8>, tag: u64, batch: Option<(Seq, u32)>, frames: &mut Vec<u8>) {
    let Some((first_seq, count)) = batch else { return };
    let header = BatchHeader {
        tag,
        first_seq,
        // All of the file is synced before it gets its name.
        durable_end: segment.len() as u64,
        count,
        // Its frames came out of one segment, whose batches are far shorter.
        payload_bytes: u32::try_from(frames.len()).unwrap_or(u32::MAX),
        payload_crc: crc32c::crc32c(frames),
    };
    segment.extend_from_slice(&header.encode());
    segment.append(frames);
}
