//! Calls with many bytes, on their way into files of their own.
//!
//! The writer syncs a batch in one piece, and everybody waits for it. So a call that is larger than
//! a batch is first written by a thread beside the writer, slice by slice, to a file that is no
//! segment yet. The writer only completes it ([`super::Writer`]): sequence, ids and headers, which
//! have their place in the file already. Until then the file is nothing: whatever fails here fails
//! this call alone, and opening removes it.

use super::{
    Call, Message, Prepared, Shared, Storage, StorageFile,
    format::{BATCH_HEADER_BYTES, SEGMENT_START},
    is_full, random,
};
use std::{io, sync::Arc};
use tokio::sync::mpsc;

/// Where the first frame of a segment begins.
pub(super) const FIRST_FRAME: u64 = SEGMENT_START + BATCH_HEADER_BYTES as u64;

/// The one who writes large calls to files of their own.
pub(super) struct Stager {
    shared: Arc<Shared>,
    writer: mpsc::Sender<Message>,
    slice_bytes: usize,
}

/// A call on its way into its file.
pub(super) struct Staging {
    staged: Staged,
    /// The draft that is being written, and what of its frame is.
    draft: usize,
    written: usize,
    /// Where the next byte belongs.
    end: u64,
}

/// A call whose frames are durable in a file of its own, but for what the writer knows.
pub(super) struct Staged {
    /// The file, with room for the headers of a segment and a batch.
    pub file: Arc<dyn StorageFile>,
    /// Its name as long as it is no segment.
    pub name: String,
    /// The call, with its frames: the writer may have to hand them back.
    pub call: Call,
}

/// What is to be done after a slice.
pub(super) enum Next {
    /// Another slice.
    Slice(Staging),
    /// The writer's part.
    Commit(Staged),
}

/// Whether a file in the folder of the log is one that never became a segment.
pub(super) fn is_staged(name: &str) -> bool {
    name.starts_with("large-") && name.ends_with(".tmp")
}

impl Stager {
    pub(super) fn new(
        shared: Arc<Shared>,
        writer: mpsc::Sender<Message>,
        slice_bytes: usize,
    ) -> Self {
        Self { shared, writer, slice_bytes: slice_bytes.max(1) }
    }

    /// Works until nobody is left to give it anything.
    pub(super) fn run(self, mut queue: mpsc::Receiver<Call>) {
        while let Some(call) = queue.blocking_recv() {
            let mut next = self.begin(call).map(Next::Slice);
            while let Some(Next::Slice(staging)) = next {
                next = self.slice(staging);
            }
            let Some(Next::Commit(staged)) = next else { continue };
            if let Err(unsent) = self.writer.blocking_send(Message::Large(staged))
                && let Message::Large(staged) = unsent.0
            {
                self.fail(staged, "the log is closed");
            }
        }
    }

    /// Gives a call to a writer that is driven by hand.
    #[cfg(test)]
    pub(super) fn hand_over(&self, staged: Staged) {
        assert!(self.writer.try_send(Message::Large(staged)).is_ok(), "there is room");
    }

    /// Creates the file of a call, or refuses the call.
    pub(super) fn begin(&self, call: Call) -> Option<Staging> {
        // So much is not written to a disk of which it is known that it takes nothing.
        if let Some(fault) = self.shared.fault() {
            call.refuse(&fault);
            return None;
        }
        let created = random::number().and_then(|number| {
            let name = format!("large-{number:016x}.tmp");
            Ok((self.storage().create(&name)?, name))
        });
        match created {
            Ok((file, name)) => {
                let staged = Staged { file, name, call };
                Some(Staging { staged, draft: 0, written: 0, end: FIRST_FRAME })
            }
            Err(error) => {
                call.refuse(&format!("cannot create a file for a large event: {error}"));
                None
            }
        }
    }

    /// Makes another slice durable; refuses the call when that cannot be done.
    pub(super) fn slice(&self, mut staging: Staging) -> Option<Next> {
        match staging.write(self.slice_bytes) {
            Ok(()) if staging.is_whole() => Some(Next::Commit(staging.staged)),
            Ok(()) => Some(Next::Slice(staging)),
            Err(error) => {
                let reason = if is_full(&error) {
                    format!("the disk is full: {error}")
                } else {
                    format!("cannot write `{}`: {error}", staging.staged.name)
                };
                self.fail(staging.staged, &reason);
                None
            }
        }
    }

    fn fail(&self, staged: Staged, reason: &str) {
        tracing::error!(reason, "a large event cannot be stored");
        discard(self.storage(), &staged.name);
        staged.call.refuse(reason);
    }

    fn storage(&self) -> &dyn Storage {
        self.shared.reader.storage()
    }
}

impl Staging {
    fn is_whole(&self) -> bool {
        self.draft == self.staged.call.drafts.len()
    }

    /// Writes the next so many bytes and syncs them: neither the disk's queue nor the memory of
    /// the operating system ever holds more than that of a large call.
    fn write(&mut self, slice_bytes: usize) -> io::Result<()> {
        let file = &self.staged.file;
        let mut left = slice_bytes;
        while left > 0
            && let Some(draft) = self.staged.call.drafts.get(self.draft)
        {
            let rest = draft.bytes().get(self.written..).unwrap_or_default();
            let (piece, more) = rest.split_at(left.min(rest.len()));
            file.write_at(self.end, piece)?;
            left -= piece.len();
            self.end += piece.len() as u64;
            self.written += piece.len();
            if more.is_empty() {
                (self.draft, self.written) = (self.draft + 1, 0);
            }
        }
        file.sync()
    }
}

impl Staged {
    /// Where each draft is in the file, and the checksum of its body.
    pub(super) fn places(&self) -> Vec<(u64, u32)> {
        let mut at = FIRST_FRAME;
        let place = |draft: &Prepared| {
            let place = (at, draft.body_crc());
            at += draft.len() as u64;
            place
        };
        self.call.drafts.iter().map(place).collect()
    }
}

/// Removes a file that does not become a segment.
pub(super) fn discard(storage: &dyn Storage, name: &str) {
    if let Err(error) = storage.remove(name) {
        tracing::warn!(file = name, %error, "a file stays in the log until it is opened again");
    }
}
