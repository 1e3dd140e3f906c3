//! The other direction: answers, and the end of a connection. Answers are not watched, but a client
//! has to take them.

use super::{Ending, Protocol, Stage, Watch};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watch<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(this.io.get_mut()).poll_write(cx, bytes);
        this.count_written(&written);
        this.poll_unless_stalled(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(this.io.get_mut()).poll_write_vectored(cx, parts);
        this.count_written(&written);
        this.poll_unless_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.get_ref().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS takes a part of an answer before the socket does.
        let this = self.get_mut();
        let flushed = Pin::new(this.io.get_mut()).poll_flush(cx);
        this.poll_unless_stalled(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending == Ending::None {
            this.ending = Ending::Closing;
            this.alarm.set(this.options.linger_timeout);
        }
        if this.ending == Ending::Closing {
            // TLS has a last word, which the client may not take.
            match Pin::new(this.io.get_mut()).poll_shutdown(cx) {
                Poll::Ready(closed) => closed?,
                Poll::Pending => {
                    ready!(this.alarm.poll(cx));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            this.ending = Ending::Closed;
        }
        if this.has_unread() {
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Watch<I> {
    /// Whether the client may still be sending what will not be read.
    fn has_unread(&self) -> bool {
        match self.stage {
            Stage::Body { .. } | Stage::StandIn { .. } | Stage::Refused => !self.ended,
            Stage::Open(protocol) => matches!(protocol, Protocol::Chunked { .. }),
            _ => !self.held.is_empty() && !self.ended,
        }
    }

    /// Discards what still comes, for a moment: closing a socket with unread bytes resets it, and
    /// a reset may overtake the answer.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.alarm.poll(cx).is_ready() {
                return Poll::Ready(());
            }
            self.held.clear();
            match ready!(self.poll_hold(cx)) {
                Ok(true) => {}
                Ok(false) | Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// Who takes an answer of HTTP/2 sends frames that say so.
    fn count_written(&mut self, written: &Poll<io::Result<usize>>) {
        if let (Some(frames), Poll::Ready(Ok(bytes))) = (&mut self.frames, written) {
            frames.wrote(*bytes);
        }
    }

    /// Passes on what a write came to, or an error when it has waited too long for the client.
    fn poll_unless_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() || self.stage == Stage::Open(Protocol::Upgraded) {
            self.stall = None;
            return written;
        }
        let timeout = self.options.answer_stall_timeout;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(stall.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}
