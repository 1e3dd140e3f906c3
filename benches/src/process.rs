//! A server under measure as a process: started, its CPU time read, ended.

use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    thread,
};

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// Where it takes mail, if it does.
    pub(crate) mail_address: Option<String>,
}

impl Server {
    /// Starts the command and reads the address it listens on from its standard error.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().context("its standard error")?);
        let mut line = String::new();
        while stderr.read_line(&mut line)? > 0 {
            if let Some((address, mail_address)) = listening(&line) {
                // What it goes on saying is read, so that it never waits for us.
                thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
                return Ok(Self { child, address, mail_address });
            }
            line.push(' ');
        }
        let _ = child.kill();
        bail!("the server did not say where it listens: {line}")
    }

    /// User and system time so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The fields after the name, which may hold spaces: state is the third of all.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or("").split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
        // Linux counts in hundredths of a second on every architecture we run on.
        Ok((ticks(12).context("utime")? + ticks(13).context("stime")?) / 100.0)
    }

    /// Resident memory at present, in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
        let kib = line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok());
        Ok(kib.context("a number")? / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses in a log line: JSON with the message `listening`.
fn listening(text: &str) -> Option<(String, Option<String>)> {
    let line = text.trim().lines().last()?;
    let line: serde_json::Value = serde_json::from_str(line.trim()).ok()?;
    let fields = line.get("fields").unwrap_or(&line);
    let says = fields.get("message")?.as_str()? == "listening";
    let text = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
    says.then(|| Some((text("address")?, text("mail_address")))).flatten()
}
