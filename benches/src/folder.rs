//! The folder of a run: on the disk of the working tree, not on a `/tmp` that may be memory.

use anyhow::{Context, Result};
use tempfile::TempDir;

/// A folder below `target`, which is made where the build has another place.
pub(crate) fn temporary() -> Result<TempDir> {
    let target = std::env::current_dir()?.join("target");
    let made = std::fs::create_dir_all(&target).and_then(|()| tempfile::tempdir_in(&target));
    made.with_context(|| format!("a folder in `{}`", target.display()))
}
