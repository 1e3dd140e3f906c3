//! The body of an answer on its way to hyper.
//!
//! In HTTP/2 it is given in small parts, each when the client has taken the one before, so that the
//! watch knows of a client that does not take it. In HTTP/1 the watch sees that by itself.

use super::exchange::{InHand, Taking};
use bytes::Bytes;
use headgate_event::limits::ANSWER_PART_BYTES;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;
use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// The body of an answer. The request is in hand until it is dropped.
    #[derive(Debug)]
    pub(super) struct AnswerBody<B> {
        #[pin]
        body: Either<Full<Bytes>, B>,
        // What the body gave and hyper did not get yet.
        rest: Bytes,
        taking: Option<Taking>,
        in_hand: InHand,
    }
}

impl<B> AnswerBody<B> {
    /// The body of an answer, with whom it waits for in HTTP/2.
    pub(super) fn new(
        body: Either<Full<Bytes>, B>,
        taking: Option<Taking>,
        in_hand: InHand,
    ) -> Self {
        Self { body, rest: Bytes::new(), taking, in_hand }
    }
}

impl<B> Body for AnswerBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.project();
        let Some(taking) = this.taking else { return this.body.poll_frame(cx) };
        if this.rest.is_empty() {
            match this.body.poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => *this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Poll::Pending => {
                    taking.waits_for_service();
                    return Poll::Pending;
                }
                ended => return ended,
            }
        }
        taking.waits_for_client();
        let part = this.rest.split_to(this.rest.len().min(ANSWER_PART_BYTES));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let hint = self.body.size_hint();
        let mut with_rest = SizeHint::new();
        with_rest.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            with_rest.set_upper(upper + rest);
        }
        with_rest
    }
}
