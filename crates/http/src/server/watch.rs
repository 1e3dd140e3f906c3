//! The bytes of one connection on their way to hyper, with a watch on each HTTP/1 head.
//!
//! hyper never sees a head before it is whole and judged. A refused one is replaced by a stand-in,
//! so that hyper asks the service for an answer in its turn, and the service gives the refusal;
//! this way every refusal has an id, a body that explains it, and a place in the metrics.
//!
//! Between two heads the watch counts off the body. It lets all through where there is no further
//! head: HTTP/2, another protocol after an upgrade, a chunked body (whose answer closes the
//! connection).

mod frames;
mod writing;

use super::{
    ServerOptions,
    alarm::Alarm,
    exchange::Exchange,
    head::{Framing, Judge, Judgement},
    held::{HeadRoom, HeadShare},
    slots::Slot,
};
use crate::Reject;
use bytes::{Buf, BytesMut};
use frames::{Flood, Frames};
use headgate_event::limits;
use metrics::counter;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take},
    time::{Instant, Sleep},
};

/// What a client sends first that speaks HTTP/2 without asking (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Stands for a head that was refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: headgate\r\n\r\n";
/// When trying again makes sense for a client that met a limit of ours.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How many bytes of a head are read at a time.
const READ_BYTES: usize = 4 << 10;
/// How many bytes of a body are read at a time at first: less than what makes hyper's buffer grow.
const SMALL_READ_BYTES: u64 = (8 << 10) - 1;

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
    /// What is held beyond what each connection may, here and in hyper.
    share: HeadShare,
    frames: Option<Frames>,
    /// The client has sent its last byte.
    ended: bool,
    alarm: Alarm,
    stall: Option<Pin<Box<Sleep>>>,
    ending: Ending,
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
    /// A body of which so many bytes have come and so many are still to come.
    Body { came: u64, left: u64 },
    /// Nothing that concerns hyper before the answer is written.
    Answering,
    /// All of it hyper's.
    Open(Protocol),
    /// The stand-in for a refused head, of which so many bytes are still to be given.
    StandIn { left: usize },
    /// Nobody's any more.
    Refused,
}

/// How far our half of the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    None,
    Closing,
    Closed,
}

/// Why all bytes are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http2,
    /// A chunked body, of which so many bytes have come.
    Chunked {
        came: u64,
    },
    Upgraded,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Watch<I> {
    pub(super) fn new(
        io: I,
        exchange: Arc<Exchange>,
        options: Arc<ServerOptions>,
        room: &HeadRoom,
        slot: Slot,
    ) -> Self {
        Self {
            io: io.take(u64::MAX),
            exchange,
            stage: Stage::First,
            judge: Judge::new(options.head_bytes_max),
            held: BytesMut::new(),
            share: room.share(),
            frames: None,
            ended: false,
            alarm: Alarm::after(options.head_timeout),
            stall: None,
            ending: Ending::None,
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
                self.frames = Some(Frames::behind(HTTP2_PREFACE.len(), Instant::now()));
                self.alarm.set(self.http2_round());
                return true;
            }
            if HTTP2_PREFACE.starts_with(&self.held) {
                return false;
            }
        }
        match self.judge.judge(&self.held) {
            Judgement::Incomplete => false,
            Judgement::Passed(head) => {
                if self.share.is_used() {
                    // hyper keeps the room for a large head as long as the connection is there.
                    self.exchange.close_with_answer();
                }
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
        // By way of the stack: while nothing comes, nothing is set aside for it.
        let mut bytes = [0; READ_BYTES];
        let mut bytes = ReadBuf::new(&mut bytes);
        self.io.set_limit(READ_BYTES as u64);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut bytes))?;
        self.ended = bytes.filled().is_empty();
        if self.held.is_empty() {
            self.held = BytesMut::new(); // what an earlier head needed is given back
        }
        self.held.extend_from_slice(bytes.filled());
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
                if !self.share.covers(self.held.len()) {
                    let cause = "the heads of requests use up the memory for them";
                    self.refuse(Reject::unavailable(cause, RETRY_AFTER).closing());
                    return Poll::Ready(Ok(true));
                }
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
            if self.held.len() >= READ_BYTES {
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

    /// Gives hyper what comes in HTTP/2, and ends the connection when its client floods it, does
    /// not end a head, or does not take an answer.
    fn poll_http2(&mut self, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.alarm.poll(cx).is_ready() {
            let now = Instant::now();
            let options = &self.options;
            if self.exchange.is_stalled(options.answer_stall_timeout) {
                return Poll::Ready(Err(cut("answer_stalled")));
            }
            let frames = self.frames.as_ref();
            if frames.is_some_and(|frames| frames.head_is_late(now, options.head_timeout)) {
                return Poll::Ready(Err(cut("head_too_slow")));
            }
            self.alarm.set(self.http2_round());
        }
        let before = to.filled().len();
        ready!(self.poll_give(cx, to, u64::MAX))?;
        let came = to.filled().get(before..).unwrap_or_default();
        let passed = self.frames.as_mut().map(|frames| frames.read(came, Instant::now()));
        match passed {
            Some(Err(Flood)) => Poll::Ready(Err(cut("frame_flood"))),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// How often the answers and heads of HTTP/2 are looked at.
    fn http2_round(&self) -> Duration {
        self.options.answer_stall_timeout.min(self.options.head_timeout) / 4
    }

    /// Gives hyper bytes of a head, which are held.
    fn give_held(&mut self, to: &mut ReadBuf<'_>, left: usize) -> usize {
        let bytes = left.min(to.remaining());
        to.put_slice(&self.held.split_to(bytes));
        left - bytes
    }
}

/// How much of a body is read at a time.
fn body_read_bytes(came: u64) -> u64 {
    if came < limits::BODY_SMALL_READS_BYTES { SMALL_READ_BYTES } else { u64::MAX }
}

/// The end of a connection that costs more than it may.
fn cut(reason: &'static str) -> io::Error {
    counter!("headgate_http_connections_closed_total", "reason" => reason).increment(1);
    io::Error::new(io::ErrorKind::ConnectionAborted, reason)
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
                        (0, Framing::Chunked) => Stage::Open(Protocol::Chunked { came: 0 }),
                        (0, Framing::Length(0)) => Stage::Answering,
                        (0, Framing::Length(left)) => Stage::Body { came: 0, left },
                        (left, framing) => Stage::Passing { left, framing },
                    };
                    return Poll::Ready(Ok(()));
                }
                Stage::Body { came, left } => {
                    let given = ready!(this.poll_give(cx, to, left.min(body_read_bytes(came))))?;
                    this.ended |= given == 0;
                    this.stage = match left.saturating_sub(given) {
                        0 => Stage::Answering,
                        left => Stage::Body { came: came + given, left },
                    };
                    return Poll::Ready(Ok(()));
                }
                Stage::Answering => {
                    if !ready!(this.poll_answering(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Stage::Open(Protocol::Http2) => return this.poll_http2(cx, to),
                Stage::Open(Protocol::Chunked { came }) => {
                    let given = ready!(this.poll_give(cx, to, body_read_bytes(came)))?;
                    this.stage = Stage::Open(Protocol::Chunked { came: came + given });
                    return Poll::Ready(Ok(()));
                }
                Stage::Open(Protocol::Upgraded) => {
                    return this.poll_give(cx, to, u64::MAX).map_ok(drop);
                }
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
