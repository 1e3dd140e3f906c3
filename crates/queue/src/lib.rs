//! The queue: the durable ordered store of events that all sources and consumers share.
//!
//! [`Queue`] is the seam. [`Memory`] keeps everything in memory and is for tests; [`Embedded`]
//! keeps one folder: a log that holds the events, and SQLite for what changes. Both pass one
//! conformance suite.

mod log;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use log::fuzzing;

mod patience;

mod private;

mod attempt;
pub use attempt::{Attempt, Attempts, EventDelivery, Standing, Tried};

mod dead_letter;
pub use dead_letter::{DeadLetter, DeadLetterPage, DeadLetterQuery};

mod holder;

mod health;
pub use health::Health;

mod queue;
pub use queue::{
    Damaged, Erased, ListQuery, Page, Queue, QueueError, Removed, Retention, Seq, Stored, weight,
};

mod replay;
pub use replay::{
    Counted, EventQuery, LetterError, LetterVerb, ReplayAsk, ReplayBy, ReplayError, ReplayEvents,
    ReplaySpec, ReplayState, ReplayStatus, Replays,
};

mod selection;
pub use selection::{Filter, FilterError, KeyName, Selectable, Selection};

mod source_notes;
pub use source_notes::{KeptNote, SourceNote, SourceNotes};

mod subscription;
pub use subscription::{
    AckMode, DeliveryId, DeliveryIdError, LeaseAsk, Order, PaceError, PushFormat, PushSpec,
    ReplayPace, RetryPolicy, SettleError, Settlement, Start, SubscriptionError, SubscriptionSpec,
    SubscriptionStatus, Verb,
};

mod backup;
pub use backup::{BackupError, BackupReport, Backups};

mod transfer;
pub use transfer::{CheckedFile, Export, ExportQuery, FileError};

mod embedded;
pub use embedded::{
    BackupFolder, Damage, Embedded, EmbeddedOptions, ImportError, ImportReport, LostEvents,
    OpenError, RepairReport,
};

mod memory;
pub use memory::Memory;
