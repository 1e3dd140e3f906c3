//! Hashes of texts from outside, as the index holds them: short, and of one length.

/// FNV-1a over seed and parts, with a last mixing so that all bits count. The seed is the index's
/// own, so that a sender cannot choose texts that collide.
pub(super) fn seeded(seed: u64, parts: &[&[u8]]) -> i64 {
    let seed = seed.to_le_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in seed.iter().chain(parts.iter().copied().flatten()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    i64::from_le_bytes((hash ^ (hash >> 32)).to_le_bytes())
}
