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
        let names = ["proto", "host", "prefix"];
        let headers = names.iter().zip(seen).filter(|(_, value)| *value != "-");
        let headers = headers.map(|(name, value)| {
            let name = format!("x-forwarded-{name}").parse().expect("a name");
            (name, value.parse().expect("a value"))
        });
        base(public_url, &headers.collect())
    }

    /// Each line: how the client is said to have asked (scheme, host, prefix), and where it goes on.
    fn check(public_url: &str, lines: &str) {
        for line in lines.trim().lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [proto, host, prefix, expected] = words[..] else {
                panic!("{line}");
            };
            assert_eq!(
                base_of(public_url, [proto, host, prefix]),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn uploads_go_on_where_they_are_configured_to() {
        // Last, behind a trusted proxy, by another name. A proxy that is not trusted asks by any.
        let lines = "
            http   127.0.0.1:8000   /storage/v1       https://api.example.org/base/storage/v1
            http   evil.example     /storage/v1       https://api.example.org/base/storage/v1
            https  127.0.0.1:8000   /base/storage/v1  https://api.example.org/base/storage/v1
            http   api.example.org  /storage/v1       https://api.example.org/base/storage/v1
            https  other.example    /x/storage/v1     https://other.example/x/storage/v1";
        check("https://api.example.org/base", lines);
    }

    #[test]
    fn where_nothing_is_configured_uploads_go_on_where_the_client_sees_the_server() {
        // First, asked without the gateway.
        let lines = "
            -      -                 -                 http://localhost:8000/storage/v1
            http   192.168.1.5:8000  /storage/v1       http://192.168.1.5:8000/storage/v1
            https  api.example.org   /base/storage/v1  https://api.example.org/base/storage/v1
            http   localhost:8000    /storage/v1       http://localhost:8000/storage/v1
            http   a@b.example       /storage/v1       http://localhost:8000/storage/v1";
        check("http://localhost:8000", lines);
    }
}
