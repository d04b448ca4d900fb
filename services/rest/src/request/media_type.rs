//! Media types of bodies: what a client sends, accepts, and is sent.

mod explain;
mod parameters;

pub(crate) use explain::{Explain, ExplainForm};

use std::cmp::Reverse;
use std::fmt;

use parameters::{quality, split};

/// A media type as this protocol tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum MediaType {
    Any,
    Json,
    GeoJson,
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
    /// How Postgres would make one of the others.
    Explain(Box<Explain>),
    /// Any other, in lower case and without parameters.
    Other(String),
}

/// Whether the keys of null values stay in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Nulls {
    Kept,
    Stripped,
}

impl MediaType {
    /// Reads one media type with its parameters.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = split(text, ';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        if let Some(form) = ExplainForm::of(&essence) {
            return Self::Explain(Box::new(Explain::parse(form, parts)));
        }
        let nulls = if parts.any(|part| part == "nulls=stripped") {
            Nulls::Stripped
        } else {
            Nulls::Kept
        };
        match essence.as_str() {
            "*/*" => Self::Any,
            "application/json" => Self::Json,
            "application/geo+json" => Self::GeoJson,
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
            _ => Self::Other(essence),
        }
    }

    /// The `Accept` header, the most wanted first: by `q`, then by how much an entry says, then as
    /// they come. Everything where there is none.
    pub(crate) fn accepted(header: Option<&str>) -> Vec<Self> {
        let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
            return vec![Self::Any];
        };
        let mut ranked: Vec<_> = split(header, ',')
            .map(str::trim)
            .map(|entry| (quality(entry), specificity(entry), Self::parse(entry)))
            .filter(|(quality, ..)| *quality > 0)
            .collect();
        ranked.sort_by_key(|(quality, specificity, _)| Reverse((*quality, *specificity)));
        ranked.into_iter().map(|(.., media)| media).collect()
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(&self) -> String {
        match self {
            Self::OctetStream | Self::Other(_) => self.to_string(),
            Self::Any
            | Self::Json
            | Self::GeoJson
            | Self::Object(_)
            | Self::ArrayStripped
            | Self::Csv
            | Self::OpenApi
            | Self::UrlEncoded
            | Self::Text
            | Self::Xml
            | Self::Explain(_) => format!("{self}; charset=utf-8"),
        }
    }
}

/// How narrow an entry of `Accept` is: a parameter narrows it, and `*` widens it.
fn specificity(entry: &str) -> i32 {
    let parameters = split(entry, ';').skip(1).map(str::trim);
    let narrowing = parameters.filter(|part| !part.is_empty() && !part.starts_with("q="));
    let essence = entry.split(';').next().unwrap_or_default();
    let widening = essence.matches('*').count();
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    count(narrowing.count()).saturating_sub(count(widening))
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "*/*",
            Self::Json => "application/json",
            Self::GeoJson => "application/geo+json",
            Self::Object(Nulls::Kept) => "application/vnd.pgrst.object+json",
            Self::Object(Nulls::Stripped) => "application/vnd.pgrst.object+json;nulls=stripped",
            Self::ArrayStripped => "application/vnd.pgrst.array+json;nulls=stripped",
            Self::Csv => "text/csv",
            Self::OpenApi => "application/openapi+json",
            Self::UrlEncoded => "application/x-www-form-urlencoded",
            Self::Text => "text/plain",
            Self::Xml => "text/xml",
            Self::OctetStream => "application/octet-stream",
            Self::Explain(explain) => return explain.fmt(f),
            Self::Other(text) => text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(header: &str) -> Vec<String> {
        let accepted = MediaType::accepted(Some(header)).into_iter();
        accepted.map(|media| media.to_string()).collect()
    }

    #[test]
    fn the_most_wanted_comes_first() {
        assert_eq!(order("a/b;q=0.2, c/d, e/f;q=0.5"), ["c/d", "e/f", "a/b"]);
        assert_eq!(
            order("*/*, text/csv, image/*"),
            ["text/csv", "image/*", "*/*"]
        );
        assert_eq!(
            order("application/json, application/vnd.pgrst.object+json;nulls=stripped"),
            [
                "application/vnd.pgrst.object+json;nulls=stripped",
                "application/json"
            ]
        );
        assert_eq!(order("a/b;q=0, c/d"), ["c/d"]);
        assert_eq!(order(" "), ["*/*"]);
    }

    #[test]
    fn a_plan_says_of_what_and_how() {
        let shown = |text: &str| MediaType::parse(text).to_string();
        for (text, expected) in [
            (
                "application/vnd.pgrst.plan",
                r#"application/vnd.pgrst.plan+text; for="application/json""#,
            ),
            (
                r#"application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object+json;nulls=stripped"; options=wal|analyze;"#,
                r#"application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object+json;nulls=stripped"; options=analyze|wal"#,
            ),
            (
                "application/vnd.pgrst.plan+text;for=text/csv;options=none|verbose",
                r#"application/vnd.pgrst.plan+text; for="text/csv"; options=verbose"#,
            ),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
