//! A body as far as it has come: in memory while it is small, in a temporary file beyond.

use super::{
    BodyHold, IntakeOptions,
    hold::{ByteBound, Share},
    spool::{SpoolDir, Spooled},
};
use crate::Reject;
use bytes::Bytes;
use headgate_event::limits::{self, BODY_RETRY_AFTER};
use std::{fmt, mem};

/// The most memory that is set aside for a body because its sender announced it.
const ANNOUNCED_BYTES_MAX: usize = 16 << 10;

/// A body that is not whole yet.
#[derive(Debug)]
pub struct Arriving<'a> {
    options: &'a IntakeOptions,
    spool: &'a SpoolDir,
    /// What came and is not in the file.
    part: Vec<u8>,
    /// The memory that `part` holds.
    share: Share,
    file: Option<Spooled>,
}

impl<'a> Arriving<'a> {
    /// Nothing of a body of which so many bytes are announced.
    pub(super) fn new(
        options: &'a IntakeOptions,
        memory: &ByteBound,
        spool: &'a SpoolDir,
        announced: u64,
    ) -> Self {
        let capacity = usize::try_from(announced).unwrap_or(usize::MAX).min(ANNOUNCED_BYTES_MAX);
        let part = Vec::with_capacity(capacity);
        Self { options, spool, part, share: memory.share(), file: None }
    }

    /// How many bytes have come.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.part.len() + self.file.as_ref().map_or(0, Spooled::bytes)
    }

    /// Takes the next bytes. What fails is our fault or our limit, never the sender's.
    pub async fn append(&mut self, data: &[u8]) -> Result<(), Reject> {
        if self.part.len().saturating_add(data.len()) > self.part_bytes_max() {
            self.spill().await?;
        }
        self.share.grow(data.len()).map_err(ours)?;
        self.part.extend_from_slice(data);
        Ok(())
    }

    /// The whole body, in memory, and what it holds of it.
    pub async fn finish(mut self) -> Result<(Bytes, BodyHold), Reject> {
        if self.file.is_some() {
            self.spill().await?;
        }
        let Some(file) = self.file else {
            return Ok((self.part.into(), self.share.into_hold()));
        };
        let waited = self.share.grow_within(file.bytes(), self.options.memory_wait).await;
        waited.map_err(ours)?;
        let body = file.read_back().await.map_err(ours)?;
        Ok((body.into(), self.share.into_hold()))
    }

    /// How large the part in memory may become: small once there is a file to write to.
    fn part_bytes_max(&self) -> usize {
        let max = self.options.body_memory_bytes_max;
        if self.file.is_some() { max.min(limits::SPOOL_WRITE_BYTES) } else { max }
    }

    /// Moves the part from memory to the file.
    async fn spill(&mut self) -> Result<(), Reject> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.spool.file().await.map_err(ours)?,
        };
        let part = mem::take(&mut self.part);
        self.file = Some(file.append(part).await.map_err(ours)?);
        self.share.release();
        Ok(())
    }
}

/// What fails here is never the sender's fault. The rest of its body is not read.
fn ours(cause: impl fmt::Display) -> Reject {
    Reject::unavailable(cause, BODY_RETRY_AFTER).closing()
}
