//! Running a case for many seeds, and saying how to run one again.

/// Runs a case for as many seeds as the environment says, or for the one that it names.
pub(super) fn for_seeds(test: &str, cases: u64, case: impl Fn(u64)) {
    let seeds = match (number("HEADGATE_SEED"), number("HEADGATE_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, cases_asked) => 0..cases_asked.unwrap_or(cases),
    };
    for seed in seeds {
        let _named = Named { test, seed };
        case(seed);
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
                 -p headgate-queue {test}"
            );
        }
    }
}
