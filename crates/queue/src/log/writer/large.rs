//! Completing a large call: its frames are durable in a file of their own, which becomes the next
//! segment between two batches.

use super::{Batch, Health, Writer, count};
use crate::log::{
    Place, StorageFile,
    format::{BATCH_HEADER_BYTES, BatchHeader, SEGMENT_START, SegmentHeader, file_name},
    frame::{FRAME_BODY_AT, joined_crc},
    is_full,
    large::{FIRST_FRAME, Staged, discard},
    recovery::Active,
};
use headgate_event::Accepted;
use std::{io, sync::Arc, time::Instant};

/// Where a frame was written before its place was known, and the checksum of its body.
type Written = (u64, u32);

impl Writer {
    /// Stores what came while the batch was gathered.
    pub(super) fn commit_held_large(&mut self) {
        if let Some(staged) = self.large.take() {
            self.commit_large(staged);
        }
    }

    /// Gives a large call its place in the order and answers it.
    pub(super) fn commit_large(&mut self, staged: Staged) {
        let header = match self.header_of_large() {
            Ok(header) => header,
            Err(reason) => {
                discard(self.shared.reader.storage(), &staged.name);
                return staged.call.refuse(&reason);
            }
        };
        self.forget();
        let mut written = staged.places();
        let Staged { file, name, call } = staged;
        let start = Place { segment: header.first_seq, offset: FIRST_FRAME };
        let mut batch = Batch::at(start, 1);
        self.take(call, self.clock.now(), &mut batch);
        if batch.frames.is_empty() {
            discard(self.shared.reader.storage(), &name);
            return self.publish(batch);
        }
        let accepted = batch.answers.iter().flat_map(|(_, accepted)| accepted);
        let mut fresh = accepted.map(|accepted| matches!(accepted, Accepted::New(_)));
        written.retain(|_| fresh.next().unwrap_or_default());
        drop(fresh);
        // Until it is renamed the file is nothing, and what fails concerns this call alone.
        let begun = Instant::now();
        let completed = complete(&*file, header, &batch, &written).map_err(|error| {
            discard(self.shared.reader.storage(), &name);
            format!("cannot complete `{name}`: {error}")
        });
        match completed.and_then(|()| self.adopt(file, &name, header, &batch)) {
            Ok(()) => {
                count(&batch, batch.end - FIRST_FRAME, begun.elapsed());
                self.publish(batch);
            }
            Err(reason) => {
                tracing::error!(reason, "a large event cannot be stored");
                self.refuse(batch, &reason);
            }
        }
    }

    /// The header of the segment that a large call becomes. An empty segment is replaced by it,
    /// because both are named by the same event.
    fn header_of_large(&self) -> Result<SegmentHeader, String> {
        if self.health == Health::Poisoned {
            return Err(self.shared.fault().unwrap_or_default());
        }
        if self.active.end == SEGMENT_START { Ok(self.active.header) } else { self.next_header() }
    }

    /// Makes a file that is whole the active segment.
    fn adopt(
        &mut self,
        file: Arc<dyn StorageFile>,
        name: &str,
        header: SegmentHeader,
        batch: &Batch,
    ) -> Result<(), String> {
        let storage = self.shared.reader.storage();
        if let Err(error) = storage.rename(name, &file_name(header.first_seq)) {
            // It may have been renamed all the same. A file that can be removed by its old name
            // was not.
            return Err(match storage.remove(name) {
                Ok(()) => format!("cannot rename `{name}`: {error}"),
                Err(_) => self.poison("begin a segment after", &error),
            });
        }
        if let Err(error) = storage.sync_folder() {
            let replaced = self.active.header.first_seq == header.first_seq;
            return Err(if replaced && is_full(&error) {
                self.poison("replace", &error)
            } else {
                self.not_begun(header, &error)
            });
        }
        self.active = Active { file, header, end: batch.end };
        self.head += batch.frames.len() as u64;
        self.shared.reader.begin(&self.active);
        Ok(())
    }
}

/// Writes what was not known before, and syncs it. Frames behind one that is a repeat are written
/// once more, further to the front.
fn complete(
    file: &dyn StorageFile,
    header: SegmentHeader,
    batch: &Batch,
    written: &[Written],
) -> io::Result<()> {
    let wide = |_| io::Error::other("a batch is longer than its header can say");
    let (mut payload_crc, mut at) = (0, FIRST_FRAME);
    for (frame, (before, body_crc)) in batch.frames.iter().zip(written) {
        if *before == at {
            file.write_at(at, &frame[..FRAME_BODY_AT])?;
        } else {
            file.write_at(at, frame)?;
        }
        payload_crc = joined_crc(payload_crc, frame, *body_crc);
        at += frame.len() as u64;
    }
    if file.bytes()? != at {
        file.truncate(at)?;
    }
    let batch_header = BatchHeader {
        tag: header.tag,
        first_seq: header.first_seq,
        durable_end: SEGMENT_START,
        count: u32::try_from(batch.frames.len()).map_err(wide)?,
        payload_bytes: u32::try_from(at - FIRST_FRAME).map_err(wide)?,
        payload_crc,
    };
    let mut headers = Vec::with_capacity(SEGMENT_START as usize + BATCH_HEADER_BYTES);
    headers.extend_from_slice(&header.encode());
    headers.extend_from_slice(&batch_header.encode());
    file.write_at(0, &headers)?;
    file.sync()
}
