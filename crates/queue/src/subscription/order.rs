//! In which order a subscription gives its events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// In which order a subscription gives its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As they came, and nothing waits for what is not settled yet.
    #[default]
    None,
    /// One at a time for each thread key, in the order in which they came; other threads, and
    /// events without thread key, go on. A thread goes on when its event is settled or dead.
    Thread,
    /// One at a time, in the order in which they came.
    Strict,
}

/// What stands for a thread key. Equal keys have equal ones; two keys that share one are no worse
/// off than one key.
pub(crate) type Thread = i64;

/// What stands for this thread key, in the state too, so it is for ever the same.
pub(crate) fn thread_of(key: &str) -> Thread {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let [first, second, third, fourth, fifth, sixth, seventh, eighth, ..] = digest;
    i64::from_be_bytes([first, second, third, fourth, fifth, sixth, seventh, eighth])
}

#[cfg(test)]
mod tests {
    use super::thread_of;

    #[test]
    fn a_thread_key_stands_for_the_same_in_every_version() {
        assert_eq!(thread_of("acme/shop#7"), thread_of("acme/shop#7"));
        assert_ne!(thread_of("acme/shop#7"), thread_of("acme/shop#8"));
        // SHA-256 of nothing begins with e3b0c44298fc1c14.
        assert_eq!(
            thread_of(""),
            i64::from_be_bytes([0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14])
        );
    }
}
