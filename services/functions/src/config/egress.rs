//! What functions may connect to, as the platform's owner says it.

use std::net::SocketAddr;
use std::str::FromStr;

use common::Settings;

/// `FUNCTIONS_EGRESS_PORTS`.
pub(super) fn ports(settings: &Settings<'_>) -> Vec<u16> {
    const NAME: &str = "FUNCTIONS_EGRESS_PORTS";
    if settings.text(NAME).is_none() {
        return vec![80, 443];
    }
    let hint = "is not a list of ports: use numbers with commas between them";
    list(settings, NAME, hint)
}

/// `FUNCTIONS_EGRESS_PRIVATE`.
pub(super) fn private(settings: &Settings<'_>) -> Vec<SocketAddr> {
    let hint = "is not a list of addresses with ports: use 10.1.2.3:5432, with commas between them";
    list(settings, "FUNCTIONS_EGRESS_PRIVATE", hint)
}

fn list<T: FromStr>(settings: &Settings<'_>, name: &str, hint: &str) -> Vec<T> {
    let list = settings.list(name);
    let parsed: Result<_, _> = list.iter().map(|item| item.parse()).collect();
    parsed.unwrap_or_else(|_| {
        settings.reject(name, hint);
        Vec::new()
    })
}
