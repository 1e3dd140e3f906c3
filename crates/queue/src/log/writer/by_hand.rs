//! The writer without its thread: a test decides when it works, so that the same calls make the
//! same batches in every run.

use super::{Call, Message, Writer};
use crate::log::large::{Next, Stager, Staging};
use tokio::sync::{mpsc, watch};

/// The writer and the one who writes large calls, without their threads.
pub(in crate::log) struct ByHand {
    writer: Writer,
    queue: mpsc::Receiver<Message>,
    stager: Stager,
    large: mpsc::Receiver<Call>,
    staging: Option<Staging>,
    _alive: watch::Sender<()>,
}

impl ByHand {
    pub(in crate::log) fn new(
        writer: Writer,
        queue: mpsc::Receiver<Message>,
        stager: Stager,
        large: mpsc::Receiver<Call>,
        alive: watch::Sender<()>,
    ) -> Self {
        Self { writer, queue, stager, large, staging: None, _alive: alive }
    }

    /// Writes a slice of a large call and stores one batch of what is queued; `false` when there
    /// is neither.
    pub(in crate::log) fn step(&mut self) -> bool {
        let written = self.write_slice().is_some();
        self.store() || written
    }

    /// Writes a slice of the first large call; `None` when there is none, else whether that was
    /// the end of it.
    pub(in crate::log) fn write_slice(&mut self) -> Option<bool> {
        let staging = match self.staging.take() {
            Some(staging) => Some(staging),
            None => self.stager.begin(self.large.try_recv().ok()?),
        };
        match staging.and_then(|staging| self.stager.slice(staging)) {
            Some(Next::Slice(staging)) => {
                self.staging = Some(staging);
                Some(false)
            }
            Some(Next::Commit(staged)) => {
                self.stager.hand_over(staged);
                Some(true)
            }
            None => Some(true),
        }
    }

    fn store(&mut self) -> bool {
        let first = match self.writer.held.take() {
            Some(held) => held,
            None => match self.queue.try_recv() {
                Ok(Message::Append(call)) => call,
                Ok(Message::Large(staged)) => {
                    self.writer.commit_large(staged);
                    return true;
                }
                Ok(Message::Task(task)) => {
                    self.writer.perform(task);
                    return true;
                }
                Ok(Message::Probe) => {
                    self.writer.probe();
                    return true;
                }
                _ => return false,
            },
        };
        let calls = self.writer.gather(first, &mut self.queue);
        self.writer.commit(calls);
        self.writer.commit_held_large();
        self.writer.perform_held();
        true
    }
}
