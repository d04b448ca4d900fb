//! Whom a request comes from and how it was addressed, told to services in headers they may
//! believe: whatever a client sends under these names is removed first.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::TrustedProxies;

/// The client's address: exactly one, proxies left out.
pub(crate) const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The host the client asked for.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// `http` or `https`, as the client sees it.
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// What stands before the path the service sees.
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Headers only a platform's own parts set, or that other servers take a path or a client from.
const INTERNAL_PREFIXES: [&str; 3] = ["x-forwarded-", "x-selfdb-", "x-internal-"];
const INTERNAL: [&str; 4] = [
    "x-real-ip",
    "x-client-ip",
    "x-original-url",
    "x-rewrite-url",
];

/// What is known of where a request comes from.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    client: Option<IpAddr>,
    host: Option<HeaderValue>,
    proto: HeaderValue,
    outer_prefix: Option<HeaderValue>,
}

/// Replaces what the client says of itself by what is known.
pub(crate) fn overwrite(request: &mut Request, proxies: &TrustedProxies) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|peer| peer.0.ip().to_canonical());
    let headers = request.headers_mut();
    let origin = match peer {
        Some(address) if proxies.contain(address) => told(headers, address, proxies),
        Some(_) | None => seen(headers, peer),
    };
    remove_internal(headers);
    if let Some(client) = origin
        .client
        .and_then(|client| client.to_string().try_into().ok())
    {
        headers.insert(FOR, client);
    }
    if let Some(host) = origin.host {
        headers.insert(FORWARDED_HOST, host);
    }
    headers.insert(PROTO, origin.proto);
    if let Some(outer) = origin.outer_prefix {
        headers.insert(PREFIX, outer);
    }
}

/// Notes that `prefix` is about to be taken off the path, behind what a proxy took off before us.
pub(crate) fn note_stripped(headers: &mut HeaderMap, prefix: &'static str) {
    let outer = headers.get(PREFIX).and_then(|outer| outer.to_str().ok());
    let whole = outer.and_then(|outer| HeaderValue::try_from(format!("{outer}{prefix}")).ok());
    headers.insert(PREFIX, whole.unwrap_or(HeaderValue::from_static(prefix)));
}

fn remove_internal(headers: &mut HeaderMap) {
    let is_internal = |name: &&HeaderName| {
        let name = name.as_str();
        INTERNAL_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
            || INTERNAL.contains(&name)
    };
    let internal: Vec<_> = headers.keys().filter(is_internal).cloned().collect();
    for name in internal {
        headers.remove(name);
    }
    headers.remove(FORWARDED);
}

/// What we see ourselves.
fn seen(headers: &HeaderMap, peer: Option<IpAddr>) -> Origin {
    Origin {
        client: peer,
        host: headers.get(HOST).cloned(),
        proto: HeaderValue::from_static("http"),
        outer_prefix: None,
    }
}

/// What a trusted proxy tells us, where it does.
fn told(headers: &HeaderMap, proxy: IpAddr, proxies: &TrustedProxies) -> Origin {
    let seen = seen(headers, Some(proxy));
    let first = |name: HeaderName| first_of_list(headers.get(name)?);
    let proto = match first(PROTO) {
        Some("https") => HeaderValue::from_static("https"),
        Some(_) | None => seen.proto,
    };
    let host = first(FORWARDED_HOST).filter(|host| !host.is_empty());
    let prefix = first(PREFIX).map(|prefix| prefix.trim_end_matches('/'));
    let is_path = |prefix: &&str| prefix.starts_with('/') && !prefix.starts_with("//");
    Origin {
        client: Some(client(headers, proxy, proxies)),
        host: host.and_then(|host| host.parse().ok()).or(seen.host),
        proto,
        outer_prefix: prefix
            .filter(is_path)
            .and_then(|prefix| prefix.parse().ok()),
    }
}

fn first_of_list(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()?.split(',').next().map(str::trim)
}

/// The nearest address that is not a trusted proxy: everything farther is only hearsay.
fn client(headers: &HeaderMap, proxy: IpAddr, proxies: &TrustedProxies) -> IpAddr {
    let mut nearest = proxy;
    let lines: Vec<_> = headers.get_all(FOR).iter().collect();
    for line in lines.into_iter().rev() {
        for entry in line.to_str().unwrap_or("").rsplit(',') {
            let Ok(address) = entry.trim().parse::<IpAddr>() else {
                return nearest;
            };
            nearest = address.to_canonical();
            if !proxies.contain(nearest) {
                return nearest;
            }
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use common::{EnvironmentMap, Settings};

    use super::*;

    const CLAIMS: &[(&str, &str)] = &[
        ("host", "inside:8000"),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.2"),
        ("x-forwarded-host", "db.example.org, evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/base/"),
        ("x-forwarded-user", "admin"),
        ("forwarded", "for=6.6.6.6"),
        ("x-real-ip", "6.6.6.6"),
        ("x-selfdb-role", "service_role"),
        ("x-internal-token", "x"),
        ("x-original-url", "/admin"),
        ("accept", "*/*"),
    ];

    fn overwritten(trusted: &str) -> Vec<(String, String)> {
        let environment = EnvironmentMap::from_iter([("TRUSTED_PROXIES", trusted)]);
        let proxies = TrustedProxies::from_settings(&Settings::new(&environment));
        let mut request = http::Request::builder();
        for (name, value) in CLAIMS {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        let peer = SocketAddr::from(([10, 0, 0, 1], 40000));
        request.extensions_mut().insert(ConnectInfo(peer));
        overwrite(&mut request, &proxies);
        note_stripped(request.headers_mut(), "/rest/v1");
        let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
        let mut headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        headers.sort();
        headers
    }

    fn owned(entries: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        entries.iter().map(owned).collect()
    }

    #[test]
    fn a_stranger_s_word_is_not_taken() {
        let expected = owned(&[
            ("accept", "*/*"),
            ("host", "inside:8000"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-host", "inside:8000"),
            ("x-forwarded-prefix", "/rest/v1"),
            ("x-forwarded-proto", "http"),
        ]);
        assert_eq!(overwritten(""), expected);
        assert_eq!(overwritten("10.0.0.2"), expected);
    }

    #[test]
    fn a_trusted_proxy_s_word_is_taken_up_to_the_first_stranger() {
        let expected = owned(&[
            ("accept", "*/*"),
            ("host", "inside:8000"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-host", "db.example.org"),
            ("x-forwarded-prefix", "/base/rest/v1"),
            ("x-forwarded-proto", "https"),
        ]);
        assert_eq!(overwritten("10.0.0.0/8"), expected);
    }
}
