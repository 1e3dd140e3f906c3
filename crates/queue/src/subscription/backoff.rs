//! How long a delivery waits for its next attempt.

use super::RetryPolicy;
use crate::Seq;
use std::time::Duration;

/// The wait after attempt `attempt`: the policy's, up to a fifth shorter, so that deliveries that
/// failed together do not come back together.
///
/// The same delivery and seed always wait equally long.
pub(crate) fn wait(policy: RetryPolicy, seed: u64, seq: Seq, attempt: u32) -> Duration {
    let whole = policy.wait_after(attempt).as_millis();
    let random = scramble(scramble(seed ^ scramble(seq)) ^ u64::from(attempt));
    // 0 to 65,535 of 65,536 parts of a fifth.
    let less = whole * u128::from(random >> 48) / (5 << 16);
    Duration::from_millis(u64::try_from(whole - less).unwrap_or(u64::MAX))
}

/// The finalizer of SplitMix64: a bijection that spreads neighbours over all 64 bits.
fn scramble(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_is_the_policys_or_up_to_a_fifth_shorter(
            first_ms in 1_u64..100_000, longest_ms in 1_u64..1_000_000,
            seed: u64, seq: u64, attempt in 1_u32..200,
        ) {
            let policy = RetryPolicy { attempts: 8, first_ms, longest_ms };
            let (got, whole) = (wait(policy, seed, seq, attempt), policy.wait_after(attempt));
            prop_assert!(got <= whole && got <= Duration::from_millis(longest_ms));
            prop_assert!(got >= whole * 4 / 5);
            prop_assert_eq!(got, wait(policy, seed, seq, attempt));
        }
    }

    #[test]
    fn deliveries_that_failed_together_do_not_come_back_together() {
        let waits: std::collections::BTreeSet<_> =
            (1..=100).map(|seq| wait(RetryPolicy::default(), 7, seq, 1)).collect();
        assert!(waits.len() > 80, "{}", waits.len());
    }
}
