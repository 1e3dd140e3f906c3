//! The system's zoneinfo folder: read here, understood in `headgate_cron`.

use crate::config::Environment;
use headgate_cron::{ZoneFile, ZoneSource, Zones};
use headgate_event::{Timestamp, limits::ZONE_FILE_BYTES_MAX};
use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::{Component, Path, PathBuf},
    time::UNIX_EPOCH,
};

/// Names another folder than the usual one, as for the C library.
const VARIABLE: &str = "TZDIR";
const FOLDER: &str = "/usr/share/zoneinfo";

/// A zoneinfo folder.
#[derive(Debug)]
struct Folder(PathBuf);

/// The newer of the system's zones, in `TZDIR` or `/usr/share/zoneinfo`, and those built in.
#[must_use]
pub fn of_system(environment: &Environment) -> Zones {
    let folder = environment.variable(VARIABLE).filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| PathBuf::from(FOLDER), PathBuf::from);
    Zones::open(Box::new(Folder(folder)))
}

impl ZoneSource for Folder {
    fn file(&self, name: &str) -> io::Result<Option<ZoneFile>> {
        let inside = |part| matches!(part, Component::Normal(_));
        if !Path::new(name).components().all(inside) {
            return Ok(None);
        }
        let file = match File::open(self.0.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(ZONE_FILE_BYTES_MAX as u64).read_to_end(&mut bytes)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).ok();
        let modified = modified.and_then(|since| i64::try_from(since.as_millis()).ok());
        Ok(Some(ZoneFile { bytes, modified: modified.map(Timestamp::from_unix_ms) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_are_read_and_nothing_outside_of_the_folder_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let zones = folder.path().join("zoneinfo");
        fs::create_dir_all(zones.join("Europe")).expect("a folder");
        fs::write(zones.join("Europe/Oslo"), "TZif").expect("a file");
        fs::write(folder.path().join("secret"), "s3cr3t").expect("a file");
        let source = Folder(zones);
        let oslo = source.file("Europe/Oslo").expect("read").expect("there is one");
        assert_eq!(oslo.bytes, b"TZif");
        assert!(oslo.modified.is_some());
        let absolute = folder.path().join("secret").display().to_string();
        for name in ["Europe/Bergen", "Europe", "../secret", absolute.as_str()] {
            assert_eq!(source.file(name).expect("no fault"), None, "{name}");
        }
    }
}
