//! The files of a zoneinfo folder, as a port: the program reads the folder, this crate the bytes.

use headgate_event::Timestamp;
use std::{fmt, io};

/// A zoneinfo folder, such as `/usr/share/zoneinfo`.
pub trait ZoneSource: Send + Sync + fmt::Debug {
    /// A file by its name in the folder, `America/New_York` or `tzdata.zi`; none when there is
    /// none. Names never lead out of the folder. At most
    /// [`ZONE_FILE_BYTES_MAX`](headgate_event::limits::ZONE_FILE_BYTES_MAX) are to be read.
    ///
    /// # Errors
    ///
    /// The file exists and cannot be read.
    fn file(&self, name: &str) -> io::Result<Option<ZoneFile>>;
}

/// A file of a zoneinfo folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneFile {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// When it was last written, as the file system says.
    pub modified: Option<Timestamp>,
}
