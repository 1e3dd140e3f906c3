//! Random bits of the log: the tags of segments and the random part of ids.

use std::io;

/// Fills it with random bits.
pub(super) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    #[cfg(test)]
    if seeded::fill(bytes) {
        return Ok(());
    }
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}

/// A random number.
pub(super) fn number() -> io::Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// The same bits in every run, for a test that drives the writer on its own thread.
#[cfg(test)]
pub(super) mod seeded {
    use crate::log::storage::simulated::Dice;
    use std::cell::RefCell;

    thread_local! {
        static DICE: RefCell<Option<Dice>> = const { RefCell::new(None) };
    }

    /// From here on all random bits of this thread come from this seed.
    pub(in crate::log) fn begin(seed: u64) {
        DICE.set(Some(Dice::new(seed)));
    }

    pub(super) fn fill(bytes: &mut [u8]) -> bool {
        DICE.with_borrow_mut(|dice| {
            let Some(dice) = dice else { return false };
            bytes.copy_from_slice(&dice.bytes(bytes.len()));
            true
        })
    }
}
