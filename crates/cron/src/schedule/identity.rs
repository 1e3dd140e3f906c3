//! Who a schedule is: its id, and the number that spreads it over its jitter.

use super::ScheduleError;
use uuid::Uuid;

/// The namespace of ids that are made of channel and name. It never changes: with another one every
/// schedule would be another.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b1f_0c52_9a5e_5d0e_8f53_2c8d_94a1_e7b0);

/// The id of a schedule of which only channel and name are known (UUIDv5, RFC 9562, 5.5). Neither
/// has control characters, so that a line feed between them is unambiguous.
pub(super) fn of(channel_id: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{channel_id}\n{name}").as_bytes())
}

/// The id that was given.
pub(super) fn explicit(name: &str, text: &str) -> Result<Uuid, ScheduleError> {
    Uuid::parse_str(text).map_err(|_| ScheduleError::id(name, text))
}

/// A number of which all bits depend on all of the id; the same for ever.
pub(super) fn spread(id: Uuid) -> i64 {
    let (high, low) = id.as_u64_pair();
    let mut hash = high ^ low.rotate_left(32);
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    i64::from_le_bytes((hash ^ (hash >> 32)).to_le_bytes())
}
