//! The writer without its thread: a test decides when it works, so that the same calls make the
//! same batches in every run.

use super::{Message, Writer};
use tokio::sync::{mpsc, watch};

/// The writer without its thread.
pub(in crate::log) struct ByHand {
    writer: Writer,
    queue: mpsc::Receiver<Message>,
    _alive: watch::Sender<()>,
}

impl ByHand {
    pub(in crate::log) fn new(
        writer: Writer,
        queue: mpsc::Receiver<Message>,
        alive: watch::Sender<()>,
    ) -> Self {
        Self { writer, queue, _alive: alive }
    }

    /// Stores one batch of what is queued; `false` when nothing is.
    pub(in crate::log) fn step(&mut self) -> bool {
        let first = match self.writer.held.take() {
            Some(held) => held,
            None => match self.queue.try_recv() {
                Ok(Message::Append(call)) => call,
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
        self.writer.perform_held();
        true
    }
}
