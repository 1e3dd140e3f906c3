//! `H`: a value drawn from a schedule's key, so that many schedules do not fire at one time. The
//! same key gives the same values for ever. Not for chance.

use super::field::Field;
use sha2::{Digest, Sha256};

/// What all values of one key are drawn from.
pub(super) fn seed(key: &[u8]) -> u64 {
    let digest = Sha256::digest(key);
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// A number below `bound`, which is above 0; another one for each field.
pub(super) fn draw(seed: u64, field: Field, bound: u16) -> u16 {
    let drawn = scattered(seed.wrapping_add(scattered(field as u64 + 1)));
    // The high half scaled to the bound: below it, and so within 16 bits.
    (((drawn >> 32) * u64::from(bound)) >> 32) as u16
}

/// The finalizer of SplitMix64.
fn scattered(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
