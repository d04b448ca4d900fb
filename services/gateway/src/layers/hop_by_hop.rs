//! Headers that are about one connection and end with it (RFC 9110, section 7.6.1).

use http::header::{
    CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

const NAMES: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    PROXY_CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What a request wants its connection to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upgrade {
    No,
    WebSocket,
}

/// Removes them, and those that `Connection` names. Of upgrades only a websocket's stays.
pub(crate) fn strip(headers: &mut HeaderMap) -> Upgrade {
    let upgrade = upgrade(headers);
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    for name in NAMES {
        headers.remove(name);
    }
    if upgrade == Upgrade::WebSocket {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    upgrade
}

fn upgrade(headers: &HeaderMap) -> Upgrade {
    let is_websocket = headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let asks = tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    if is_websocket && asks {
        Upgrade::WebSocket
    } else {
        Upgrade::No
    }
}

fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(CONNECTION).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',').map(str::trim))
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    tokens(headers)
        .filter(|token| !["close", "keep-alive", "upgrade"].contains(token))
        .filter_map(|token| HeaderName::try_from(token).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(entries: &[(&'static str, &'static str)]) -> HeaderMap {
        let entries = entries.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        entries.collect()
    }

    #[test]
    fn what_belongs_to_the_connection_ends_with_it() {
        let mut request = headers(&[
            ("connection", "keep-alive, X-Hop ,close"),
            ("keep-alive", "timeout=5"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("accept", "*/*"),
        ]);
        assert_eq!(strip(&mut request), Upgrade::No);
        assert_eq!(request, headers(&[("accept", "*/*")]));
    }

    #[test]
    fn a_websocket_s_upgrade_stays() {
        let mut request = headers(&[
            ("connection", "Keep-Alive, Upgrade"),
            ("upgrade", "WebSocket"),
        ]);
        assert_eq!(strip(&mut request), Upgrade::WebSocket);
        let expected = headers(&[("connection", "upgrade"), ("upgrade", "websocket")]);
        assert_eq!(request, expected);
        let mut unasked = headers(&[("upgrade", "websocket")]);
        assert_eq!(strip(&mut unasked), Upgrade::No);
        assert!(unasked.is_empty());
    }
}
