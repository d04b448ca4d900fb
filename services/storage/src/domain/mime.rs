//! Media types: what an upload says it is, and which a bucket takes.

use http::HeaderValue;

/// What an upload without a media type is.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// A media type that can stand in a response header, as the uploader wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MimeType(String);

/// A media type that cannot be kept, or that the bucket does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mime type {0} is not supported")]
pub struct UnsupportedMimeType(pub String);

impl MimeType {
    /// The media type `text` says; an empty one is `application/octet-stream`.
    pub fn parse(text: &str) -> Result<Self, UnsupportedMimeType> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::unknown());
        }
        let fits = text.len() <= 255 && HeaderValue::from_str(text).is_ok();
        fits.then(|| Self(text.to_owned()))
            .ok_or_else(|| UnsupportedMimeType(text.chars().take(255).collect()))
    }

    /// The media type of an upload that did not say.
    pub fn unknown() -> Self {
        Self(OCTET_STREAM.to_owned())
    }

    /// The media type with its parameters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a bucket that allows `allowed` takes it: each `image/png`, `image/*` or `*/*`,
    /// whatever the case and the parameters.
    pub fn is_among(&self, allowed: &[String]) -> bool {
        let (kind, subtype) = split(&self.0);
        allowed.iter().any(|pattern| {
            let (allowed_kind, allowed_subtype) = split(pattern);
            allowed_kind == "*"
                || kind.eq_ignore_ascii_case(allowed_kind)
                    && (allowed_subtype == "*" || subtype.eq_ignore_ascii_case(allowed_subtype))
        })
    }

    /// Whether a browser that opened it would run what is in it.
    pub fn is_active(&self) -> bool {
        let (kind, subtype) = split(&self.0);
        let subtype = subtype.to_ascii_lowercase();
        let markup = ["html", "xml", "xhtml", "svg", "xsl"];
        let script = ["javascript", "ecmascript"];
        kind.is_empty()
            || markup.iter().any(|word| subtype.contains(word))
            || script.iter().any(|word| subtype.contains(word))
    }
}

/// What is before and after the slash, without parameters.
fn split(text: &str) -> (&str, &str) {
    let essence = text.split(';').next().unwrap_or(text).trim();
    essence.split_once('/').unwrap_or((essence, ""))
}

/// Whether `pattern` can stand among a bucket's allowed media types.
pub fn is_pattern(pattern: &str) -> bool {
    let token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte))
    };
    let (kind, subtype) = split(pattern);
    pattern == "*"
        || pattern == "*/*"
        || (pattern.len() <= 255 && token(kind) && (subtype == "*" || token(subtype)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_what_its_patterns_say_whatever_the_parameters() {
        let allowed = ["image/*".to_owned(), "text/plain".to_owned()];
        let table = [
            ("image/png", true),
            ("IMAGE/PNG", true),
            ("text/plain;charset=UTF-8", true),
            ("text/html", false),
            ("imagepng", false),
            ("", false),
        ];
        for (text, taken) in table {
            let mime = MimeType::parse(text).expect(text);
            assert_eq!(mime.is_among(&allowed), taken, "{text}");
        }
    }

    #[test]
    fn a_type_that_would_split_a_header_is_refused() {
        assert!(MimeType::parse("text/plain\r\nset-cookie: a=b").is_err());
    }

    #[test]
    fn what_a_browser_would_run_is_active() {
        let active = [
            "text/html; charset=utf-8",
            "image/SVG+xml",
            "text/javascript",
            "application/xhtml+xml",
        ];
        for text in active {
            assert!(MimeType::parse(text).expect(text).is_active(), "{text}");
        }
        for text in ["image/png", "text/plain", "application/pdf", "video/mp4"] {
            assert!(!MimeType::parse(text).expect(text).is_active(), "{text}");
        }
    }

    #[test]
    fn patterns() {
        for pattern in [
            "image/png",
            "image/*",
            "*/*",
            "application/vnd.ms-excel",
            "text/plain; charset=utf-8",
        ] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for pattern in ["", "image", "image/", "/png", "im age/png", "*/png"] {
            assert!(!is_pattern(pattern), "{pattern:?}");
        }
    }
}
