//! The arguments of the commands about the folder that everything is kept in.

use super::{ClientArguments, moment::moment};
use clap::{Args, ValueHint};
use headgate_event::Timestamp;
use std::path::PathBuf;

/// Where a queue is that no gateway has.
#[derive(Args, Clone, Debug)]
pub struct PlaceArguments {
    /// The configuration that names the folder; its secrets are not needed
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "data_dir")]
    pub config: Option<PathBuf>,
    /// The folder of the queue, instead of the configuration's
    #[arg(long, env = "HEADGATE_DATA_DIR", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// The arguments of `export`.
#[derive(Args, Clone, Debug)]
pub struct ExportArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The folder of the queue, instead of the configuration's
    #[arg(long, env = "HEADGATE_DATA_DIR", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Only events received at or after this time: 2026-11-21T01:02:03Z, 2026-11-21, or 7d, which is
    /// so long ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<Timestamp>,
    /// Only events received before this time, written in the same ways
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Timestamp>,
    /// Only events of this channel; may be repeated, which means any of them
    #[arg(long, value_name = "ID")]
    pub channel: Vec<String>,
    /// The file to write, which must not be there yet; stdout when it is left out
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// The arguments of `import`.
#[derive(Args, Clone, Debug)]
pub struct ImportArguments {
    /// The exported file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Where the events go.
    #[command(flatten)]
    pub place: PlaceArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `backup`.
#[derive(Args, Clone, Debug)]
pub struct BackupArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The folder of the queue, instead of the configuration's
    #[arg(long, env = "HEADGATE_DATA_DIR", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Make `backup-<time>` under this folder; only while no gateway runs
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub to: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `reindex`.
#[derive(Args, Clone, Debug)]
pub struct ReindexArguments {
    /// Where the queue is.
    #[command(flatten)]
    pub place: PlaceArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `repair`.
#[derive(Args, Clone, Debug)]
pub struct RepairArguments {
    /// Where the queue is.
    #[command(flatten)]
    pub place: PlaceArguments,
    /// Do it: first copy what is changed into `damaged-<time>` in the folder, then mend
    #[arg(long)]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
