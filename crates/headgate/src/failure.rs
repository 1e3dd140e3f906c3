//! Why a command did not do what it was asked, and the exit code that says so.

use crate::config::Problems;
use std::{error::Error, fmt, process::ExitCode};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong: exit code 2.
    Usage(String),
    /// The configuration is wrong, and this is all of it: exit code 2.
    Configuration(Problems),
    /// It was tried and failed: exit code 1.
    Failed(anyhow::Error),
    /// Nobody reads the output any more, so there is nothing left to do: exit code 0.
    ReaderGone,
}

impl Failure {
    /// What is wrong with the command line.
    pub fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    /// The number of the exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Configuration(_) => 2,
            Self::Failed(_) => 1,
            Self::ReaderGone => 0,
        }
    }

    /// Tells the person at the terminal, and gives the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        match self {
            // Each line begins with its file, so that editors find the place.
            Self::Configuration(_) => eprintln!("{self}"),
            Self::Usage(_) | Self::Failed(_) => eprintln!("headgate: {self}"),
            Self::ReaderGone => {}
        }
        ExitCode::from(self.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::Configuration(problems) => problems.fmt(f),
            // The whole chain of causes, joined with `: `.
            Self::Failed(error) => write!(f, "{error:#}"),
            Self::ReaderGone => f.write_str("nobody reads the output any more"),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let cause = error.source().map_or(String::new(), |cause| format!(": {}", chain(cause)));
    format!("{error}{cause}")
}
