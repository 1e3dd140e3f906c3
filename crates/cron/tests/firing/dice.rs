//! Chance from a seed (splitmix64), the same on every machine, and cases by seed.

/// Chance from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5bd1_e995)
    }

    /// A number from 0 to `sides - 1`.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// True once in so many throws.
    pub(crate) fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

/// Runs a case for as many seeds as the environment says, or for the one that it names.
pub(crate) fn for_seeds(cases: u64, case: impl Fn(u64)) {
    let seeds = match (number("HEADGATE_SEED"), number("HEADGATE_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, asked) => 0..asked.unwrap_or(cases),
    };
    for seed in seeds {
        let _named = Named(seed);
        case(seed);
    }
}

#[expect(clippy::disallowed_methods, reason = "the number of cases is asked for by who tests")]
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}: expected a number, found `{value}`")))
}

/// Says which seed failed.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {0} failed; alone: HEADGATE_SEED={0}", self.0);
        }
    }
}
