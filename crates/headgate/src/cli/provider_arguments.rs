//! The arguments of the commands about providers and their requests.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// The arguments of `verify`.
#[derive(Args, Clone, Debug)]
#[command(after_help = VERIFY_HELP)]
pub struct VerifyArguments {
    /// The request as it was sent: request line, headers, an empty line, body; `-` is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Who sent it; `providers list` shows all
    #[arg(long, value_name = "NAME", required_unless_present = "channel")]
    #[arg(requires = "secret_env")]
    pub provider: Option<String>,
    /// The environment variable that holds the secret; may be repeated, which means any of them
    #[arg(long, value_name = "NAME", requires = "provider")]
    pub secret_env: Vec<String>,
    /// Take provider, secrets and tolerance of this channel of --config instead
    #[arg(long, value_name = "ID", requires = "config", conflicts_with = "provider")]
    pub channel: Option<String>,
    /// The configuration
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// When it came: Unix seconds, or a time such as 2026-11-21T01:02:03Z; now when left out
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// The URL that the sender used, when the request line has another path
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be asked about providers.
#[derive(Clone, Debug, Subcommand)]
pub enum ProvidersCommand {
    /// List the providers that are known
    List(ProvidersListArguments),
    /// Say how a provider signs, what its events are called and what it is answered
    Show(ProvidersShowArguments),
}

/// The arguments of `providers list`.
#[derive(Args, Clone, Debug)]
pub struct ProvidersListArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `providers show`.
#[derive(Args, Clone, Debug)]
pub struct ProvidersShowArguments {
    /// The provider
    pub name: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const VERIFY_HELP: &str = "\
Says step by step what is looked at and, when the request is refused, what most likely is wrong.
Neither the secret nor the signature that would have been right is shown. Exit codes: 0 the request
proves itself, 1 it does not, 2 wrong usage.";
