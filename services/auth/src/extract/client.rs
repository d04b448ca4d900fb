//! Who sent a request, as far as the network tells.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::domain::session::Client;

/// Where the gateway notes who it was asked by.
const FORWARDED_FOR: &str = "x-forwarded-for";

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip());
        let user_agent = parts.headers.get(USER_AGENT);
        Ok(Self {
            ip: last_hop(&parts.headers)
                .or(peer)
                .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            user_agent: user_agent.and_then(|value| value.to_str().ok().map(str::to_owned)),
        })
    }
}

/// The last address of `X-Forwarded-For`: the one that the gateway itself saw and appended. What
/// stands before it is the client's own word.
fn last_hop(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?;
    let hop = last.to_str().ok()?.rsplit(',').next()?.trim();
    let address = hop.parse::<SocketAddr>().map(|address| address.ip());
    hop.parse().or(address).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_last_hop_is_believed() {
        let cases: [(&[&'static str], Option<&str>); 6] = [
            (&["192.0.2.1"], Some("192.0.2.1")),
            (&["192.0.2.1, 198.51.100.7"], Some("198.51.100.7")),
            (&["192.0.2.1", "198.51.100.7"], Some("198.51.100.7")),
            (&["[2001:db8::1]:4711"], Some("2001:db8::1")),
            (&["192.0.2.1, unknown"], None),
            (&[], None),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
            }
            let hop = last_hop(&headers).map(|ip| ip.to_string());
            assert_eq!(hop.as_deref(), expected, "{values:?}");
        }
    }
}
