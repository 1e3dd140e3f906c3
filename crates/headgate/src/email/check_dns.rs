//! `headgate email check-dns`: whether mail for a domain comes here, and what to set.

use super::advice::{Finding, State, findings};
use crate::{cli::EmailCheckDnsArguments, failure::Failure, output, serve::system_dns};
use anyhow::{Context, anyhow};
use headgate_email::{MailAuth, smtp::AddressPattern};
use headgate_event::limits::MAIL_AUTH_TIMEOUT_DEFAULT;
use serde_json::json;
use std::net::SocketAddr;

/// Asks the DNS about a domain and says what it found.
pub(super) async fn run(arguments: &EmailCheckDnsArguments) -> Result<(), Failure> {
    let domain = arguments.domain.trim_end_matches('.').to_lowercase();
    if AddressPattern::parse(&format!("*@{domain}")).is_err() || !domain.contains('.') {
        let text = format!("expected a domain such as `in.example.com`, found `{domain}`");
        return Err(Failure::usage(text));
    }
    let servers: Vec<SocketAddr> = match arguments.dns.as_slice() {
        [] => system_dns(),
        servers => servers.to_vec(),
    };
    let auth = MailAuth::new(&servers, "localhost", MAIL_AUTH_TIMEOUT_DEFAULT)
        .context("cannot ask the DNS: name a server with --dns")?;
    let records = auth.domain(&domain).await;
    let found = findings(&domain, arguments.host.as_deref(), &records);
    if arguments.json {
        output::line(&json!({ "domain": domain, "records": found }).to_string())?;
    } else {
        output::line(&told(&found))?;
    }
    let is_bad = |one: &Finding| matches!(one.state, State::Wrong | State::Unknown);
    match found.iter().filter(|one| is_bad(one)).count() {
        0 => Ok(()),
        count => Err(anyhow!("{count} of {} are wrong or not known", found.len()).into()),
    }
}

/// The findings, for people.
pub(super) fn told(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for Finding { record, state, found, advice } in findings {
        let first = found.first().map_or("none", String::as_str);
        lines.push(format!("{record:<6} {:<8} {first}", state.word()));
        lines.extend(found.iter().skip(1).map(|more| format!("{:15} {more}", "")));
        lines.extend(advice.iter().map(|text| format!("{:15} {text}", "")));
    }
    lines.join("\n")
}
