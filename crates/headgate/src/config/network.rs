//! Networks: `10.0.0.0/8`, or one address.

use super::value::Value;
use headgate_http::IpNet;
use std::net::IpAddr;

const EXPECTED: &str = "an address such as `192.0.2.7` or a network such as `10.0.0.0/8`";

/// A list of networks with at least one in it.
pub(super) fn list(value: &Value<'_>) -> Option<Vec<IpNet>> {
    let expected = "an array of addresses and networks";
    let members = value.list(expected)?;
    if members.is_empty() {
        value.note(&format!("expected {expected}, or no such key, found an empty array"));
        return None;
    }
    members.iter().map(one).collect::<Vec<_>>().into_iter().collect()
}

fn one(value: &Value<'_>) -> Option<IpNet> {
    let network = value.parsed(EXPECTED, |text| {
        let address = text.parse::<IpAddr>().ok().map(IpNet::from);
        address.or_else(|| text.parse().ok())
    })?;
    if network.prefix_len() == 0 {
        // Whoever means everyone leaves the key out; who trusts everyone believes anyone.
        return value.wrong("a network that does not hold every address");
    }
    Some(network.trunc())
}
