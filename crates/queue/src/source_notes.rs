//! What a source keeps beside its events: small values of its own, such as how far it has come.

use crate::QueueError;
use headgate_event::BoxFuture;

/// One value that a source keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceNote {
    /// What kind of value it is, `cron.cursor`. Each source has names of its own.
    pub kind: &'static str,
    /// Which of them.
    pub key: Vec<u8>,
    /// The value; none takes it away.
    pub value: Option<Vec<u8>>,
}

/// The key and the value of a note.
pub type KeptNote = (Vec<u8>, Vec<u8>);

/// Keeps what sources need to know again after a restart.
///
/// It is state: a backup holds it, and nothing makes it again.
pub trait SourceNotes: Send + Sync {
    /// All values of this kind, by their keys.
    fn notes(&self, kind: &'static str) -> BoxFuture<'_, Result<Vec<KeptNote>, QueueError>>;

    /// Keeps these values, all or none of them. `Ok` means durable.
    fn keep_notes(&self, notes: Vec<SourceNote>) -> BoxFuture<'_, Result<(), QueueError>>;
}
