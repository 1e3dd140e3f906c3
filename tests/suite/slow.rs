//! Thousands of slow connections beside a healthy sender: it is answered, and they cost little.

use anyhow::{Context, Result};
use headgate_tests::{Gateway, request, write_config};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::{io::Write, net::TcpStream};

/// Half of them send half a head, half of them half a body.
const SLOW: usize = 2_000;
/// What each slow body has sent, in bytes.
const SENT_BYTES: usize = 20_000;
/// What a slow connection may cost beside what it has sent, in bytes.
const CONNECTION_BYTES_MAX: usize = 40 << 10;

const OPEN: &str = "[[channel]]\nid = \"open\"\ntype = \"webhook\"\nverify = \"none\"\n";
const BEGIN: &[u8] = b"POST /v1/webhook/open HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: y";

fn post(gateway: &Gateway, nth: usize) -> Result<()> {
    let body = format!("{{\"nth\":{nth}}}");
    let headers = [("content-type", "application/json")];
    let answer = request(&gateway.address, "POST", "/v1/webhook/open", &headers, body.as_bytes())?;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    Ok(())
}

#[test]
fn slow_connections_disturb_no_healthy_sender_and_hold_little_memory() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("room for open files")?;
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), OPEN)?)?;
    for nth in 0..10 {
        post(&gateway, nth)?;
    }
    let before = gateway.resident_bytes()?;
    let body = vec![b'z'; SENT_BYTES];
    let mut slow = Vec::new();
    for nth in 0..SLOW {
        let mut stream = TcpStream::connect(&gateway.address)?;
        stream.write_all(BEGIN)?;
        if nth % 2 == 1 {
            stream.write_all(b"\r\ncontent-length: 50000\r\n\r\n")?;
            stream.write_all(&body)?;
        }
        slow.push(stream);
    }
    // Once each of these is answered, the slow ones before them were taken and read.
    for nth in 10..20 {
        post(&gateway, nth)?;
    }
    let grown = gateway.resident_bytes()?.saturating_sub(before);
    let sent = SLOW / 2 * SENT_BYTES;
    let each = grown.saturating_sub(2 * sent) / SLOW; // a body grows by doubling its room
    println!("{SLOW} slow connections: {grown} bytes, {sent} of them sent; {each} each beside it");
    assert!(each <= CONNECTION_BYTES_MAX, "{each} bytes for each slow connection");
    let metrics = request(&gateway.address, "GET", "/metrics", &[], b"")?;
    let metrics = String::from_utf8(metrics.body)?;
    let open = metrics.lines().find_map(|line| line.strip_prefix("headgate_http_connections "));
    let open: f64 = open.context("the gauge of connections")?.parse()?;
    assert!(open > SLOW as f64 / 2.0, "only {open} connections are open");
    drop(slow);
    assert!(gateway.stop()?.success());
    Ok(())
}
