//! What a stream says to its client, whatever carries it.

use super::connection::Ended;
use crate::shown::Shown;

/// How a stream speaks. Whoever speaks waits until the client takes it: no more than one write
/// buffer is held.
pub(super) trait Voice {
    /// Waits for `wanted`; what else has to be said goes out meanwhile.
    async fn until<T>(&mut self, wanted: impl Future<Output = T>) -> Result<T, Ended>;

    /// Says an event; it may stay in the write buffer until [`flush`](Self::flush).
    async fn event(&mut self, event: &Shown) -> Result<(), Ended>;

    /// Says that so many events were left out, those of other filters included; that it cannot be
    /// known how many, when there is no number.
    async fn lagged(&mut self, missed: Option<u64>) -> Result<(), Ended>;

    /// Says that no event comes any more.
    async fn drained(&mut self) -> Result<(), Ended>;

    /// Returns once all of it is on its way.
    async fn flush(&mut self) -> Result<(), Ended>;
}
