//! A deadline that is moved far more often than it passes.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// Rings when its deadline passes.
#[derive(Debug)]
pub(super) struct Alarm {
    deadline: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    /// Rings after the span.
    pub(super) fn after(span: Duration) -> Self {
        let deadline = Instant::now() + span;
        Self { deadline, sleep: Box::pin(sleep_until(deadline)) }
    }

    /// Rings after the span from here on, and not when it would have.
    pub(super) fn set(&mut self, span: Duration) {
        self.deadline = Instant::now() + span;
    }

    /// Ready when the deadline has passed. The timer is touched only when it would ring too late,
    /// or rings too early because the deadline has moved.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.sleep.deadline() > self.deadline {
            self.sleep.as_mut().reset(self.deadline);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.deadline);
        }
    }
}
