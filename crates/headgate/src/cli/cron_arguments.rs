//! The arguments of the commands about expressions and time zones.

use clap::{Args, Subcommand, value_parser};
use headgate_cron::{DstPolicy, Fold, Gap, PolicyError};
use headgate_event::{
    Timestamp, TimestampError,
    limits::{CRON_NEXT_DEFAULT, CRON_NEXT_MAX},
};

/// What can be asked about expressions and time zones.
#[derive(Clone, Debug, Subcommand)]
pub enum CronCommand {
    /// Say when an expression is due next
    ///
    /// One time a line: the instant in UTC, what a clock in the time zone shows, and what the
    /// turning of that clock did to it. It needs no gateway.
    Next(Box<CronNextArguments>),
    /// Say what an expression means, in words and field by field, and what is doubtful about it
    ///
    /// A wrong expression is shown with a caret under its fault: exit code 1.
    Explain(CronExplainArguments),
    /// Say which zone data counts and how old it is, or when the clock of a zone is turned
    Zones(CronZonesArguments),
}

/// An expression and its time zone.
#[derive(Args, Clone, Debug)]
pub struct CronArguments {
    /// The time zone, such as America/New_York
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub timezone: String,
    /// Allow six fields, seconds first, and seven, the year last
    #[arg(long)]
    pub seconds: bool,
    /// Times that the clock leaves out: cron (fixed times as `after`, intervals as `skip`), skip,
    /// after, shift
    #[arg(long, value_name = "RULE", default_value = "cron", value_parser = gap)]
    pub dst_gap: Gap,
    /// Times that the clock shows twice: cron (fixed times as `first`, intervals as `both`),
    /// first, second, both
    #[arg(long, value_name = "RULE", default_value = "cron", value_parser = fold)]
    pub dst_fold: Fold,
    /// The id of the schedule, a UUID, from which each `H` is drawn
    #[arg(long, value_name = "ID")]
    pub id: Option<uuid::Uuid>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl CronArguments {
    /// What the turning of the clock does.
    #[must_use]
    pub const fn policy(&self) -> DstPolicy {
        DstPolicy { gap: self.dst_gap, fold: self.dst_fold }
    }
}

/// The arguments of `cron next`.
#[derive(Args, Clone, Debug)]
#[command(after_help = BATCH_HELP)]
pub struct CronNextArguments {
    /// The expression, quoted: '0 14 * * THU'
    #[arg(value_name = "EXPR", required_unless_present = "batch")]
    pub expression: Option<String>,
    /// Its time zone and the rest.
    #[command(flatten)]
    pub cron: CronArguments,
    /// Only times later than this, such as 2026-11-21T01:02:03Z; now when left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub after: Option<Timestamp>,
    /// How many
    #[arg(short = 'n', long, value_name = "N", default_value_t = CRON_NEXT_DEFAULT as u64)]
    #[arg(value_parser = value_parser!(u64).range(1..=CRON_NEXT_MAX as u64))]
    pub count: u64,
    /// Say first what the expression means, and how long it is from each time to the next
    #[arg(long)]
    pub explain: bool,
    /// Answer questions from stdin, one a line
    #[arg(long, conflicts_with_all = [
        "expression", "timezone", "seconds", "dst_gap", "dst_fold", "id", "json", "after", "count",
        "explain",
    ])]
    pub batch: bool,
}

/// The arguments of `cron explain`.
#[derive(Args, Clone, Debug)]
pub struct CronExplainArguments {
    /// The expression, quoted: '0 14 * * THU'
    #[arg(value_name = "EXPR")]
    pub expression: String,
    /// Its time zone and the rest.
    #[command(flatten)]
    pub cron: CronArguments,
    /// Look at the turns of the clock in the 13 months after this time; now when left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
}

/// The arguments of `cron zones`.
#[derive(Args, Clone, Debug)]
pub struct CronZonesArguments {
    /// A time zone: when its clock is turned in the 13 months to come
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// As of this time; now when left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn gap(text: &str) -> Result<Gap, PolicyError> {
    text.parse()
}

fn fold(text: &str) -> Result<Fold, PolicyError> {
    text.parse()
}

fn time(text: &str) -> Result<Timestamp, TimestampError> {
    text.parse()
}

const BATCH_HELP: &str = "\
With --batch each line of stdin is one question as JSON, and each is answered in its order by one
line of JSON; it ends with its input.

  {\"expr\": \"0 9 * * *\", \"tz\": \"Asia/Tokyo\", \"after\": \"2026-11-21T00:00:00Z\", \"n\": 1}
  {\"next\":[\"2026-11-22T00:00:00Z\"]}

Without `tz` it is UTC, without `after` now, without `n` 5. `seconds` (true), `dst_gap`, `dst_fold`
and `id` are as the options. A question that is none is answered {\"error\": \"..\"}.";
