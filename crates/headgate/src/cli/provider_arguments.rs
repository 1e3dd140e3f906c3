//! The arguments of the commands about providers and their requests.

use super::ClientArguments;
use crate::config::FILE_DEFAULT;
use clap::{Args, Subcommand, ValueHint};
use headgate_event::prompt::VERSION;
use std::path::PathBuf;

/// The arguments of `verify`.
#[derive(Args, Clone, Debug)]
#[command(after_help = VERIFY_HELP)]
pub struct VerifyArguments {
    /// The request as it was sent: request line, headers, an empty line, body; `-` is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Who sent it: `slack`, or one of those that `providers list` shows
    #[arg(long, value_name = "NAME", required_unless_present = "channel")]
    pub provider: Option<String>,
    /// The environment variable that holds the secret; may be repeated, which means any of them
    #[arg(long, value_name = "NAME", requires = "provider")]
    pub secret_env: Vec<String>,
    /// What the provider asks for beside secrets (`providers show` says it); may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "provider")]
    pub setting: Vec<String>,
    /// Take provider, secrets and tolerance of this channel of --config instead
    #[arg(long, value_name = "ID", requires = "config", conflicts_with = "provider")]
    pub channel: Option<String>,
    /// Provider files of the user's own.
    #[command(flatten)]
    pub own: OwnProvidersArguments,
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

/// Where provider files of the user's own are.
#[derive(Args, Clone, Debug, Default)]
pub struct OwnProvidersArguments {
    /// Know the provider files in this folder too
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub providers_dir: Option<PathBuf>,
    /// Know those of the `providers_dir` of this configuration too; `--providers-dir` comes first
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// The arguments of `render`.
#[derive(Args, Clone, Debug)]
pub struct RenderArguments {
    /// An event's JSON as the API gives it, or with --provider a request as it was sent; `-` is
    /// stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Who sent the request
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Provider files of the user's own.
    #[command(flatten)]
    pub own: OwnProvidersArguments,
    /// The version of the rules
    #[arg(long, value_name = "N", default_value_t = VERSION)]
    #[arg(value_parser = clap::value_parser!(u32).range(i64::from(VERSION)..=i64::from(VERSION)))]
    pub version: u32,
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
    /// Say whether a provider file of your own is right, or all that is wrong with it
    Check(ProvidersCheckArguments),
    /// Print a provider file to begin with, with a word on every part of it
    New(ProvidersNewArguments),
}

/// The arguments of `providers check`.
#[derive(Args, Clone, Debug)]
pub struct ProvidersCheckArguments {
    /// The provider file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// The arguments of `providers new`.
#[derive(Args, Clone, Debug)]
pub struct ProvidersNewArguments {
    /// Its name: `a-z`, `0-9` and `-`
    pub name: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// The header that carries the signature
    #[arg(long, value_name = "HEADER", default_value = "x-signature")]
    pub header: String,
    /// What stands before the signature there, such as `sha256=`
    #[arg(long, value_name = "TEXT")]
    pub prefix: Option<String>,
    /// The digest of its HMAC: sha1, sha256 or sha512
    #[arg(long, value_name = "NAME", default_value = "sha256")]
    pub algorithm: String,
    /// How the signature is written: hex, base64 or base64url
    #[arg(long, value_name = "NAME", default_value = "hex")]
    pub encoding: String,
    /// The header with the time, if one is signed before the body, as in `{timestamp}.{body}`
    #[arg(long, value_name = "HEADER")]
    pub time_header: Option<String>,
    /// The path in the JSON that says what happened
    #[arg(long, value_name = "PATH", default_value = "type")]
    pub event: String,
    /// The path in the JSON of the id that a retry has too
    #[arg(long, value_name = "PATH", default_value = "id")]
    pub delivery: String,
}

/// What can be asked about channels.
#[derive(Clone, Debug, Subcommand)]
pub enum ChannelsCommand {
    /// Say where a channel is reached, what it is checked by, and what its sender handed over
    Show(ChannelsShowArguments),
    /// Forget what the sender of a channel handed over, once it is in the configuration
    Forget(ChannelsForgetArguments),
}

/// The arguments of `channels forget`.
#[derive(Args, Clone, Debug)]
pub struct ChannelsForgetArguments {
    /// The channel
    pub id: String,
    /// The configuration
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(default_value = FILE_DEFAULT)]
    pub config: PathBuf,
}

/// The arguments of `channels show`.
#[derive(Args, Clone, Debug)]
pub struct ChannelsShowArguments {
    /// The channel
    pub id: String,
    /// The configuration
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(default_value = FILE_DEFAULT)]
    pub config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `fixture`.
#[derive(Args, Clone, Debug)]
pub struct FixtureArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The event
    pub id: String,
    /// Put the files into this folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub to: PathBuf,
}

/// The arguments of `providers list`.
#[derive(Args, Clone, Debug)]
pub struct ProvidersListArguments {
    /// Provider files of the user's own.
    #[command(flatten)]
    pub own: OwnProvidersArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `providers show`.
#[derive(Args, Clone, Debug)]
pub struct ProvidersShowArguments {
    /// The provider
    pub name: String,
    /// Provider files of the user's own.
    #[command(flatten)]
    pub own: OwnProvidersArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const VERIFY_HELP: &str = "\
Says step by step what is looked at and, when the request is refused, what most likely is wrong.
Neither the secret nor the signature that would have been right is shown. Exit codes: 0 the request
proves itself, 1 it does not, 2 wrong usage.";
