//! Which addresses are private: not of the world, but of this machine or of the network it is in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is none of the public internet (RFC 6890 and the registries it names).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // Shared by the customers of one provider, RFC 6598.
        || (first == 100 && (64..128).contains(&second))
        // Assignments of protocols, RFC 6890, and benchmarks, RFC 2544.
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (second == 18 || second == 19))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    if let Some(inside) = inside(address) {
        return is_private_v4(inside);
    }
    let [first, second, third, ..] = address.segments();
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        // Site-local (RFC 3879), and documentation (RFC 3849, RFC 9637).
        || (first & 0xffc0) == 0xfec0
        || (first == 0x2001 && second == 0x0db8)
        || (first == 0x3fff && second < 0x1000)
        // Compatible with IPv4 (RFC 4291, 2.5.5.1): nobody routes it.
        || matches!(address.segments(), [0, 0, 0, 0, 0, 0, ..])
        // Translation of a network's own (RFC 8215), to whatever is behind it.
        || (first == 0x64 && second == 0xff9b && third == 1)
        // Protocol assignments, Teredo among them (RFC 2928), and what is discarded (RFC 6666).
        || (first == 0x2001 && second < 0x0200)
        || (first == 0x100 && second == 0 && third == 0)
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated (RFC 6052), or 6to4.
fn inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (first, second, third, fourth, fifth, sixth) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(of(seventh, eighth)),
        (0x2002, ..) => Some(of(second, third)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_private;

    fn private(text: &str) -> bool {
        is_private(text.parse().expect("an address"))
    }

    #[test]
    fn what_is_not_of_the_world_is_private() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "3fff::1",
            "::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2001::1",
            "100::1",
        ] {
            assert!(private(text), "{text}");
        }
    }

    #[test]
    fn what_is_of_the_world_is_not() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::",
        ] {
            assert!(!private(text), "{text}");
        }
    }
}
