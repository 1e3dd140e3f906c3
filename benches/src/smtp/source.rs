//! What `smtp-source` sends, and how fast it was taken.

use super::receivers::{Kind, Receiver};
use anyhow::{Context, Result, ensure};
use std::{
    fmt,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// To whom mail is sent.
pub(super) const RECIPIENT: &str = "support@in.example.com";
/// From whom.
pub(super) const SENDER: &str = "ann@example.org";

/// A load of messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Of the body of one message.
    pub(super) bytes: usize,
    connections: usize,
    messages: usize,
    /// Whether a connection is kept for the next message.
    kept: bool,
}

impl Load {
    /// The loads of a round. Postfix gets a tenth of the messages of the small ones.
    pub(super) fn all(messages: usize) -> [Self; 4] {
        let small = Self { bytes: 2 << 10, connections: 20, messages, kept: true };
        [
            small,
            Self { kept: false, messages: messages / 2, ..small },
            Self { bytes: 100 << 10, messages: messages / 10, ..small },
            Self { bytes: 10 << 20, connections: 4, messages: 80, kept: true },
        ]
    }

    pub(super) fn is_small_and_kept(&self) -> bool {
        self.kept && self.bytes == 2 << 10
    }

    /// How many messages a receiver of this kind gets, so that slow ones do not take forever.
    fn messages_for(&self, kind: Kind) -> usize {
        match kind {
            Kind::Postfix if self.bytes < 1 << 20 => (self.messages / 10).max(self.connections),
            _ => self.messages,
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = if self.kept { "kept" } else { "new for each" };
        write!(f, "{} KiB, {} connections, {kept}", self.bytes >> 10, self.connections)?;
        let aim = if self.bytes > 2 << 10 { " (aim of headgate: 250 MiB/s)" } else { "" };
        write!(f, "{aim}")
    }
}

/// Sends a load and gives the messages that were taken in a second. A message that is refused ends
/// `smtp-source`, and the benchmark with it.
pub(super) fn send(programs: &Path, to: &Receiver, load: &Load) -> Result<f64> {
    let messages = load.messages_for(to.kind);
    let mut command = Command::new(programs.join("smtp-source"));
    command
        .args(["-f", SENDER, "-t", RECIPIENT, "-M", "source.example"])
        .args(["-s", &load.connections.to_string()])
        .args(["-m", &messages.to_string()])
        .args(["-l", &load.bytes.to_string()]);
    if load.kept {
        command.arg("-d");
    }
    command.arg(&to.address).stdin(Stdio::null());
    let started = Instant::now();
    let ended = command.output().context("`smtp-source` of Postfix is not installed")?;
    let seconds = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "smtp-source: {said}");
    if let Some(stored) = to.stored()? {
        ensure!(stored == messages, "{messages} messages were sent, {stored} are stored");
    }
    Ok(messages as f64 / seconds)
}
