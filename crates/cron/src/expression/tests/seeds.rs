//! Running a case for many seeds, and saying how to run one again.

/// Numbers that follow from a seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x6a09_e667_f3bc_c908)
    }

    /// A number from `first` to `last`.
    pub(super) fn within(&mut self, first: u16, last: u16) -> u16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        first + ((self.0 >> 20) % u64::from(last - first + 1)) as u16
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: u16) -> bool {
        self.within(1, times) == 1
    }
}

/// Runs a case for as many seeds as the environment says (`HEADGATE_EXPRESSIONS=20000`), or for the
/// one that it names.
pub(super) fn for_seeds(test: &str, cases: u64, case: impl Fn(&mut Dice)) {
    let seeds = match (number("HEADGATE_SEED"), number("HEADGATE_EXPRESSIONS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, cases_asked) => 1..cases_asked.unwrap_or(cases) + 1,
    };
    for seed in seeds {
        let _named = Named { test, seed };
        case(&mut Dice::of(seed));
    }
}

#[expect(clippy::disallowed_methods, reason = "the number of cases is asked for by who tests")]
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}: expected a number, found `{value}`")))
}

/// Says which seed failed.
struct Named<'a> {
    test: &'a str,
    seed: u64,
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { test, seed } = self;
            eprintln!(
                "seed {seed} failed; alone: HEADGATE_SEED={seed} cargo nextest run \
                 -p headgate-cron {test}"
            );
        }
    }
}
