//! What the command line says of a domain's mail, by what a DNS says.

use anyhow::{Result, ensure};
use headgate_testkit::dns::{DnsServer, Names};
use headgate_tests::binary;
use serde_json::Value;
use std::process::Command;

fn names() -> Names {
    let record = |kind: &str, value: &str| vec![kind.to_owned(), value.to_owned()];
    let of = |name: &str, records: Vec<Vec<String>>| (name.to_owned(), records);
    Names::from([
        of("good.example", vec![record("MX", "mx.good.example"), record("TXT", "v=spf1 mx -all")]),
        of("mx.good.example", vec![record("A", "192.0.2.1")]),
        of("_dmarc.good.example", vec![record("TXT", "v=DMARC1; p=reject")]),
        of("silent.example", vec![record("SILENT", "")]),
    ])
}

/// The exit code, and the state of each record.
fn check(dns: &DnsServer, domain: &str, host: &str) -> Result<(Option<i32>, Vec<String>)> {
    let mut command = Command::new(binary()?);
    command.args(["email", "check-dns", domain, "--json", "--host", host]);
    let ended = command.arg("--dns").arg(dns.address.to_string()).output()?;
    let said: Value = serde_json::from_slice(&ended.stdout)?;
    let records = said["records"].as_array().cloned().unwrap_or_default();
    let state = |one: &Value| format!("{} {}", one["record"], one["state"]).replace('"', "");
    Ok((ended.status.code(), records.iter().map(state).collect()))
}

#[test]
fn a_domain_is_judged_by_what_the_server_that_is_named_says_of_it() -> Result<()> {
    let dns = DnsServer::start(names())?;
    let good = check(&dns, "good.example", "mx.good.example")?;
    ensure!(good.0 == Some(0) && good.1 == ["MX good", "SPF good", "DMARC good"], "{good:?}");
    let elsewhere = check(&dns, "Good.Example.", "mine.example")?;
    ensure!(elsewhere.0 == Some(1) && elsewhere.1[0] == "MX wrong", "{elsewhere:?}");
    let nothing = check(&dns, "nothing.example", "mine.example")?;
    ensure!(nothing.1 == ["MX wrong", "SPF weak", "DMARC weak"], "{nothing:?}");
    let silent = check(&dns, "silent.example", "mine.example")?;
    ensure!(silent.0 == Some(1) && silent.1[0] == "MX unknown", "{silent:?}");
    Ok(())
}

#[test]
fn what_is_no_domain_is_wrong_usage() -> Result<()> {
    for domain in ["localhost", "ann@example.com", ".."] {
        let ended = Command::new(binary()?).args(["email", "check-dns", domain]).output()?;
        ensure!(ended.status.code() == Some(2), "{domain}: {:?}", ended.status);
    }
    Ok(())
}
