//! The bytes of one connection on their way to hyper, with a watch on each HTTP/1 head.
//!
//! hyper never sees a head before it is whole and judged. A refused one is replaced by a stand-in,
//! so that hyper asks the service for an answer in its turn, and the service gives the refusal;
//! this way every refusal has an id, a body that explains it, and a place in the metrics.
//!
//! Between two heads the watch counts off the body. It lets all through where there is no further
//! head: HTTP/2, another protocol after an upgrade, a chunked body (whose answer closes the
//! connection).

mod writing;

use super::{
    ServerOptions,
    alarm::Alarm,
    exchange::Exchange,
    head::{Framing, Judge, Judgement},
    slots::Slot,
};
use crate::Reject;
use bytes::{Buf, BytesMut};
use std::{
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take},
    time::Sleep,
};

/// What a client sends first that speaks HTTP/2 without asking (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Stands for a head that was refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: headgate\r\n\r\n";
/// How much room is made for the bytes of a head at a time.
const READ_BYTES: usize = 4 << 10;

/// A connection under watch.
#[derive(Debug)]
pub(super) struct Watch<I> {
    io: Take<I>,
    exchange: Arc<Exchange>,
    options: Arc<ServerOptions>,
    stage: Stage,
    judge: Judge,
    /// Bytes that came and were not let through.
    held: BytesMut,
    /// The client has sent its last byte.
    ended: bool,
    alarm: Alarm,
    stall: Option<Pin<Box<Sleep>>>,
    closing: bool,
    _slot: Slot,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The first head, or the preface of HTTP/2.
    First,
    /// A head.
    Head,
    /// A judged head, of which so many bytes are still to be given to hyper.
    Passing { left: usize, framing: Framing },
    /// A body of which so many bytes are still to come.
    Body { left: u64 },
    /// Nothing that concerns hyper before the answer is written.
    Answering,
    /// All of it hyper's.
    Open(Protocol),
    /// The stand-in for a refused head, of which so many bytes are still to be given.
    StandIn { left: usize },
    /// Nobody's any more.
    Refused,
}

