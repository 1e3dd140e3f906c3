//! Work that grows with the size of a message, done where it holds up nobody.

use crate::{Matched, Message, Receipt};
use bytes::Bytes;
use headgate_event::{Draft, limits::BLOCKING_BYTES_MIN, prompt::PromptKey};

/// Reads a message.
pub(super) async fn read(bytes: &Bytes) -> Option<Message> {
    let bytes = bytes.clone();
    apart(bytes.len(), move || Message::read(bytes)).await
}

/// The events of a message, one for each channel.
pub(super) async fn drafts(
    message: Message,
    receipt: Receipt,
    channels: Vec<Matched>,
    key: PromptKey,
) -> Option<Vec<Draft>> {
    let size = message.raw().len().saturating_mul(channels.len());
    let drafted =
        move || channels.iter().map(|matched| message.draft(matched, &receipt, &key)).collect();
    apart(size, drafted).await
}

async fn apart<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if bytes < BLOCKING_BYTES_MIN {
        return Some(work());
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.inspect_err(|error| tracing::error!(%error, "a message could not be read")).ok()
}
