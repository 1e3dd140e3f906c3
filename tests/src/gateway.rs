//! The program under test as a process, with its folder and its configuration.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// A running Headgate. It is killed when this is dropped.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    /// The address that it listens on, `127.0.0.1:port`.
    pub address: String,
    /// The address of the API: the same, unless it is configured to have its own.
    pub api_address: String,
    /// The address that mail servers are listened to on; empty when none are.
    pub mail_address: String,
    /// The same with TLS from the first byte.
    pub mail_tls_address: String,
    log: mpsc::Receiver<String>,
}

impl Gateway {
    /// Starts the program on a configuration file and waits until it listens.
    pub fn start(config: &Path) -> Result<Self> {
        Self::start_with(&["serve".into(), "--config".into(), config.into()], &[])
    }

    /// Starts the program with these arguments and environment and waits until it listens.
    pub fn start_with(arguments: &[OsString], environment: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.args(arguments).envs(environment.iter().copied());
        Self::start_command(command)
    }

    /// Starts a command that becomes the program, and waits until it listens.
    pub fn start_command(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("start headgate")?;
        let stderr = child.stderr.take().context("its log")?;
        let (sender, log) = mpsc::channel();
        // The log ends with the program, so nothing else keeps its sender.
        let sender = Arc::new(sender);
        let before = Arc::downgrade(&sender);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut seen = String::new();
        loop {
            match log.recv_timeout(Duration::from_secs(30)) {
                Ok(line) => {
                    if let Some(at) = listening(&line) {
                        let text = |name: &str| at.get(name).and_then(Value::as_str);
                        let of = |name: &str| text(name).unwrap_or_default().to_owned();
                        let address = of("address");
                        let api_address = text("api_address").unwrap_or(&address).to_owned();
                        let mail_address = of("mail_address");
                        let mail_tls_address = of("mail_tls_address");
                        // What it said before is for a test to look at, too.
                        if let Some(before) = before.upgrade() {
                            seen.lines().try_for_each(|line| before.send(line.to_owned()))?;
                        }
                        return Ok(Self {
                            child,
                            address,
                            api_address,
                            mail_address,
                            mail_tls_address,
                            log,
                        });
                    }
                    seen.push_str(&line);
                    seen.push('\n');
                }
                Err(_) => {
                    let _ = child.kill();
                    let status = child.wait()?;
                    bail!("headgate did not listen ({status}); it said:\n{seen}");
                }
            }
        }
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Result<()> {
        self.kill_in_place()
    }

    /// `kill -9`, for who starts another in its place.
    pub fn kill_in_place(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and its exit status.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.terminate()?;
        Ok(self.child.wait()?)
    }

    /// SIGTERM, without waiting.
    pub fn terminate(&self) -> Result<()> {
        self.signal("-TERM")
    }

    /// SIGHUP, without waiting.
    pub fn hang_up(&self) -> Result<()> {
        self.signal("-HUP")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status()?;
        if status.success() { Ok(()) } else { bail!("kill {signal} {id}: {status}") }
    }

    /// Waits for a line of its log with this in it.
    pub fn said(&self, text: &str) -> Result<String> {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(30));
            let line = line.with_context(|| format!("the log does not say `{text}`"))?;
            if line.contains(text) {
                return Ok(line);
            }
        }
    }

    /// Waits for it to end by itself.
    pub fn wait(mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Its resident memory, in bytes.
    pub fn resident_bytes(&self) -> Result<usize> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
        let kib = line.split_whitespace().nth(1).and_then(|text| text.parse::<usize>().ok());
        Ok(kib.context("a number")? * 1024)
    }

    /// What it has logged since the last call.
    #[must_use]
    pub fn logged(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a configuration into the folder: its data there, any free port, and these tables.
pub fn write_config(folder: &Path, tables: &str) -> Result<PathBuf> {
    write_config_of_server(folder, "listen = \"127.0.0.1:0\"", tables)
}

/// The same with other keys in `[server]`.
pub fn write_config_of_server(folder: &Path, server: &str, tables: &str) -> Result<PathBuf> {
    let (path, data) = (folder.join("headgate.toml"), folder.join("data"));
    std::fs::write(&path, format!("data_dir = {data:?}\n\n[server]\n{server}\n\n{tables}"))?;
    Ok(path)
}

/// The binary under test: the one built beside the test that runs.
pub fn binary() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folders = test.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join("headgate")).find(|path| path.is_file());
    found.with_context(|| {
        format!("no `headgate` beside `{}`; `cargo build` makes it", test.display())
    })
}

/// The Python of the test environment, which `tests/run` makes.
pub fn python() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let python = root.join("target/python/bin/python");
    if python.is_file() {
        return Ok(python);
    }
    bail!("`{}` is missing; `tests/run` installs it", python.display())
}

/// The line that says where it listens.
fn listening(line: &str) -> Option<Value> {
    let line: Value = serde_json::from_str(line).ok()?;
    let says = line.get("message")?.as_str()? == "listening";
    says.then_some(line)
}