/// Why all bytes are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http2,
    Chunked,
    Upgraded,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Watch<I> {
    pub(super) fn new(
        io: I,
        exchange: Arc<Exchange>,
        options: Arc<ServerOptions>,
        slot: Slot,
    ) -> Self {
        Self {
            io: io.take(u64::MAX),
            exchange,
            stage: Stage::First,
            judge: Judge::new(options.head_bytes_max),
            held: BytesMut::new(),
            ended: false,
            alarm: Alarm::after(options.head_timeout),
            stall: None,
            closing: false,
            options,
            _slot: slot,
        }
    }

    /// Judges what is held. `true` when there is something to do with it.
    fn judge_held(&mut self) -> bool {
        self.drop_empty_lines();
        if self.stage == Stage::First && !self.held.is_empty() {
            if self.held.starts_with(HTTP2_PREFACE) {
                self.stage = Stage::Open(Protocol::Http2);
                return true;
            }
            if HTTP2_PREFACE.starts_with(&self.held) {
                return false;
            }
        }
        match self.judge.judge(&self.held) {
            Judgement::Incomplete => false,
            Judgement::Passed(head) => {
                self.exchange.begin();
                self.stage = Stage::Passing { left: head.bytes, framing: head.framing };
                true
            }
            Judgement::Refused(reject) => {
                self.refuse(reject);
                true
            }
        }
    }

    /// RFC 9112, 2.2: empty lines before a head are to be ignored.
    fn drop_empty_lines(&mut self) {
        loop {
            let empty_line = match *self.held {
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                _ => return,
            };
            self.held.advance(empty_line);
        }
    }

    fn refuse(&mut self, reject: Reject) {
        self.exchange.refuse(reject);
        self.exchange.begin();
        self.held.clear();
        self.held.extend_from_slice(STAND_IN);
        self.stage = Stage::StandIn { left: STAND_IN.len() };
    }

    /// Reads more into what is held; `Ok(false)` when the client has sent its last byte.
    fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.ended {
            return Poll::Ready(Ok(false));
        }
        self.held.reserve(READ_BYTES);
        self.io.set_limit(READ_BYTES as u64);
        let read = ready!(pin!(self.io.read_buf(&mut self.held)).poll(cx))?;
        self.ended = read == 0;
        Poll::Ready(Ok(!self.ended))
    }

    /// Waits for a head, and no longer than it may take. `Ok(false)` ends the connection.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if self.judge_held() {
                return Poll::Ready(Ok(true));
            }
            let idle = self.held.is_empty();
            if let Poll::Ready(more) = self.poll_hold(cx) {
                if !more? {
                    return Poll::Ready(Ok(false));
                }
                self.drop_empty_lines();
                if idle && !self.held.is_empty() && self.stage == Stage::Head {
                    self.alarm.set(self.options.head_timeout);
                }
                continue;
            }
            ready!(self.alarm.poll(cx));
            if idle {
                return Poll::Ready(Ok(false));
            }
            let message = "the head of the request came too slowly";
            self.refuse(Reject::too_slow("head_too_slow", message));
        }
    }

    /// Looks for the end of the connection while a request is in hand, so that hyper gives up a
    /// request whose sender is gone. `Ok(false)` is that end.
    fn poll_answering(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.exchange.wake_when_answered(cx.waker());
        loop {
            if self.exchange.is_upgraded() {
                self.stage = Stage::Open(Protocol::Upgraded);
                return Poll::Ready(Ok(true));
            }
            if self.exchange.in_hand() == 0 {
                self.stage = Stage::Head;
                let idle = self.held.is_empty();
                let span = if idle { self.options.idle_timeout } else { self.options.head_timeout };
                self.alarm.set(span);
                return Poll::Ready(Ok(true));
            }
            // Whoever sends more requests than are answered waits; what is held has a bound.
            if self.held.len() > self.options.head_bytes_max {
                return Poll::Pending;
            }
            if !ready!(self.poll_hold(cx))? {
                // A sender that has more in hand closed only its own half.
                return if self.held.is_empty() { Poll::Ready(Ok(false)) } else { Poll::Pending };
            }
        }
    }

    /// Gives hyper up to `bytes_max` bytes, those that are held first. Returns how many.
    fn poll_give(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
        bytes_max: u64,
    ) -> Poll<io::Result<u64>> {
        let before = to.filled().len();
        if self.held.is_empty() {
            self.io.set_limit(bytes_max);
            ready!(Pin::new(&mut self.io).poll_read(cx, to))?;
        } else {
            let bytes = self.held.len().min(to.remaining());
            let bytes = usize::try_from(bytes_max).map_or(bytes, |max| bytes.min(max));
            to.put_slice(&self.held.split_to(bytes));
        }
        Poll::Ready(Ok((to.filled().len() - before) as u64))
    }

    /// Gives hyper bytes of a head, which are held.
    fn give_held(&mut self, to: &mut ReadBuf<'_>, left: usize) -> usize {
        let bytes = left.min(to.remaining());
        to.put_slice(&self.held.split_to(bytes));
        left - bytes
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watch<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.stage {
                Stage::First | Stage::Head => {
                    if !ready!(this.poll_head(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Stage::Passing { left, framing } => {
                    this.stage = match (this.give_held(to, left), framing) {
                        (0, Framing::Chunked) => Stage::Open(Protocol::Chunked),
                        (0, Framing::Length(0)) => Stage::Answering,
                        (0, Framing::Length(left)) => Stage::Body { left },
                        (left, framing) => Stage::Passing { left, framing },
                    };
                    return Poll::Ready(Ok(()));
                }
                Stage::Body { left } => {
                    let given = ready!(this.poll_give(cx, to, left))?;
                    this.ended |= given == 0;
                    this.stage = match left.saturating_sub(given) {
                        0 => Stage::Answering,
                        left => Stage::Body { left },
                    };
                    return Poll::Ready(Ok(()));
                }
                Stage::Answering => {
                    if !ready!(this.poll_answering(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Stage::Open(_) => return this.poll_give(cx, to, u64::MAX).map_ok(drop),
                Stage::StandIn { left } => {
                    this.stage = match this.give_held(to, left) {
                        0 => Stage::Refused,
                        left => Stage::StandIn { left },
                    };
                    return Poll::Ready(Ok(()));
                }
                // The answer closes the connection.
                Stage::Refused => return Poll::Pending,
            }
        }
    }
}
