//! SIGHUP: the configuration and its secrets are read anew, all of it or nothing.

use crate::{
    house::{answer, request, start},
    run::Running,
};
use serde_json::Value;
use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};
use tempfile::TempDir;

/// A gateway and the file that it runs by.
struct Reloading {
    gateway: Running,
    address: String,
    folder: TempDir,
}

const OPEN: &str = "[[channel]]\nid = \"open\"\ntype = \"webhook\"\nverify = \"none\"\n";

/// A channel for who shows one of these secrets, each in a file of its own.
fn keyed(id: &str, secrets: &[&str]) -> String {
    let files: Vec<String> =
        secrets.iter().map(|name| format!("{{ file = \"{name}.secret\" }}")).collect();
    let files = files.join(", ");
    format!(
        "[[channel]]\nid = \"{id}\"\ntype = \"webhook\"\nprovider = \"token\"\nsecrets = [{files}]\n"
    )
}

impl Reloading {
    fn with(tables: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["old", "new", "key"] {
            let secret = format!("the-{name}-secret-of-this-test\n");
            fs::write(folder.path().join(format!("{name}.secret")), secret).expect("written");
        }
        let config = folder.path().join("headgate.toml");
        fs::write(&config, text(tables)).expect("written");
        let (gateway, address) = start(&config);
        Self { gateway, address, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Reloads with these tables and waits for the line in the log that says how it went.
    fn reload(&self, tables: &str, said: &str) -> String {
        fs::write(self.path("headgate.toml"), text(tables)).expect("written");
        self.gateway.hang_up();
        self.gateway.said(said)
    }

    fn reloaded(&self, tables: &str) {
        self.reload(tables, "\"reloaded\"");
    }

    fn ask(&self, method: &str, path: &str) -> Value {
        request(&self.address, method, path, "")
    }

    /// The status of a webhook, sent with a bearer.
    fn post(&self, channel: &str, secret: &str) -> String {
        status(&self.address, channel, secret)
    }

    /// A metric that has one value.
    fn metric(&self, name: &str) -> String {
        let text = answer(&self.address, "GET", "/metrics", "", "");
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or("none").to_owned()
    }

    fn channels(&self) -> Vec<String> {
        let shown = self.ask("GET", "/v1/channels");
        let channels = shown["channels"].as_array().expect("channels").iter();
        channels.map(|channel| channel["id"].as_str().expect("an id").to_owned()).collect()
    }
}

fn text(tables: &str) -> String {
    format!("data_dir = \"data\"\n[server]\nlisten = \"127.0.0.1:0\"\n{tables}")
}

fn status(address: &str, channel: &str, secret: &str) -> String {
    let bearer = format!("authorization: Bearer the-{secret}-secret-of-this-test\r\n");
    let answer = answer(address, "POST", &format!("/v1/webhook/{channel}"), &bearer, "{}");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn a_secret_is_changed_under_load_without_a_refused_request() {
    let house = Reloading::with(&keyed("hub", &["old"]));
    assert_eq!(house.post("hub", "new"), "401");
    let (done, changed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let sent: [Arc<AtomicUsize>; 3] = Default::default();
    let senders: Vec<_> = sent
        .iter()
        .map(|sent| {
            let (done, changed) = (Arc::clone(&done), Arc::clone(&changed));
            let (sent, address) = (Arc::clone(sent), house.address.clone());
            thread::spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let secret = if changed.load(Ordering::SeqCst) { "new" } else { "old" };
                    assert_eq!(status(&address, "hub", secret), "200", "{secret}");
                    sent.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let counts = || sent.each_ref().map(|sent| sent.load(Ordering::SeqCst));
    let some_more = || {
        let before = counts();
        crate::house::until("each sender sent more", || {
            let stuck = senders.iter().any(thread::JoinHandle::is_finished);
            let more = counts().iter().zip(before).all(|(now, before)| *now > before + 5);
            (stuck || more).then_some(())
        });
    };
    some_more();
    house.reloaded(&keyed("hub", &["old", "new"]));
    some_more();
    changed.store(true, Ordering::SeqCst);
    // What was begun with the old secret is answered before it goes.
    some_more();
    house.reloaded(&keyed("hub", &["new"]));
    some_more();
    done.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.join().expect("no request was refused");
    }
    assert_eq!(house.post("hub", "old"), "401");
}

#[test]
fn the_content_of_a_secret_file_is_read_anew() {
    let house = Reloading::with(&keyed("hub", &["old"]));
    fs::copy(house.path("new.secret"), house.path("old.secret")).expect("copied");
    assert_eq!(house.post("hub", "old"), "200", "nothing changes before the signal");
    house.reloaded(&keyed("hub", &["old"]));
    assert_eq!((house.post("hub", "old"), house.post("hub", "new")), ("401".into(), "200".into()));
}

#[test]
fn a_wrong_file_changes_nothing_and_says_all_that_is_wrong() {
    let house = Reloading::with(OPEN);
    assert_eq!(house.metric("headgate_config_last_reload_successful"), "1");
    let wrong = format!("{}nonsense = 1\n{}", OPEN.replace("open", "other"), keyed("hub", &["no"]));
    fs::write(house.path("headgate.toml"), text(&wrong)).expect("written");
    house.gateway.hang_up();
    let first = house.gateway.said("wrong in the configuration");
    assert!(first.contains("headgate.toml:8: channel.other.nonsense: expected"), "{first}");
    let second = house.gateway.said("wrong in the configuration");
    assert!(second.contains("no.secret"), "{second}");
    let end = house.gateway.said("not reloaded, nothing changed");
    assert!(end.contains("\"problems\":2"), "{end}");
    assert_eq!(house.channels(), ["app", "open"]);
    assert_eq!((house.post("open", ""), house.post("other", "")), ("200".into(), "404".into()));
    assert_eq!(house.metric("headgate_config_last_reload_successful"), "0");
    assert_eq!(house.metric("headgate_reloads_total{outcome=\"refused\"}"), "1");
    assert_eq!(house.ask("GET", "/readyz")["ready"], true, "it works as before");
    house.reloaded(&format!("{OPEN}{}", OPEN.replace("open", "other")));
    assert_eq!(house.channels(), ["app", "open", "other"]);
    assert_eq!(house.metric("headgate_config_last_reload_successful"), "1");
}

#[test]
fn what_takes_a_restart_is_named_and_nothing_else_is_changed() {
    let house = Reloading::with(OPEN);
    let tables = OPEN.replace("open", "other");
    let elsewhere = text(&tables).replace("\"data\"", "\"data-2\"").replace(":0", ":1");
    let server = "[server]\napi_listen = \"127.0.0.1:0\"\ntrusted_proxies = [\"::1\"]";
    let elsewhere = elsewhere.replace("[server]", server);
    fs::write(house.path("headgate.toml"), elsewhere).expect("written");
    house.gateway.hang_up();
    let data = house.gateway.said("wrong in the configuration");
    assert!(data.contains("data_dir: expected `") && data.contains("takes a restart"), "{data}");
    let api = house.gateway.said("wrong in the configuration");
    assert!(api.contains("server.api_listen: expected `none`"), "{api}");
    let listen = house.gateway.said("wrong in the configuration");
    assert!(listen.contains("server.listen: expected `127.0.0.1:0`"), "{listen}");
    let proxies = house.gateway.said("wrong in the configuration");
    assert!(proxies.contains("server.trusted_proxies: expected `[]`"), "{proxies}");
    assert_eq!(house.channels(), ["app", "open"]);
}

#[test]
fn channels_and_subscriptions_come_and_go() {
    let agent = "[[subscription]]\nname = \"agent\"\n";
    let house = Reloading::with(&format!("{OPEN}{agent}"));
    house.post("open", "");
    let other = "[[subscription]]\nname = \"other\"\nstart = \"earliest\"\n";
    house.reloaded(&format!("{}{other}", OPEN.replace("open", "second")));
    assert_eq!((house.post("open", ""), house.post("second", "")), ("404".into(), "200".into()));
    assert_eq!(house.ask("GET", "/v1/events")["events"].as_array().map(Vec::len), Some(2));
    let status = house.ask("GET", "/v1/subscriptions/agent");
    assert_eq!((&status["configured"], &status["lag"]), (&false.into(), &2.into()));
    let status = house.ask("GET", "/v1/subscriptions/other");
    assert_eq!((&status["configured"], &status["lag"]), (&true.into(), &2.into()));
    house.reloaded(&format!("{OPEN}{agent}{other}lease = \"5s\"\nthread_key = [\"t\"]\n"));
    let status = house.ask("GET", "/v1/subscriptions/other");
    assert_eq!((&status["lease_ms"], &status["thread_key"][0]), (&5_000.into(), &"t".into()));
    assert_eq!(house.ask("GET", "/v1/subscriptions/agent")["configured"], true);
}

#[test]
fn keys_come_and_go_and_what_a_key_opened_is_closed_with_it() {
    let house = Reloading::with(OPEN);
    assert!(house.ask("GET", "/v1/events")["events"].is_array());
    let key =
        "[[api_key]]\nname = \"reader\"\nkey = { file = \"key.secret\" }\nscopes = [\"read\"]\n";
    house.reloaded(&format!("{OPEN}{key}"));
    assert_eq!(house.ask("GET", "/v1/events")["error"]["code"], "missing_key");
    let mut tail = crate::run::headgate();
    tail.args(["--log", "headgate=debug", "tail", "--key-env", "KEY"]);
    tail.env("HEADGATE_URL", format!("http://{}", house.address));
    let tail = Running::start(tail.env("KEY", "the-key-secret-of-this-test"));
    tail.said("a frame that is no event");
    let secret = fs::read_to_string(house.path("new.secret")).expect("text");
    fs::write(house.path("key.secret"), secret).expect("written");
    house.reloaded(&format!("{OPEN}{key}"));
    tail.said("connecting again");
    assert!(tail.ended().code().is_some_and(|code| code != 0), "it is refused");
}

#[test]
fn a_service_manager_hears_of_the_start_of_a_reload_and_of_the_stop() {
    let house = Reloading::with(OPEN);
    let socket = UnixDatagram::bind(house.path("notify")).expect("a socket");
    let told = || {
        let mut text = [0; 200];
        let length = socket.recv(&mut text).expect("a word");
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let mut command = crate::run::headgate();
    command.args(["serve", "--data-dir"]).arg(house.path("other")).arg("--config");
    command.arg(house.path("headgate.toml")).env("NOTIFY_SOCKET", house.path("notify"));
    let gateway = Running::start(&mut command);
    assert_eq!(told(), "READY=1\n");
    gateway.hang_up();
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(), "READY=1\n");
    gateway.terminate();
    assert_eq!(told(), "STOPPING=1\n");
    assert!(gateway.ended().success());
}

/// What a process holds open, and its resident memory in KiB.
#[cfg(target_os = "linux")]
fn held(id: u32) -> (usize, usize) {
    let open = fs::read_dir(format!("/proc/{id}/fd")).expect("its files").count();
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kib = line.trim().trim_end_matches(" kB").parse().expect("a number");
    (open, kib)
}

#[cfg(target_os = "linux")]
#[test]
fn many_reloads_leave_memory_and_files_as_they_were() {
    let tables = |n: usize| {
        let channels: String = (0..20).map(|nth| keyed(&format!("c{nth}-{n}"), &["old"])).collect();
        format!("{channels}[[subscription]]\nname = \"agent\"\nchannels = [\"c0-{n}\"]\n")
    };
    let house = Reloading::with(&tables(0));
    let id = house.gateway.id();
    // Each thread of the program takes some MiB with the first reload that it has a part in.
    for n in 0..150 {
        house.reloaded(&tables(n % 2));
    }
    let (open, kib) = held(id);
    for n in 0..60 {
        house.reloaded(&tables(n % 2));
    }
    let (open_after, kib_after) = held(id);
    // A connection of the metrics or of SQLite may be open at one moment and not at the other.
    assert!(open_after <= open + 3, "{open} files, then {open_after}");
    // A reload reads some sixty provider files: sixty reloads that kept them would hold far more.
    assert!(kib_after < kib + 16_384, "{kib} KiB, then {kib_after} KiB");
}
