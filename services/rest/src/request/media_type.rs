//! Media types of bodies: what a client sends, accepts, and is sent.

use std::fmt;

/// A media type as this protocol tells them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MediaType {
    Any,
    Json,
    /// Exactly one row, as an object.
    Object(Nulls),
    /// An array whose objects carry no nulls.
    ArrayStripped,
    Csv,
    OpenApi,
    UrlEncoded,
    Text,
    Xml,
    OctetStream,
    Other(String),
}

/// Whether the keys of null values stay in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Kept,
    Stripped,
}

impl MediaType {
    /// Reads one media type with its parameters.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let nulls = if parts.any(|part| part == "nulls=stripped") {
            Nulls::Stripped
        } else {
            Nulls::Kept
        };
        match essence.as_str() {
            "*/*" => Self::Any,
            "application/json" => Self::Json,
            "application/vnd.pgrst.object" | "application/vnd.pgrst.object+json" => {
                Self::Object(nulls)
            }
            "application/vnd.pgrst.array" | "application/vnd.pgrst.array+json" => match nulls {
                Nulls::Stripped => Self::ArrayStripped,
                Nulls::Kept => Self::Json,
            },
            "text/csv" => Self::Csv,
            "application/openapi+json" => Self::OpenApi,
            "application/x-www-form-urlencoded" => Self::UrlEncoded,
            "text/plain" => Self::Text,
            "text/xml" => Self::Xml,
            "application/octet-stream" => Self::OctetStream,
            _ => Self::Other(text.trim().to_owned()),
        }
    }

    /// The `Accept` header, the most wanted first; everything where there is none.
    pub(crate) fn accepted(header: Option<&str>) -> Vec<Self> {
        let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
            return vec![Self::Any];
        };
        let mut ranked: Vec<(u16, Self)> = header
            .split(',')
            .map(|entry| (quality(entry), Self::parse(entry)))
            .filter(|(quality, _)| *quality > 0)
            .collect();
        ranked.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        ranked.into_iter().map(|(_, media)| media).collect()
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(&self) -> String {
        match self {
            Self::OctetStream => self.to_string(),
            Self::Any
            | Self::Json
            | Self::Object(_)
            | Self::ArrayStripped
            | Self::Csv
            | Self::OpenApi
            | Self::UrlEncoded
            | Self::Text
            | Self::Xml
            | Self::Other(_) => format!("{self}; charset=utf-8"),
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "*/*",
            Self::Json => "application/json",
            Self::Object(Nulls::Kept) => "application/vnd.pgrst.object+json",
            Self::Object(Nulls::Stripped) => "application/vnd.pgrst.object+json;nulls=stripped",
            Self::ArrayStripped => "application/vnd.pgrst.array+json;nulls=stripped",
            Self::Csv => "text/csv",
            Self::OpenApi => "application/openapi+json",
            Self::UrlEncoded => "application/x-www-form-urlencoded",
            Self::Text => "text/plain",
            Self::Xml => "text/xml",
            Self::OctetStream => "application/octet-stream",
            Self::Other(text) => text,
        })
    }
}

/// The `q` of an entry in thousandths; 1000 where it has none.
fn quality(entry: &str) -> u16 {
    let value = entry
        .split(';')
        .find_map(|part| part.trim().strip_prefix("q="));
    let Some(value) = value.and_then(|value| value.trim().parse::<f64>().ok()) else {
        return 1000;
    };
    let thousandths = (value.clamp(0.0, 1.0) * 1000.0).round();
    (0..=1000u16)
        .find(|quality| (f64::from(*quality) - thousandths).abs() < 0.5)
        .unwrap_or(1000)
}
