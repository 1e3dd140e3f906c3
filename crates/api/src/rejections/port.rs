//! What the API needs of the program around it to release a rejection: a small port, because who
//! verifies a request is a source, and sources are not known here.

use headgate_event::{Accepted, BoxFuture};
use headgate_quarantine::{Kept, Quarantine};
use serde_json::value::RawValue;
use std::{fmt, sync::Arc};

/// The quarantine, and who verifies what is in it again.
#[derive(Clone)]
pub struct Rejections {
    /// Where rejections are kept.
    pub quarantine: Arc<Quarantine>,
    /// Who verifies them again.
    pub releaser: Arc<dyn Releaser>,
}

/// How a rejection is to be released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Releasing {
    /// Whether a signed time may be of any age.
    pub ignore_age: bool,
    /// Whether it is only said what would happen.
    pub dry_run: bool,
}

/// Why a rejection stays one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreleased {
    /// Its channel is not there any more.
    UnknownChannel,
    /// It still does not prove itself.
    Refused {
        /// The code of the refusal.
        code: String,
        /// The sentence of the refusal.
        message: String,
    },
    /// It does, and could not be stored: our fault, and it may pass.
    NotStored {
        /// Why, for the log.
        cause: String,
    },
    /// It does, and is nothing that is stored: the answer to it was all that it was for.
    NoEvent,
}

/// Who verifies a rejection again, by the secrets that its channel has, at the time it came.
pub trait Releaser: Send + Sync {
    /// Makes it an event like any other; nothing is accepted in a dry run.
    fn release(
        &self,
        rejection: Kept,
        how: Releasing,
    ) -> BoxFuture<'_, Result<Option<Accepted>, Unreleased>>;

    /// Why it is refused, as JSON; `None` when its channel is gone or verifies nothing.
    fn explain(&self, rejection: Kept) -> BoxFuture<'_, Option<Box<RawValue>>>;
}

impl fmt::Debug for Rejections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejections").field("quarantine", &self.quarantine).finish_non_exhaustive()
    }
}
