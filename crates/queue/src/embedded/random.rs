//! Random bytes from the operating system.

use std::io;

/// Eight of them, as a number.
pub(super) fn number() -> io::Result<u64> {
    getrandom::u64().map_err(failed)
}

/// Thirty-two of them.
pub(super) fn key() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(failed)?;
    Ok(key)
}

fn failed(error: getrandom::Error) -> io::Error {
    io::Error::other(format!("no random bytes: {error}"))
}
