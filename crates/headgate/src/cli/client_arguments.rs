//! How a command that talks to a running gateway finds it and proves itself.

use crate::{
    client::Client,
    config::{self, Environment},
    failure::Failure,
};
use clap::Args;
use headgate_event::Secret;
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
        let base = match (&self.url, &self.config) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => {
                base_of(&config::server_of(file).map_err(Failure::Configuration)?)
            }
            (None, None) => base_of(&config::Server::default()),
        };
        Client::new(&base, self.key(environment)?).map_err(Failure::usage)
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

/// The URL at which this machine reaches the API. A certificate is made out to the name by which the
/// world knows it, so where the API shares a listener with TLS that is the one.
fn base_of(server: &config::Server) -> String {
    let scheme = if server.api_speaks_tls() { "https" } else { "http" };
    let public = server.public_url.as_ref().filter(|url| url.starts_with("https://"));
    let shared = server.api_listen.is_none();
    if let (true, Some(url)) = (shared && server.tls.is_some(), public) {
        return url.clone();
    }
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
    fn a_listener_with_tls_is_reached_by_the_name_in_its_certificate() {
        let mut server = config::Server {
            tls: Some(headgate_http::TlsFiles { certificate: "c".into(), key: "k".into() }),
            ..config::Server::default()
        };
        assert_eq!(base_of(&server), "https://127.0.0.1:8080");
        server.public_url = Some("https://in.example.com".to_owned());
        assert_eq!(base_of(&server), "https://in.example.com");
        for (api, base) in
            [("127.0.0.1:1", "http://127.0.0.1:1"), ("192.0.2.1:1", "https://192.0.2.1:1")]
        {
            server.api_listen = api.parse().ok();
            assert_eq!(base_of(&server), base);
        }
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
