//! Which addresses are taken, from whom, on which terms; and how that changes while it runs.

use super::{FROM, LISTEN, SUPPORT, channel, events, get, message, support};
use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, MailConnection, binary, request, write_config};
use serde_json::Value;
use std::process::Command;

fn deliver(gateway: &Gateway, from: &str, to: &[&str], id: &str) -> Result<String> {
    MailConnection::open(&gateway.mail_address)?.deliver(from, to, &message(id, "hello"))
}

/// The channels that have an event of this subject.
fn channels(gateway: &Gateway, subject: &str) -> Result<Vec<String>> {
    let events = events(gateway)?;
    let of = events.iter().filter(|event| event["data"]["subject"] == subject);
    let ids = of.map(|event| event["channel"]["id"].as_str().unwrap_or_default().to_owned());
    let mut ids: Vec<String> = ids.collect();
    ids.sort();
    Ok(ids)
}

#[test]
fn a_reload_changes_addresses_at_one_moment_or_not_at_all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), &support())?)?;
    let mut kept = MailConnection::open(&gateway.mail_address)?;
    kept.ask("EHLO client.example")?;
    kept.ask(&format!("MAIL FROM:<{FROM}>"))?;
    kept.ask(&format!("RCPT TO:<{SUPPORT}>"))?;
    let sales = channel("sales", "\"sales@in.example.com\"", "");
    write_config(folder.path(), &format!("{LISTEN}{sales}"))?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    ensure!(deliver(&gateway, FROM, &["sales@in.example.com"], "s")?.starts_with("250"));
    ensure!(deliver(&gateway, FROM, &[SUPPORT], "t")?.starts_with("550 5.1.1"));
    // What was accepted before keeps its channel.
    kept.ask("DATA")?;
    kept.send(format!("{}.\r\n", message("kept", "x")).as_bytes())?;
    ensure!(kept.reply()?.starts_with("250"));
    ensure!(channels(&gateway, "kept")? == ["support"]);
    // A bad file changes nothing, and what takes a restart refuses the whole file.
    for (tables, why) in [
        (format!("{LISTEN}{}", channel("x", "\"@\"", "")), "not reloaded, nothing changed"),
        (support().replace("listen", "max_message = \"1MiB\"\nlisten"), "it takes a restart"),
    ] {
        write_config(folder.path(), &tables)?;
        gateway.hang_up()?;
        gateway.said(why)?;
        ensure!(deliver(&gateway, FROM, &[SUPPORT], "u")?.starts_with("550 5.1.1"), "{why}");
    }
    Ok(())
}

#[test]
fn one_message_to_two_channels_is_two_events_of_one_commit() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let first = channel("first", &format!("{SUPPORT:?}, \"*@in.example.com\""), "");
    let second = channel("second", &format!("{SUPPORT:?}"), "");
    let tables = format!("{LISTEN}{first}{second}");
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let to = ["support+order-7@in.example.com", "anyone@in.example.com"];
    ensure!(deliver(&gateway, FROM, &to, "both")?.starts_with("250"));
    ensure!(channels(&gateway, "both")? == ["first", "second"]);
    for event in events(&gateway)? {
        ensure!(event["data"]["tag"] == "order-7", "{event}");
        ensure!(event["data"]["matched_address"] == SUPPORT, "{event}");
    }
    // Again it is known in both.
    ensure!(deliver(&gateway, FROM, &to, "both")?.starts_with("250"));
    ensure!(events(&gateway)?.len() == 2);
    Ok(())
}

#[test]
fn senders_and_sizes_are_judged_before_the_message_comes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let more = "senders_allow = [\"*@example.org\"]\nsenders_deny = [\"bad@example.org\"]\n\
                max_bytes = \"1KiB\"\n";
    let tables = format!("{LISTEN}{}", channel("few", &format!("{SUPPORT:?}"), more));
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let answer = |from| deliver(&gateway, from, &[SUPPORT], "x");
    ensure!(answer("ann@example.org")?.starts_with("250"));
    for from in ["bad@example.org", "ann@example.net", ""] {
        let reply = answer(from)?;
        ensure!(reply.starts_with("550 5.7.1"), "{from}: {reply}");
    }
    let mut large = MailConnection::open(&gateway.mail_address)?;
    let body = "a long line of text\r\n".repeat(100);
    let reply = large.deliver(FROM, &[SUPPORT], &message("large", &body))?;
    ensure!(reply.starts_with("552 5.3.4"), "{reply}");
    Ok(())
}

