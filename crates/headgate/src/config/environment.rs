//! The one place that reads environment variables.

use std::{collections::BTreeMap, ffi::OsString};

/// The environment variables that a configuration may name.
#[derive(Clone, Debug)]
pub enum Environment {
    /// Those of this process.
    Process,
    /// These alone.
    Fixed(BTreeMap<String, String>),
}

impl Environment {
    /// The value of a variable; none when it is not set.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<OsString> {
        match self {
            Self::Process => process_variable(name),
            Self::Fixed(variables) => variables.get(name).map(OsString::from),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn process_variable(name: &str) -> Option<OsString> {
    // Names that no variable can have; on some systems looking them up would panic.
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var_os(name)
}
