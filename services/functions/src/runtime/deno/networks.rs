//! Networks that are nobody's business on the internet, as Deno is told of them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A network: an address in it, and how many of its bits count.
type Network = (Ipv4Addr, u32);

#[rustfmt::skip]
const CLOSED: [Network; 11] = [
    (Ipv4Addr::UNSPECIFIED, 8), (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10), (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16), (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24), (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15), (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Deno takes no ranges of IPv6, so of those only the addresses of this machine are closed;
/// v4-mapped ones count as IPv4.
const CLOSED_V6: [&str; 2] = ["::", "::1"];

/// What `--deny-net` is given. Where `open` is an address in there, it is left out, and each of
/// `ports` at it is closed by itself: what the kernel lets through otherwise.
pub(super) fn denied(ports: &[u16], open: Option<SocketAddr>) -> String {
    let hole = open.map(|open| open.ip());
    let mut closed = Vec::new();
    for network in CLOSED {
        let left = match hole {
            Some(IpAddr::V4(hole)) => without(network, hole),
            Some(IpAddr::V6(_)) | None => vec![network],
        };
        closed.extend(
            left.iter()
                .map(|(address, bits)| format!("{address}/{bits}")),
        );
    }
    let hole_text = hole.map(|hole| hole.to_string());
    closed.extend(
        CLOSED_V6
            .iter()
            .filter(|address| hole_text.as_deref() != Some(**address))
            .map(|address| format!("[{address}]")),
    );
    let others = ports
        .iter()
        .filter(|port| open.map(|open| open.port()) != Some(**port));
    closed.extend(others.filter_map(|port| Some(SocketAddr::new(hole?, *port).to_string())));
    closed.join(",")
}

/// Networks that make up `network` without `hole`.
fn without((address, bits): Network, hole: Ipv4Addr) -> Vec<Network> {
    let mask = |bits: u32| u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let hole = u32::from(hole);
    if hole & mask(bits) != u32::from(address) {
        return vec![(address, bits)];
    }
    let halves = bits + 1..=32;
    halves
        .map(|bits| {
            let other = (hole ^ (1 << (32 - bits))) & mask(bits);
            (Ipv4Addr::from(other), bits)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains((address, bits): Network, wanted: Ipv4Addr) -> bool {
        u32::from(wanted) >> (32 - bits) == u32::from(address) >> (32 - bits)
    }

    #[test]
    fn a_hole_is_one_address_wide() {
        let hole = Ipv4Addr::LOCALHOST;
        let left = without((Ipv4Addr::new(127, 0, 0, 0), 8), hole);
        assert_eq!(left.len(), 24);
        let covers = |wanted| left.iter().filter(|one| contains(**one, wanted)).count();
        assert_eq!(covers(hole), 0);
        for wanted in [
            [127, 0, 0, 0],
            [127, 0, 0, 2],
            [127, 1, 2, 3],
            [127, 255, 255, 255],
        ] {
            assert_eq!(covers(Ipv4Addr::from(wanted)), 1, "{wanted:?}");
        }
        let elsewhere = (Ipv4Addr::new(10, 0, 0, 0), 8);
        assert_eq!(without(elsewhere, hole), [elsewhere]);
    }

    #[test]
    fn only_the_databases_port_is_open_at_its_address() {
        let closed = denied(&[80, 443], None);
        assert!(
            closed.contains("127.0.0.0/8") && closed.ends_with("[::],[::1]"),
            "{closed}"
        );
        let at = |address: &str| denied(&[80, 443], address.parse().ok());
        let closed = at("127.0.0.1:5432");
        assert!(!closed.contains("127.0.0.0/8"), "{closed}");
        assert!(
            closed.ends_with("[::],[::1],127.0.0.1:80,127.0.0.1:443"),
            "{closed}"
        );
        let closed = at("[::1]:443");
        assert!(closed.ends_with("[::],[::1]:80"), "{closed}");
        assert!(closed.contains("127.0.0.0/8"), "{closed}");
    }
}
