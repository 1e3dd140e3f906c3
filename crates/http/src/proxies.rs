//! Where a request comes from when it came through proxies: only what a trusted proxy says counts.
//!
//! Each proxy adds the address it was called from at the end of `X-Forwarded-For`, or of
//! `Forwarded` (RFC 7239). So the list is read from its end, as long as the one who wrote the entry
//! is trusted: what an untrusted client put there before is never looked at.

use headgate_event::limits::FORWARDED_HOPS_MAX;
use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The first address, from our end, that is no trusted proxy; else the last one that is known.
    pub address: IpAddr,
    /// Whether that is where it comes from. It is not when a trusted proxy says that it does not
    /// know, says it in a way that cannot be read, or contradicts itself.
    pub is_certain: bool,
}

impl TrustedProxies {
    /// Believes what comes from these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Where a request with these headers comes from when this peer brought it.
    #[must_use]
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let peer = peer.to_canonical();
        let here = Origin { address: peer, is_certain: true };
        if !self.trusts(peer) {
            return here;
        }
        let by_list = self.walk(peer, headers, "x-forwarded-for", |hops| hops.split(','));
        let by_standard = self.walk(peer, headers, "forwarded", forwarded_for);
        match (by_list, by_standard) {
            (None, None) => here,
            (Some(origin), None) | (None, Some(origin)) => origin,
            (Some(one), Some(other)) if one == other => one,
            // A proxy that writes one of the two lets the other of its client through.
            _ => Origin { address: peer, is_certain: false },
        }
    }

    /// Whether an address is that of a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Reads the hops of a header from the last to the first; none when it is not there.
    fn walk<'h, I>(
        &self,
        peer: IpAddr,
        headers: &'h HeaderMap,
        name: &str,
        hops: impl Fn(&'h str) -> I,
    ) -> Option<Origin>
    where
        I: Iterator<Item = &'h str> + 'h,
    {
        let lines: Vec<_> = headers.get_all(name).iter().collect();
        let mut address = peer;
        let mut looked_at = 0;
        for line in lines.iter().rev() {
            let line = std::str::from_utf8(line.as_bytes()).unwrap_or("?");
            let of_line: Vec<&str> = hops(line).collect();
            for hop in of_line.into_iter().rev() {
                looked_at += 1;
                match node(hop) {
                    Some(next) if looked_at <= FORWARDED_HOPS_MAX => address = next,
                    _ => return Some(Origin { address, is_certain: false }),
                }
                if !self.trusts(address) {
                    return Some(Origin { address, is_certain: true });
                }
            }
        }
        (!lines.is_empty()).then_some(Origin { address, is_certain: true })
    }
}

/// The `for` of each element of a `Forwarded` header; what has none gives an empty text, which is
/// no address. So does a line with a quote that is left open: a client that leaves one would hide
/// what the proxy adds behind it.
fn forwarded_for(line: &str) -> impl Iterator<Item = &str> {
    let line = if closes_its_quotes(line) { line } else { "" };
    outside_quotes(line, ',').map(|element| {
        let mut pairs = outside_quotes(element, ';').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
        found.map_or("", |(_, value)| value.trim())
    })
}

/// Whether every quote of a text has its end.
fn closes_its_quotes(text: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    !quoted
}

/// The parts between separators that are not inside quotes (RFC 9110, section 5.6.4).
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let separates = character == separator && !quoted;
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
}

/// The address of one hop, which may have a port, brackets and quotes (RFC 7239, section 6). What
/// is `unknown` or hidden behind a name has none.
fn node(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().ok();
    let with_port = || bare.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || bare.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let hidden_port = || {
        let (address, port) = bare.rsplit_once(':')?;
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = address.or_else(|| bare.split_once(":_").map(|(address, _)| address))?;
        port.starts_with('_').then(|| address.parse::<IpAddr>().ok()).flatten()
    };
    address.or_else(with_port).or_else(in_brackets).or_else(hidden_port).map(|a| a.to_canonical())
}

#[cfg(test)]
mod tests;
