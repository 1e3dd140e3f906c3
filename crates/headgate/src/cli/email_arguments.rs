//! The arguments of `email`.

use clap::{Args, Subcommand, ValueHint};
use std::{net::SocketAddr, path::PathBuf};

/// What can be asked about mail.
#[derive(Clone, Debug, Subcommand)]
pub enum EmailCommand {
    /// Print the `data` of the event that a message would be, as JSON
    ///
    /// What only its delivery tells is null: envelope, tag, and who is believed to have sent it.
    Parse(EmailParseArguments),
    /// Say whether mail for a domain comes here, and what to set in its DNS
    ///
    /// Looks at MX records with the addresses of their hosts, and at what SPF and DMARC say of
    /// those who send in the name of the domain. Exit code 1 when something is wrong or not known.
    CheckDns(EmailCheckDnsArguments),
}

/// The arguments of `email check-dns`.
#[derive(Args, Clone, Debug)]
pub struct EmailCheckDnsArguments {
    /// The domain behind the `@`
    pub domain: String,
    /// The name of the gateway's host, as MX records should have it
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// A DNS server to ask instead of those of the system; may be repeated
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub dns: Vec<SocketAddr>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `email parse`.
#[derive(Args, Clone, Debug)]
pub struct EmailParseArguments {
    /// Messages as they were sent; `-` is stdin
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Print one line for each file, with its name
    #[arg(long)]
    pub jsonl: bool,
}
