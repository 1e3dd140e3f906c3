//! Addresses as the terms of SPF records see them.

use super::record::Masks;
use std::{fmt::Write, net::IpAddr};

/// Whether an address is in a network of the same kind.
pub(super) fn is_in(address: IpAddr, network: IpAddr, masks: Masks) -> bool {
    let Masks { v4, v6 } = masks;
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            u32::from(address) & v4 == u32::from(network) & v4
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            u128::from(address) & v6 == u128::from(network) & v6
        }
        _ => false,
    }
}

/// A host by its address.
pub(super) struct Host(pub(super) IpAddr);

impl Host {
    /// The name under which the DNS has its names (RFC 1035, 3.5; RFC 3596, 2.5).
    pub(super) fn reversed(&self) -> String {
        let mut name = String::new();
        match self.0 {
            IpAddr::V4(address) => {
                for octet in address.octets().iter().rev() {
                    let _ = write!(name, "{octet}.");
                }
                name + "in-addr.arpa"
            }
            IpAddr::V6(address) => {
                for octet in address.octets().iter().rev() {
                    let _ = write!(name, "{:x}.{:x}.", octet & 15, octet >> 4);
                }
                name + "ip6.arpa"
            }
        }
    }
}
