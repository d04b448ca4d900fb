//! The reverse proxies whose word on a request's origin is taken.

use std::net::IpAddr;

use common::Settings;

/// Networks whose hosts may say, in `X-Forwarded-*`, whom they speak for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl TrustedProxies {
    /// Reads `TRUSTED_PROXIES`: addresses and networks (`10.0.0.0/8`) separated by commas.
    pub(crate) fn from_settings(settings: &Settings<'_>) -> Self {
        let networks = settings.list("TRUSTED_PROXIES");
        let parsed: Option<Vec<_>> = networks.iter().map(|text| Network::parse(text)).collect();
        if parsed.is_none() {
            let problem = "must list addresses or networks such as 127.0.0.1,10.0.0.0/8";
            settings.reject("TRUSTED_PROXIES", problem);
        }
        Self(parsed.unwrap_or_default())
    }

    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then_some(Self { address, prefix })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.prefix
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.prefix
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use common::EnvironmentMap;

    use super::*;

    #[test]
    fn networks_contain_their_own_addresses_only() {
        let list = "127.0.0.1, 10.1.0.0/16,2001:db8::/32,0.0.0.0/32";
        let environment = EnvironmentMap::from_iter([("TRUSTED_PROXIES", list)]);
        let proxies = TrustedProxies::from_settings(&Settings::new(&environment));
        let contains = |text: &str| proxies.contain(text.parse().expect("an address"));
        for inside in ["127.0.0.1", "::ffff:127.0.0.1", "10.1.255.1", "2001:db8::1"] {
            assert!(contains(inside), "{inside}");
        }
        for outside in ["127.0.0.2", "10.2.0.1", "2001:db9::1", "::1", "1.0.0.0"] {
            assert!(!contains(outside), "{outside}");
        }
        assert!(!TrustedProxies::default().contain(IpAddr::from([127, 0, 0, 1])));
    }
}
