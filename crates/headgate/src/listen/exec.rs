//! The work as a command: the event on stdin, its prompt in the environment.

use super::{leases::Delivered, outcome::Outcome};
use std::{
    os::unix::process::ExitStatusExt,
    pin::pin,
    process::{ExitStatus, Stdio},
};
use tokio::{
    io::AsyncWriteExt,
    process::{ChildStdin, Command},
};

/// A command for `sh -c`.
#[derive(Debug)]
pub(super) struct Exec {
    command: String,
}

impl Exec {
    pub(super) fn new(command: &str) -> Self {
        Self { command: command.to_owned() }
    }

    /// Runs the command. When this is dropped before it ends, the command is killed.
    pub(super) async fn perform(&self, delivered: &Delivered) -> Outcome {
        let event = &delivered.event;
        let spawned = Command::new("sh")
            .args(["-c", &self.command])
            .env("HEADGATE_PROMPT", event.prompt_ready())
            .env("HEADGATE_EVENT_ID", event.id().to_string())
            .env("HEADGATE_EVENT_TYPE", event.event_type().as_str())
            .env("HEADGATE_CHANNEL", &event.channel().id)
            .stdin(Stdio::piped())
            // A group of its own: Ctrl-C asks this program to finish, and the command may.
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return Outcome::again(format!("the command cannot be started: {error}")),
        };
        let mut feeding = pin!(feed(child.stdin.take(), delivered.json.get()));
        let mut fed = false;
        let waited = {
            let mut waiting = pin!(child.wait());
            // A command that ends without reading its input must not be waited for by the feeding.
            loop {
                tokio::select! {
                    waited = &mut waiting => break waited,
                    () = &mut feeding, if !fed => fed = true,
                }
            }
        };
        match waited {
            Ok(status) if status.success() => Outcome::Done,
            Ok(status) => Outcome::again(reason(status)),
            Err(error) => Outcome::again(format!("the command cannot be waited for: {error}")),
        }
    }
}

/// Writes the event as one line and closes the pipe. A command may leave it unread.
async fn feed(stdin: Option<ChildStdin>, json: &str) {
    let Some(mut stdin) = stdin else { return };
    let written = async {
        stdin.write_all(json.as_bytes()).await?;
        stdin.write_all(b"\n").await?;
        stdin.shutdown().await
    };
    if let Err(error) = written.await {
        tracing::debug!(%error, "the command did not read the whole event");
    }
}

fn reason(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the command ended with exit code {code}"),
        (None, Some(signal)) => format!("the command was ended by signal {signal}"),
        (None, None) => format!("the command ended with {status}"),
    }
}
