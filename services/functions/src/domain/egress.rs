//! Whom one function may connect to, where it says so itself.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

use serde::Deserialize;

/// The most entries of a list: each is told to Deno on a command line.
const MOST: usize = 100;
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// The `egress` of a version's limits: only these can be reached, beside the platform itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Target>")]
pub(crate) struct Egress(pub(crate) Vec<Target>);

/// One entry: `api.example.com`, `*.example.com:8443`, `203.0.113.7:5432` or `[2001:db8::1]:443`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Target {
    pub(crate) host: Host,
    /// Where it names none, the ports that are open to every function.
    pub(crate) port: Option<NonZeroU16>,
}

/// Who is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// A name in lower case; `*.` before it stands for every name below it.
    Name(String),
    Address(IpAddr),
}

impl fmt::Display for Host {
    /// As it stands in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl TryFrom<Vec<Target>> for Egress {
    type Error = String;

    fn try_from(targets: Vec<Target>) -> Result<Self, String> {
        if targets.len() > MOST {
            return Err(format!("egress has at most {MOST} entries"));
        }
        Ok(Self(targets))
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!(
                "{text:?} is nothing to connect to: use a name, *.name, an IPv4 address or an IPv6 address in brackets, each with :port behind it if need be"
            )
        })
    }
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address = IpAddr::V6(address.parse().ok()?);
            let port = match port {
                "" => None,
                port => Some(port.strip_prefix(':')?),
            };
            return Self::of(Host::Address(address), port);
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        let host = match host.parse() {
            Ok(address) => Host::Address(IpAddr::V4(address)),
            Err(_) => Host::Name(name(host)?),
        };
        Self::of(host, port)
    }

    fn of(host: Host, port: Option<&str>) -> Option<Self> {
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port {
            Some(port) => Some(Some(port).filter(is_number)?.parse().ok()?),
            None => None,
        };
        Some(Self { host, port })
    }
}

/// A host's name in lower case. One that ends in a number is none: URLs take it for an address,
/// in spellings such as `127.1` and `0x7f000001`.
fn name(text: &str) -> Option<String> {
    let plain = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=MAX_LABEL_BYTES).contains(&label.len()) && label.bytes().all(inside)
    };
    let last = plain.rsplit('.').next()?;
    let is_number = last.bytes().next()?.is_ascii_digit();
    let is_name = plain.len() <= MAX_NAME_BYTES && plain.split('.').all(is_label);
    (is_name && !is_number).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let egress: Egress = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let shown = |target: &Target| match target.port {
            Some(port) => format!("{}:{port}", target.host),
            None => target.host.to_string(),
        };
        Ok(egress.0.iter().map(shown).collect())
    }

    #[test]
    fn names_and_addresses_are_read_with_and_without_ports() {
        let read = read(
            r#"["API.Example.com", "*.example.com:8443", "203.0.113.7:5432", "[2001:db8::1]:443", "[2001:db8::1]", "redis", "xn--p1ai.a-b.x_y"]"#,
        );
        let expected = [
            "api.example.com",
            "*.example.com:8443",
            "203.0.113.7:5432",
            "[2001:db8::1]:443",
            "[2001:db8::1]",
            "redis",
            "xn--p1ai.a-b.x_y",
        ];
        assert_eq!(read.expect("a list"), expected);
        assert_eq!(self::read("[]"), Ok(Vec::new()));
    }

    #[test]
    fn whatever_else_is_refused() {
        for bad in [
            "*",
            "*.",
            "",
            "a..b",
            "a.*.b",
            "https://a.b",
            "a.b/c",
            "a.b:0",
            "a.b:65536",
            "a.b:+80",
            "a.b:",
            "a.b:https",
            "a b",
            "a,b",
            "2130706433",
            "127.1",
            "0x7f.0x1",
            "a.1e5",
            "10.0.0.0/8",
            "::1",
            "[::1",
            "[::1]443",
            "[127.0.0.1]",
            "ü.example",
            "user@a.b",
        ] {
            let refused = read(&serde_json::json!([bad]).to_string());
            let refused = refused.expect_err(bad);
            assert!(refused.contains(&format!("{bad:?}")), "{refused}");
        }
        for bad in ["\"a.b\"", "[1]", "{}", "true"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let long = serde_json::json!(vec!["a.b"; MOST + 1]).to_string();
        assert!(read(&long).expect_err("too long").contains("at most"));
    }
}
