//! The frames of HTTP/2 as they pass by: what they cost without asking for anything, and how long
//! the head of a request may be on its way.
//!
//! Not for what frames mean: that is hyper's, and h2 bounds what it keeps of them. But answering a
//! ping, or opening a stream that is reset at once, costs more than it costs to send.

use headgate_event::limits;
use std::time::Duration;
use tokio::time::Instant;

/// The head of a frame (RFC 9113, 4.1).
const FRAME_HEAD_BYTES: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// What is known of the frames so far.
#[derive(Debug)]
pub(super) struct Frames {
    head: [u8; FRAME_HEAD_BYTES],
    /// So many bytes of the head have come.
    head_bytes: usize,
    /// So many bytes are not looked at: the preface, or the rest of a frame.
    skip: usize,
    /// When the head of a request began that has not ended.
    head_since: Option<Instant>,
    left: u64,
    earned_at: Instant,
    /// What was written and earned nothing yet, in bytes.
    written: usize,
}

/// A client sent more frames that ask for nothing than it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl Frames {
    /// The frames behind a preface of so many bytes.
    pub(super) fn behind(preface_bytes: usize, now: Instant) -> Self {
        Self {
            head: [0; FRAME_HEAD_BYTES],
            head_bytes: 0,
            skip: preface_bytes,
            head_since: None,
            left: limits::IDLE_FRAMES_MAX,
            earned_at: now,
            written: 0,
        }
    }

    /// Notes bytes that came.
    pub(super) fn read(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Flood> {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            if let Some(place) = self.head.get_mut(self.head_bytes) {
                *place = *byte;
            }
            self.head_bytes += 1;
            if self.head_bytes == FRAME_HEAD_BYTES {
                self.head_bytes = 0;
                self.frame(now)?;
            }
        }
    }

    /// Notes how many bytes the client has taken: who takes answers sends frames that say so.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written = self.written.saturating_add(bytes);
    }

    /// Whether the head of a request has been on its way for longer than it may.
    pub(super) fn head_is_late(&self, now: Instant, timeout: Duration) -> bool {
        self.head_since.is_some_and(|since| now >= since + timeout)
    }

    fn frame(&mut self, now: Instant) -> Result<(), Flood> {
        let [a, b, c, kind, flags, ..] = self.head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        self.skip = length;
        if matches!(kind, HEADERS | CONTINUATION) {
            let ends = flags & END_HEADERS != 0;
            self.head_since = if ends { None } else { self.head_since.or(Some(now)) };
        }
        let cost = match kind {
            HEADERS => 0,
            DATA if length >= limits::DATA_FRAME_BYTES_MIN || flags & END_STREAM != 0 => 0,
            RST_STREAM => limits::RESET_COST_FRAMES,
            _ => 1,
        };
        self.pay(cost, now)
    }

    fn pay(&mut self, cost: u64, now: Instant) -> Result<(), Flood> {
        if cost > self.left {
            self.earn(now);
        }
        self.left = self.left.checked_sub(cost).ok_or(Flood)?;
        Ok(())
    }

    fn earn(&mut self, now: Instant) {
        let waited = u64::try_from(now.duration_since(self.earned_at).as_millis());
        let waited = waited.unwrap_or(u64::MAX);
        let earned = waited.saturating_mul(limits::IDLE_FRAMES_PER_SECOND) / 1000
            + (self.written / limits::WRITTEN_BYTES_PER_IDLE_FRAME) as u64;
        self.left = self.left.saturating_add(earned).min(limits::IDLE_FRAMES_MAX);
        self.earned_at = now;
        self.written = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.resize(FRAME_HEAD_BYTES + usize::from(length), 0);
        bytes
    }

    /// How many of these frames pass at one moment.
    fn passing(frames: &mut Frames, bytes: &[u8], now: Instant) -> u64 {
        (0..100_000).take_while(|_| frames.read(bytes, now).is_ok()).count() as u64
    }

    #[test]
    fn frames_that_ask_for_nothing_are_used_up_and_earned_again() {
        let now = Instant::now();
        let mut frames = Frames::behind(0, now);
        assert_eq!(passing(&mut frames, &frame(6, 0, 0), now), limits::IDLE_FRAMES_MAX);
        let later = now + Duration::from_secs(2);
        let earned = 2 * limits::IDLE_FRAMES_PER_SECOND;
        assert_eq!(passing(&mut frames, &frame(6, 0, 0), later), earned);
        frames.wrote(50 * limits::WRITTEN_BYTES_PER_IDLE_FRAME);
        assert_eq!(passing(&mut frames, &frame(8, 0, 0), later), 50);
    }

    #[test]
    fn a_reset_costs_what_opening_its_stream_did() {
        let now = Instant::now();
        let mut frames = Frames::behind(0, now);
        let rapid = [frame(HEADERS, END_HEADERS | END_STREAM, 30), frame(RST_STREAM, 0, 4)];
        let passed = passing(&mut frames, &rapid.concat(), now);
        assert_eq!(passed, limits::IDLE_FRAMES_MAX / limits::RESET_COST_FRAMES);
    }

    #[test]
    fn data_and_the_heads_of_requests_are_free_however_they_are_split() {
        let now = Instant::now();
        let mut frames = Frames::behind(3, now);
        let mut all = b"PRI".to_vec();
        for _ in 0..2 * limits::IDLE_FRAMES_MAX {
            all.extend(frame(HEADERS, END_HEADERS, 1));
            all.extend(frame(DATA, 0, 200));
            all.extend(frame(DATA, END_STREAM, 0));
        }
        for part in all.chunks(7) {
            frames.read(part, now).expect("free");
        }
        let dripped = frame(DATA, 0, 1);
        assert_eq!(passing(&mut frames, &dripped, now), limits::IDLE_FRAMES_MAX);
    }

    #[test]
    fn a_head_that_does_not_end_is_late() {
        let now = Instant::now();
        let mut frames = Frames::behind(0, now);
        let second = Duration::from_secs(1);
        frames.read(&frame(HEADERS, 0, 4), now).expect("free");
        frames.read(&frame(CONTINUATION, 0, 4), now + second).expect("one frame");
        assert!(!frames.head_is_late(now + second, 2 * second));
        assert!(frames.head_is_late(now + 2 * second, 2 * second));
        frames.read(&frame(CONTINUATION, END_HEADERS, 4), now + second).expect("one frame");
        assert!(!frames.head_is_late(now + 2 * second, 2 * second));
    }
}
