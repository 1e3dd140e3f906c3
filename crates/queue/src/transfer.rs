//! Events in a file of JSON lines, for another installation or another program: one line begins
//! it, one line is an event, one line ends it.
//!
//! ```text
//! {"schema":"headgate.export.v1"}
//! {"event":{..as on the wire..},"dedupe_window_ms":604800000,"raw_b64":".."}
//! {"events":1,"sha256":"..of all bytes before this line.."}
//! ```
//!
//! Places in the order of the queue are not in it, because a file may hold a selection; the order
//! of lines is that of the events. Subscriptions are not in it: that is what a backup is for.

mod export;
mod read;

pub use export::{Export, ExportQuery};
pub(crate) use read::Imported;
pub use read::{CheckedFile, FileError};

/// The name and version of the file's shape.
const SCHEMA: &str = "headgate.export.v1";
/// The same without its version.
const SCHEMA_NAME: &str = "headgate.export.v";
