//! The arguments of the commands about refused requests.

use super::{ClientArguments, moment::moment};
use clap::{Args, Subcommand};
use headgate_event::Timestamp;

/// What can be done with refused requests.
#[derive(Clone, Debug, Subcommand)]
pub enum RejectionsCommand {
    /// List refused requests, newest first
    List(RejectionsListArguments),
    /// Show one refused request with its headers and body
    Get(RejectionsGetArguments),
    /// Verify refused requests again and make those events that prove themselves
    ///
    /// A request is verified by the secrets that its channel has in the running gateway, at the
    /// time it came. What still does not prove itself stays, and is listed.
    Release(RejectionsReleaseArguments),
    /// Delete refused requests; their bytes are overwritten
    Delete(RejectionsDeleteArguments),
}

/// Which refused requests.
#[derive(Args, Clone, Debug)]
pub struct RejectionFilter {
    /// Only those for this channel; may be repeated, which means any of them
    #[arg(long, value_name = "ID")]
    pub channel: Vec<String>,
    /// Only those refused with this code, such as signature_mismatch; may be repeated
    #[arg(long, value_name = "CODE")]
    pub code: Vec<String>,
    /// Only those received at or after this time: 2026-11-21T01:02:03Z, 2026-11-21, or 7d, which is
    /// so long ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<Timestamp>,
    /// Only those received before this time, written in the same ways
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Timestamp>,
}

/// The arguments of `rejections list`.
#[derive(Args, Clone, Debug)]
pub struct RejectionsListArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// Which.
    #[command(flatten)]
    pub filter: RejectionFilter,
    /// At most so many; as many pages are read as it takes
    #[arg(long, value_name = "N", default_value_t = 50)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Print one a line as JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `rejections get`.
#[derive(Args, Clone, Debug)]
pub struct RejectionsGetArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The id of the rejection
    pub id: String,
    /// Print JSON
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,
    /// Write the request as `headgate verify` takes it: request line, headers, an empty line, body
    #[arg(long)]
    pub raw: bool,
}

/// The arguments of `rejections release`.
#[derive(Args, Clone, Debug)]
pub struct RejectionsReleaseArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The ids of the rejections
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// All that the filter lets through, oldest first
    #[arg(long)]
    pub all: bool,
    /// Which.
    #[command(flatten)]
    pub filter: RejectionFilter,
    /// Take a signed time of any age; the event says so
    #[arg(long)]
    pub ignore_age: bool,
    /// Only say what would be released
    #[arg(long, requires = "all")]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `rejections delete`.
#[derive(Args, Clone, Debug)]
pub struct RejectionsDeleteArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The ids of the rejections
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// All that the filter lets through
    #[arg(long)]
    pub all: bool,
    /// Which.
    #[command(flatten)]
    pub filter: RejectionFilter,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl RejectionFilter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.channel.is_empty()
            && self.code.is_empty()
            && self.since.is_none()
            && self.until.is_none()
    }
}
