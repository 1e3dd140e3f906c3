//! The receivers, each as a process of its own in a folder of its own.

use super::{Programs, source::RECIPIENT};
use crate::{call::Caller, load, process::Server};
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::Read,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a receiver may take to greet.
const START_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sink,
    Postfix,
    Headgate,
}

/// A running receiver. It is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) kind: Kind,
    pub(super) address: String,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Headgate(Server),
    /// A process that listens at an address that it was told.
    Other {
        _ended_when_dropped: Other,
    },
}

#[derive(Debug)]
struct Other {
    child: Child,
    /// Where the process that has to be asked to end writes its id, if it is not the child itself.
    pid_file: Option<PathBuf>,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sink => "smtp-sink",
            Self::Postfix => "postfix",
            Self::Headgate => "headgate",
        }
    }
}

impl Receiver {
    /// Starts a receiver whose files are in this folder, and waits until it greets.
    pub(super) fn start(kind: Kind, programs: &Programs<'_>, folder: &Path) -> Result<Self> {
        if kind == Kind::Headgate {
            let mut command = Command::new(&programs.headgate);
            command.arg("serve").arg("--config").arg(configure_headgate(folder)?);
            let server = Server::start(command)?;
            let address = server.mail_address.clone().context("headgate takes no mail")?;
            return Ok(Self { kind, address, running: Running::Headgate(server) });
        }
        let address = free_address()?;
        let mut command = match kind {
            Kind::Postfix => {
                let mut command = Command::new(programs.postfix.join("postfix"));
                command.arg("-c").arg(configure_postfix(folder, &address)?).arg("start-fg");
                command
            }
            _ => {
                // It wants to be somebody else when it is started by root.
                let mut command = Command::new(programs.postfix.join("smtp-sink"));
                command.args(["-u", "nobody", &address, "1000"]);
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("Postfix is not installed (`apt install postfix`)")?;
        let pid_file = (kind == Kind::Postfix).then(|| folder.join("queue/pid/master.pid"));
        let mut child = Other { child, pid_file };
        greeted(&mut child, &address).with_context(|| format!("{} does not start", kind.name()))?;
        Ok(Self { kind, address, running: Running::Other { _ended_when_dropped: child } })
    }

    /// How many messages are stored, where the receiver tells.
    pub(super) fn stored(&self) -> Result<Option<usize>> {
        let Running::Headgate(server) = &self.running else { return Ok(None) };
        load::runtime()?.block_on(async {
            let mut caller = Caller::new(&server.address).await?;
            let metrics = String::from_utf8(caller.call("GET", "/metrics", "").await?.to_vec())?;
            let name = "headgate_smtp_messages_total{outcome=\"stored\"} ";
            let count = metrics.lines().find_map(|line| line.strip_prefix(name));
            Ok(Some(count.context("the count of messages")?.trim().parse()?))
        })
    }

    /// Headgate's resident memory at present, in MiB.
    pub(super) fn resident_mib(&self) -> Result<f64> {
        match &self.running {
            Running::Headgate(server) => server.resident_mib(),
            Running::Other { .. } => bail!("only headgate's memory is looked at"),
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Postfix's master ends what it started when it is asked to, not when it is killed; a shell
        // waits for it.
        let written = self.pid_file.as_ref().and_then(|path| fs::read_to_string(path).ok());
        let master = written.and_then(|text| text.trim().parse::<i32>().ok());
        let id = master.or_else(|| i32::try_from(self.child.id()).ok());
        if let Some(pid) = id.and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn greeted(child: &mut Other, address: &str) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < START_TIMEOUT {
        if let Some(status) = child.child.try_wait()? {
            bail!("it ended with {status}");
        }
        if let Ok(mut stream) = TcpStream::connect(address) {
            let mut code = [0; 3];
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.read_exact(&mut code)?;
            ensure!(&code == b"220", "it greets with {code:?}");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("it did not greet in {START_TIMEOUT:?}")
}

fn configure_headgate(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("headgate.toml");
    let data = folder.join("headgate");
    // Nobody asks the DNS who sent it: neither does Postfix.
    let text = format!(
        "data_dir = {data:?}\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[email]\n\
         listen = \"127.0.0.1:0\"\nhostname = \"in.example.com\"\nresolver = \"off\"\n\n\
         [[channel]]\nid = \"support\"\ntype = \"email\"\naddresses = [{RECIPIENT:?}]\n"
    );
    fs::write(&path, text)?;
    Ok(path)
}

/// A Postfix that relays what it takes to nowhere: its queue is on the disk, as always.
fn configure_postfix(folder: &Path, address: &str) -> Result<PathBuf> {
    // Its processes run as a user of their own, who has to come this far.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let (etc, queue, data) = (folder.join("etc"), folder.join("queue"), folder.join("data"));
    for path in [&etc, &queue, &data] {
        fs::create_dir_all(path)?;
    }
    let owned = Command::new("chown").arg("postfix").arg(&data).status()?;
    ensure!(owned.success(), "the folder cannot be given to the user `postfix`");
    let main = format!(
        "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\n\
         command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n\
         myhostname = postfix.example\nmydestination =\ninet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nrelay_domains = in.example.com\n\
         relay_recipient_maps =\nalias_maps =\nrelay_transport = discard:\n\
         default_transport = discard:\nsmtpd_peername_lookup = no\nin_flow_delay = 0\n\
         smtpd_relay_restrictions = permit_mynetworks, reject\n\
         smtpd_client_connection_count_limit = 0\nmessage_size_limit = 50000000\n",
        queue.display(),
        data.display(),
    );
    fs::write(etc.join("main.cf"), main)?;
    let mut master = format!("{address} inet n - n - 100 smtpd\n");
    for (name, kind, private, wakeup, most, command) in [
        ("pickup", "unix", "n", "60", "1", "pickup"),
        ("cleanup", "unix", "n", "-", "0", "cleanup"),
        ("qmgr", "unix", "n", "300", "1", "qmgr"),
        ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
        ("bounce", "unix", "-", "-", "0", "bounce"),
        ("defer", "unix", "-", "-", "0", "bounce"),
        ("trace", "unix", "-", "-", "0", "bounce"),
        ("verify", "unix", "-", "-", "1", "verify"),
        ("flush", "unix", "n", "1000?", "0", "flush"),
        ("proxymap", "unix", "-", "-", "-", "proxymap"),
        ("showq", "unix", "n", "-", "-", "showq"),
        ("error", "unix", "-", "-", "-", "error"),
        ("retry", "unix", "-", "-", "-", "error"),
        ("discard", "unix", "-", "-", "-", "discard"),
        ("anvil", "unix", "-", "-", "1", "anvil"),
    ] {
        master += &format!("{name} {kind} {private} - n {wakeup} {most} {command}\n");
    }
    fs::write(etc.join("master.cf"), master)?;
    Ok(etc)
}
