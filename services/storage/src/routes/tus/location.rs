//! Where an upload goes on: absolute, as the client sees this server.
//!
//! `API_EXTERNAL_URL` says it. Where that was left at a name of this machine alone, or a trusted
//! proxy says that it was asked by another name (the gateway lets nobody else say so), what the
//! gateway saw counts: a client on another machine cannot follow `localhost`.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

/// The path below which the gateway serves this service.
const PREFIX: &str = "/storage/v1";

/// The URL of this service, without a slash at its end.
pub(super) fn base(public_url: &str, headers: &HeaderMap) -> String {
    let configured = format!("{public_url}{PREFIX}");
    seen(public_url, headers).unwrap_or(configured)
}

/// What the gateway saw, where it is worth more than what is configured.
fn seen(public_url: &str, headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let host: Authority = text("x-forwarded-host")?.parse().ok()?;
    let proto = text("x-forwarded-proto").filter(|proto| *proto == "https");
    let prefix = text("x-forwarded-prefix")?;
    let public: Uri = public_url.parse().ok()?;
    let public_host = public.host().unwrap_or_default();
    let by_proxy = proto.is_some() || prefix != PREFIX;
    let is_better = is_local(public_host) || (by_proxy && !is_local(host.host()));
    let is_the_same = public.authority() == Some(&host);
    // With a name and a password in front it is no host.
    let is_host = !host.as_str().contains('@');
    (is_host && is_better && !is_the_same)
        .then(|| format!("{}://{host}{prefix}", proto.unwrap_or("http")))
}

/// Whether only this machine calls itself so.
fn is_local(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_of(public_url: &str, seen: [&str; 3]) -> String {
        let names = [
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-prefix",
        ];
        let headers = names
            .into_iter()
            .zip(seen)
            .filter(|(_, value)| !value.is_empty());
        let headers = headers.map(|(name, value)| {
            let value = value.parse().expect("a value");
            (name.parse().expect("a name"), value)
        });
        base(public_url, &headers.collect())
    }

    #[test]
    fn uploads_go_on_where_the_client_sees_the_server() {
        let (local, real) = ("http://localhost:8000", "https://api.example.org/base");
        let table = [
            // Asked without the gateway.
            (local, ["", "", ""], "http://localhost:8000/storage/v1"),
            // As configured, though a proxy that is not trusted asks by another name.
            (
                real,
                ["http", "127.0.0.1:8000", PREFIX],
                "https://api.example.org/base/storage/v1",
            ),
            (
                real,
                ["http", "evil.example", PREFIX],
                "https://api.example.org/base/storage/v1",
            ),
            (
                real,
                ["https", "127.0.0.1:8000", "/base/storage/v1"],
                "https://api.example.org/base/storage/v1",
            ),
            (
                real,
                ["http", "api.example.org", PREFIX],
                "https://api.example.org/base/storage/v1",
            ),
            // Behind a trusted proxy, by another name.
            (
                real,
                ["https", "other.example", "/x/storage/v1"],
                "https://other.example/x/storage/v1",
            ),
            // Never configured.
            (
                local,
                ["http", "192.168.1.5:8000", PREFIX],
                "http://192.168.1.5:8000/storage/v1",
            ),
            (
                local,
                ["https", "api.example.org", "/base/storage/v1"],
                "https://api.example.org/base/storage/v1",
            ),
            (
                local,
                ["http", "localhost:8000", PREFIX],
                "http://localhost:8000/storage/v1",
            ),
            (
                local,
                ["http", "a@b.example", PREFIX],
                "http://localhost:8000/storage/v1",
            ),
        ];
        for (public_url, seen, expected) in table {
            assert_eq!(base_of(public_url, seen), expected, "{public_url} {seen:?}");
        }
    }
}
