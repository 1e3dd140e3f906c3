//! The exit code that a container's health check looks at.

use crate::{
    house::{House, KEY, start},
    run::{Running, finish, headgate, run},
};
use std::{fs, net::SocketAddr, path::PathBuf};
use tempfile::TempDir;

/// The world's name of a gateway, which leads nowhere from here.
const NAME: &str = "in.headgate.test";

/// A gateway that speaks TLS, and the configuration by which commands find it.
struct Secured {
    _gateway: Running,
    folder: TempDir,
    address: SocketAddr,
}

impl Secured {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let pair = rcgen::generate_simple_self_signed(vec![NAME.to_owned()]).expect("a pair");
        fs::write(folder.path().join("cert.pem"), pair.cert.pem()).expect("written");
        fs::write(folder.path().join("key.pem"), pair.signing_key.serialize_pem())
            .expect("written");
        let config = config(&folder, "127.0.0.1:0", NAME);
        let (gateway, address) = start(&config);
        let address = address.parse().expect("an address");
        Self { _gateway: gateway, folder, address }
    }

    /// A command on this machine that takes the gateway for the one of that name.
    fn command(&self, arguments: &[&str], name: &str) -> std::process::Command {
        let config = config(&self.folder, &self.address.to_string(), name);
        let mut command = headgate();
        command.args(arguments).arg("--config").arg(config);
        command.env("SSL_CERT_FILE", self.folder.path().join("cert.pem"));
        command.env("HEADGATE_KEY", KEY).env("READER_KEY", KEY);
        command
    }
}

fn config(folder: &TempDir, listen: &str, name: &str) -> PathBuf {
    let path = folder.path().join(format!("{name}-{}.toml", listen.replace(':', "-")));
    let text = format!(
        "[server]\nlisten = \"{listen}\"\npublic_url = \"https://{name}\"\n\
         tls = {{ certificate = \"cert.pem\", key = \"key.pem\" }}\n\
         [[api_key]]\nname = \"reader\"\nkey = {{ env = \"READER_KEY\" }}\n\
         scopes = [\"read\"]\n"
    );
    fs::write(&path, text).expect("written");
    path
}

#[test]
fn with_tls_the_listener_on_this_machine_is_asked_and_known_by_the_name_of_the_world() {
    let house = Secured::start();
    let ended = finish(&mut house.command(&["health", "--ready"], NAME));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let tail = Running::start(&mut house.command(&["--log", "headgate=debug", "tail"], NAME));
    tail.said("a frame that is no event");
    let ended = finish(&mut house.command(&["health"], "other.headgate.test"));
    assert_eq!(ended.code, Some(1), "a certificate of another name is none");
    assert!(ended.stderr.contains("not valid for name"), "{}", ended.stderr);
}

#[test]
fn a_gateway_that_lives_and_is_ready_says_so_and_needs_no_key() {
    let house = House::locked();
    for (arguments, says) in
        [(&["health"][..], r#""status":"ok""#), (&["health", "--ready"], "ready")]
    {
        let ended = house.run(arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains(says), "{arguments:?}: {}", ended.stdout);
    }
}

#[test]
fn where_no_gateway_is_health_fails() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = unused.local_addr().expect("its address");
    drop(unused);
    let ended = run(["health", "--url", &format!("http://{address}")]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot reach"), "{}", ended.stderr);
}
