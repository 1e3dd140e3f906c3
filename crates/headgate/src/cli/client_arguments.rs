//! How a command that talks to a running gateway finds it and proves itself.

use crate::{
    client::Client,
    config::{self, Environment},
    failure::Failure,
};
use clap::Args;
use headgate_event::Secret;
use http::Uri;
use rustls::pki_types::ServerName;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

/// The variable that is looked into when none is named.
const KEY_VARIABLE: &str = "HEADGATE_KEY";

/// Where the gateway is and which key opens it.
#[derive(Args, Clone, Debug)]
pub struct ClientArguments {
    /// The gateway; http://127.0.0.1:8080 unless --config says otherwise
    #[arg(long, env = "HEADGATE_URL", value_name = "URL")]
    pub url: Option<String>,
    /// Take the address from this configuration
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The environment variable that holds the API key; HEADGATE_KEY is looked into otherwise
    #[arg(long, value_name = "NAME")]
    pub key_env: Option<String>,
}

impl ClientArguments {
    /// A client for the gateway that is meant.
    pub fn client(&self, environment: &Environment) -> Result<Client, Failure> {
        let key = self.key(environment)?;
        let server = match (&self.url, &self.config) {
            (Some(url), _) => return Client::new(url, key).map_err(Failure::usage),
            (None, Some(file)) => config::server_of(file).map_err(Failure::Configuration)?,
            (None, None) => config::Server::default(),
        };
        let client = Client::new(&base_of(&server), key).map_err(Failure::usage)?;
        match name_of(&server) {
            Some(name) => client.named(name).map_err(Failure::usage),
            None => Ok(client),
        }
    }

    fn key(&self, environment: &Environment) -> Result<Option<Secret>, Failure> {
        let name = self.key_env.as_deref().unwrap_or(KEY_VARIABLE);
        let value = environment.variable(name).filter(|value| !value.is_empty());
        if value.is_none() && self.key_env.is_some() {
            return Err(Failure::usage(format!(
                "expected an API key in environment variable `{name}`, found none"
            )));
        }
        Ok(value.map(|value| Secret::new(value.into_encoded_bytes())))
    }
}

/// The name that the certificate of the API's listener is made out to: the world's name for it,
/// also on this machine. The world's way to it may end at a balancer, or at another gateway.
fn name_of(server: &config::Server) -> Option<ServerName<'static>> {
    let url: Uri = server.public_url.as_ref().filter(|_| server.api_speaks_tls())?.parse().ok()?;
    let host = url.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    ServerName::try_from(bare.unwrap_or(host).to_owned()).ok()
}

/// The URL at which this machine reaches the API.
fn base_of(server: &config::Server) -> String {
    let scheme = if server.api_speaks_tls() { "https" } else { "http" };
    let api = server.api_address();
    let ip = match api.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, api.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn arguments() -> ClientArguments {
        ClientArguments { url: None, config: None, key_env: None }
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Environment::Fixed(owned.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_on_this_machine() {
        for (listen, base) in [
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("[::]:1", "http://[::1]:1"),
            ("192.0.2.1:80", "http://192.0.2.1:80"),
        ] {
            let listen = listen.parse().expect("an address");
            let server = config::Server { listen, ..config::Server::default() };
            assert_eq!(base_of(&server), base);
        }
    }

    #[test]
    fn a_listener_with_tls_is_reached_here_and_known_by_the_name_of_the_world() {
        let mut server = config::Server {
            tls: Some(headgate_http::TlsFiles { certificate: "c".into(), key: "k".into() }),
            ..config::Server::default()
        };
        let name = |server: &_| name_of(server).map(|name| name.to_str().into_owned());
        assert_eq!((base_of(&server), name(&server)), ("https://127.0.0.1:8080".to_owned(), None));
        for (url, expected) in [
            ("https://in.example.com:8443/hooks", "in.example.com"),
            ("https://192.0.2.1", "192.0.2.1"),
            ("https://[2001:db8::1]", "2001:db8::1"),
        ] {
            server.public_url = Some(url.to_owned());
            assert_eq!(base_of(&server), "https://127.0.0.1:8080");
            assert_eq!(name(&server).as_deref(), Some(expected));
        }
        for (api, base, known) in [
            ("127.0.0.1:1", "http://127.0.0.1:1", false),
            ("192.0.2.1:1", "https://192.0.2.1:1", true),
        ] {
            server.api_listen = api.parse().ok();
            assert_eq!((base_of(&server), name(&server).is_some()), (base.to_owned(), known));
        }
        server.tls = None;
        assert_eq!(name(&server), None);
    }

    #[test]
    fn a_key_that_was_named_must_be_there() {
        let named = ClientArguments { key_env: Some("MY_KEY".into()), ..arguments() };
        let failure = named.client(&environment(&[("MY_KEY", "")])).expect_err("refused");
        assert_eq!(failure.code(), 2);
        assert_eq!(
            failure.to_string(),
            "expected an API key in environment variable `MY_KEY`, found none"
        );
        assert!(arguments().client(&environment(&[])).is_ok());
    }
}
