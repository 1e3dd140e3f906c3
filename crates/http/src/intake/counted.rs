//! A body that is read elsewhere, as it comes, and counts against the memory for bodies meanwhile.

use super::hold::{BoundKind, ByteBound, Exhausted, Share};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    error::Error,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

/// The memory for bodies, of all requests together. A clone is the same.
#[derive(Clone, Debug)]
pub struct BodyBound(ByteBound);

/// What a counted body holds: given back when this is dropped, and the body too.
#[derive(Debug)]
pub struct CountedHold {
    _share: Arc<Mutex<Share>>,
}

pin_project_lite::pin_project! {
    /// A body of which every byte that comes is counted. Where there is no room for more it ends
    /// with [`Exhausted`].
    #[derive(Debug)]
    pub struct Counted<B> {
        #[pin]
        body: B,
        share: Arc<Mutex<Share>>,
    }
}

impl BodyBound {
    /// So many bytes of memory.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self(ByteBound::new(BoundKind::Memory, bytes_max))
    }

    pub(super) fn of(bound: &ByteBound) -> Self {
        Self(bound.clone())
    }

    /// Counts a body. Its bytes are held until both parts are dropped: the body is, when it is
    /// read, and what was read is there until the request is answered.
    pub fn count<B>(&self, body: B) -> (Counted<B>, CountedHold) {
        let share = Arc::new(Mutex::new(self.0.share()));
        (Counted { body, share: Arc::clone(&share) }, CountedHold { _share: share })
    }
}

impl<B> Body for Counted<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.project();
        let frame = match ready!(this.body.poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            Some(Ok(frame)) => frame,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let grown = this.share.lock().unwrap_or_else(PoisonError::into_inner).grow(bytes);
        Poll::Ready(Some(grown.map(|()| frame).map_err(Exhausted::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    async fn read(body: Counted<Full<Bytes>>) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
        body.collect().await.map(http_body_util::Collected::to_bytes)
    }

    #[tokio::test]
    async fn what_is_read_counts_until_its_hold_is_dropped() {
        let bound = BodyBound::new(10);
        let six = || Full::new(Bytes::from_static(b"123456"));
        let (body, hold) = bound.count(six());
        assert_eq!(read(body).await.expect("there is room").len(), 6);
        let (body, other) = bound.count(six());
        let error = read(body).await.expect_err("there is none");
        assert!(error.downcast_ref::<Exhausted>().is_some(), "{error}");
        drop((hold, other));
        let (body, _hold) = bound.count(six());
        read(body).await.expect("all is back");
    }
}
