//! The work on one event, and what came of it.

use super::{exec::Exec, forward::Forward, leases::Delivered};
use headgate_event::limits::REASON_BYTES_MAX;
use std::time::Duration;

/// What is done with each event.
#[derive(Debug)]
pub(super) enum Work {
    Exec(Exec),
    Forward(Box<Forward>),
}

/// What came of the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done.
    Done,
    /// It is to come again.
    Again {
        /// When; by the subscription's policy when nothing is said.
        after: Option<Duration>,
        /// Why.
        reason: String,
    },
}

impl Work {
    /// Resolves when there is somebody to do the work.
    pub(super) async fn possible(&self) {
        match self {
            Self::Exec(_) => {}
            Self::Forward(forward) => forward.reachable().await,
        }
    }

    pub(super) async fn perform(&self, delivered: &Delivered) -> Outcome {
        match self {
            Self::Exec(exec) => exec.perform(delivered).await,
            Self::Forward(forward) => forward.perform(delivered).await,
        }
    }
}

impl Outcome {
    /// It is to come again by the subscription's policy.
    pub(super) fn again(reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        let mut end = reason.len().min(REASON_BYTES_MAX);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Self::Again { after: None, reason }
    }

    /// The same, when the other side said when.
    pub(super) fn after(self, wait: Option<Duration>) -> Self {
        match self {
            Self::Again { reason, .. } => Self::Again { after: wait, reason },
            Self::Done => Self::Done,
        }
    }
}