#[test]
fn what_is_not_proved_is_refused_kept_and_released_once_it_may_come() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tables = |require: &str| {
        let require = format!("require = \"{require}\"\n");
        let strict =
            channel("strict", &format!("\"strict@in.example.com\", {SUPPORT:?}"), &require);
        format!("{LISTEN}{}{strict}", channel("open", &format!("{SUPPORT:?}"), ""))
    };
    let gateway = Gateway::start(&write_config(folder.path(), &tables("dmarc"))?)?;
    let alone = deliver(&gateway, FROM, &["strict@in.example.com"], "alone")?;
    ensure!(alone.starts_with("550 5.7.1 this address takes only mail"), "{alone}");
    ensure!(deliver(&gateway, FROM, &[SUPPORT], "mixed")?.starts_with("250"));
    ensure!(channels(&gateway, "mixed")? == ["open"]);
    let mut kept = Vec::new();
    // The quarantine writes behind the answer.
    while kept.len() < 2 {
        let listed = get(&gateway, "/v1/rejections?channel=strict")?.json()?;
        kept = listed["rejections"].as_array().context("rejections")?.clone();
    }
    ensure!(kept.iter().all(|one| one["code"] == "dmarc_required"), "{kept:?}");
    ensure!(kept.iter().all(|one| one["method"] == "SMTP" && one["source"] == "email"), "{kept:?}");

    let url = format!("http://{}", gateway.address);
    let release = || {
        let mut command = Command::new(binary()?);
        command.args(["rejections", "release", "--all", "--channel", "strict", "--url", &url]);
        command.output().context("headgate rejections")
    };
    release()?;
    ensure!(channels(&gateway, "alone")?.is_empty(), "it is still not proved");
    write_config(folder.path(), &tables("none"))?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    let released = release()?;
    ensure!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    ensure!(channels(&gateway, "alone")? == ["strict"]);
    ensure!(channels(&gateway, "mixed")? == ["open", "strict"]);
    let event = events(&gateway)?.into_iter().find(|event| event["data"]["subject"] == "alone");
    let event: Value = event.context("the event")?;
    ensure!(event["metadata"]["released_from"].is_string(), "{event}");
    ensure!(event["data"]["envelope"]["mail_from"] == FROM, "{event}");
    Ok(())
}

#[test]
fn other_line_ends_are_refused_but_from_networks_whose_are_mended() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bare = "Subject: bare\nMessage-ID: <bare@example.org>\n\nhello\n";
    let send = |gateway: &Gateway| -> Result<String> {
        let mut sender = MailConnection::open(&gateway.mail_address)?;
        sender.begin(FROM, &[SUPPORT])?;
        sender.send(format!("{bare}\r\n.\r\n").as_bytes())?;
        sender.reply()
    };
    let gateway = Gateway::start(&write_config(folder.path(), &support())?)?;
    let reply = send(&gateway)?;
    ensure!(reply.starts_with("550 5.6.0"), "{reply}");
    gateway.stop()?;
    let mends = "bare_newlines = \"normalize\"\ntrusted_networks = [\"127.0.0.0/8\"]\nlisten";
    let gateway =
        Gateway::start(&write_config(folder.path(), &support().replace("listen", mends))?)?;
    let reply = send(&gateway)?;
    ensure!(reply.starts_with("250"), "{reply}");
    ensure!(channels(&gateway, "bare")? == ["support"]);
    Ok(())
}

#[test]
fn a_proxy_tells_for_whom_it_connects_and_has_to() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tables = support().replace("listen", "proxies = [\"127.0.0.1\"]\nlisten");
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let mut sender = MailConnection::silent(&gateway.mail_address)?;
    sender.send(b"PROXY TCP4 203.0.113.9 192.0.2.1 51234 25\r\n")?;
    ensure!(sender.reply()?.starts_with("220"));
    let reply = sender.deliver(FROM, &[SUPPORT], &message("proxied", "x"))?;
    ensure!(reply.starts_with("250"), "{reply}");
    ensure!(events(&gateway)?[0]["data"]["envelope"]["remote_ip"] == "203.0.113.9");
    let mut bare = MailConnection::silent(&gateway.mail_address)?;
    bare.send(b"EHLO client.example\r\n")?;
    ensure!(bare.reply().is_err(), "it was served without saying for whom it connects");
    Ok(())
}

#[test]
fn the_demo_takes_mail_for_anyone_on_this_machine() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(binary()?);
    command.args(["serve", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
    let gateway = Gateway::start_command(command)?;
    let to = format!("smtp://{}/someone+x@localhost", gateway.mail_address);
    for sample in ["reply", "invitation", "bounce"] {
        let sent = Command::new(binary()?).args(["send", "email", sample, "--to", &to]).output()?;
        let said = String::from_utf8_lossy(&sent.stdout);
        ensure!(sent.status.success() && said.starts_with("250 2.0.0 stored as "), "{said}");
    }
    let channels = request(&gateway.address, "GET", "/v1/channels", &[], b"")?.json()?;
    ensure!(channels.to_string().contains("demo-mail"), "{channels}");
    let events = events(&gateway)?;
    ensure!(events.len() == 3 && events.iter().all(|event| event["data"]["tag"] == "x"));
    ensure!(events[0]["data"]["auto"]["is_bounce"] == true, "{}", events[0]["data"]["auto"]);
    ensure!(events[1]["data"]["attachments"][0]["calendar"]["method"] == "REQUEST");
    Ok(())
}
