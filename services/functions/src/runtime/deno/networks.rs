//! Networks that are nobody's business on the internet, as Deno is told of them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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

/// What `--deny-net` is given. The addresses of `open` are left out, and each of `ports` at them
/// that is not open there is closed by itself: what the kernel lets through otherwise.
pub(super) fn denied(ports: &[u16], open: &[SocketAddr]) -> String {
    let holes: BTreeSet<IpAddr> = open.iter().map(SocketAddr::ip).collect();
    let mut networks = CLOSED.to_vec();
    for hole in &holes {
        if let IpAddr::V4(hole) = hole {
            let without = |network| without(network, *hole);
            networks = networks.into_iter().flat_map(without).collect();
        }
    }
    let networks = networks.into_iter();
    let mut closed: Vec<String> = networks
        .map(|(address, bits)| format!("{address}/{bits}"))
        .collect();
    let is_hole = |text: &str| text.parse().is_ok_and(|address| holes.contains(&address));
    let own = CLOSED_V6.iter().filter(|address| !is_hole(address));
    closed.extend(own.map(|address| format!("[{address}]")));
    for hole in holes {
        let places = ports.iter().map(|port| SocketAddr::new(hole, *port));
        let others = places.filter(|place| !open.contains(place));
        closed.extend(others.map(|place| place.to_string()));
    }
    closed.join(",")
}

/// Whether `address` lies in a network that is closed, of IPv6 too.
pub(super) fn is_closed(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => CLOSED.iter().any(|network| contains(*network, address)),
        IpAddr::V6(address) => is_closed_v6(address),
    }
}

fn is_closed_v6(address: Ipv6Addr) -> bool {
    let is_in = |first: u16, bits: u32| (address.segments()[0] ^ first) >> (16 - bits) == 0;
    let v4 = address.to_ipv4().map(IpAddr::V4);
    // Private, of one link, of many; and ways to say an address of IPv4.
    let networks = [
        (0xfc00, 7),
        (0xfe80, 9),
        (0xff00, 8),
        (0x0064, 16),
        (0x2002, 16),
    ];
    v4.is_some_and(is_closed) || networks.iter().any(|(first, bits)| is_in(*first, *bits))
}

fn mask(bits: u32) -> u32 {
    u32::MAX.checked_shl(32 - bits).unwrap_or(0)
}

fn contains((address, bits): Network, wanted: Ipv4Addr) -> bool {
    (u32::from(wanted) ^ u32::from(address)) & mask(bits) == 0
}

/// Networks that make up `network` without `hole`.
fn without((address, bits): Network, hole: Ipv4Addr) -> Vec<Network> {
    if !contains((address, bits), hole) {
        return vec![(address, bits)];
    }
    let hole = u32::from(hole);
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
        let closed = denied(&[80, 443], &[]);
        assert!(
            closed.contains("127.0.0.0/8") && closed.ends_with("[::],[::1]"),
            "{closed}"
        );
        let at = |address: &str| denied(&[80, 443], &[address.parse().expect("an address")]);
        let closed = at("127.0.0.1:5432");
        assert!(!closed.contains("127.0.0.0/8"), "{closed}");
        assert!(
            closed.ends_with("[::],[::1],127.0.0.1:80,127.0.0.1:443"),
            "{closed}"
        );
        let closed = at("[::1]:443");
        assert!(closed.ends_with("[::],[::1]:80"), "{closed}");
        assert!(closed.contains("127.0.0.0/8"), "{closed}");
        let two = ["10.1.2.3:80", "10.1.2.3:443", "10.1.2.4:80"];
        let two = two.map(|place| place.parse().expect("an address"));
        let closed = denied(&[80, 443], &two);
        assert!(closed.ends_with("[::],[::1],10.1.2.4:443"), "{closed}");
        assert!(
            !closed.contains("10.1.2.3/") && !closed.contains("10.1.2.4/"),
            "{closed}"
        );
    }

    #[test]
    fn what_is_closed_is_known_in_every_family() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(is_closed(address.parse().expect(address)), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "192.169.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
        ] {
            assert!(!is_closed(address.parse().expect(address)), "{address}");
        }
    }
}
