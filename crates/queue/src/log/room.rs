//! Whether the disk has room for more events. A disk that is nearly full takes none, long before
//! anything breaks on it; reading goes on.

use super::Shared;
use headgate_event::limits::DISK_FREE_AGAIN_BYTES;
use std::sync::PoisonError;

/// Looks how many bytes are free and notes whether they are too few.
pub(super) fn check(shared: &Shared, free_bytes_min: u64) {
    let free = match shared.reader.storage().free_bytes() {
        Ok(free) => free,
        Err(error) => {
            tracing::warn!(%error, "cannot see how much of the disk is free");
            return;
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
    metrics::gauge!("headgate_disk_free_bytes").set(free as f64);
    let mut shortage = shared.shortage.lock().unwrap_or_else(PoisonError::into_inner);
    let was_short = shortage.is_some();
    let more = if was_short { DISK_FREE_AGAIN_BYTES } else { 0 };
    if free >= free_bytes_min.saturating_add(more) {
        *shortage = None;
        if was_short {
            tracing::info!(free, "the disk has room again");
        }
        return;
    }
    if !was_short {
        tracing::error!(free, free_bytes_min, "the disk is nearly full: no event is taken");
    }
    *shortage = Some(format!(
        "the disk is nearly full: {free} bytes are free, fewer than the {free_bytes_min} to keep"
    ));
}
