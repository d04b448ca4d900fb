//! Conditional requests (RFC 9110, section 13).

use std::time::{Duration, SystemTime};

use http::header::{
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderName};

/// What conditions are about: one representation.
#[derive(Debug, Clone, Copy)]
pub struct Validators<'a> {
    /// The entity tag, with its quotes.
    pub etag: &'a str,
    /// When it last changed.
    pub last_modified: SystemTime,
}

/// What the conditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not what the client believes.
    Failed,
}

/// Weighs the conditions in `headers` of a GET or HEAD, in the order of RFC 9110, section 13.2.2.
pub fn weigh(headers: &HeaderMap, current: Validators<'_>) -> Verdict {
    if let Some(tags) = text(headers, &IF_MATCH) {
        if !matches(tags, current.etag, Comparison::Strong) {
            return Verdict::Failed;
        }
    } else if let Some(limit) = date(headers, &IF_UNMODIFIED_SINCE)
        && current.whole_seconds() > limit
    {
        return Verdict::Failed;
    }
    if let Some(tags) = text(headers, &IF_NONE_MATCH) {
        if matches(tags, current.etag, Comparison::Weak) {
            return Verdict::NotModified;
        }
    } else if let Some(limit) = date(headers, &IF_MODIFIED_SINCE)
        && current.whole_seconds() <= limit
    {
        return Verdict::NotModified;
    }
    Verdict::Proceed
}

/// The `Range` header, unless `If-Range` says that the client holds another representation.
pub fn range<'a>(headers: &'a HeaderMap, current: Validators<'_>) -> Option<&'a str> {
    let range = text(headers, &RANGE)?;
    let Some(condition) = text(headers, &IF_RANGE) else {
        return Some(range);
    };
    let same = if condition.trim_start().starts_with(['"', 'W']) {
        condition.trim() == current.etag
    } else {
        httpdate::parse_http_date(condition).is_ok_and(|date| date == current.whole_seconds())
    };
    same.then_some(range)
}

impl Validators<'_> {
    /// HTTP dates have no fractions.
    fn whole_seconds(&self) -> SystemTime {
        let since = self
            .last_modified
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

fn matches(tags: &str, etag: &str, comparison: Comparison) -> bool {
    tags.split(',').map(str::trim).any(|tag| {
        let weak = tag.strip_prefix("W/");
        let comparable = weak.is_none() || comparison == Comparison::Weak;
        tag == "*" || comparable && weak.unwrap_or(tag) == etag
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, name)?).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const CHANGED: &str = "Tue, 01 Sep 2026 10:00:00 GMT";
    const BEFORE: &str = "Tue, 01 Sep 2026 09:59:59 GMT";

    fn current() -> Validators<'static> {
        let changed = httpdate::parse_http_date(CHANGED).expect("a date");
        Validators {
            etag: "\"abc\"",
            last_modified: changed + Duration::from_millis(700),
        }
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn verdicts() {
        let table = [
            (vec![], Verdict::Proceed),
            (vec![(IF_NONE_MATCH, "\"abc\"")], Verdict::NotModified),
            (vec![(IF_NONE_MATCH, "W/\"abc\"")], Verdict::NotModified),
            (
                vec![(IF_NONE_MATCH, "\"x\", \"abc\"")],
                Verdict::NotModified,
            ),
            (vec![(IF_NONE_MATCH, "*")], Verdict::NotModified),
            (vec![(IF_NONE_MATCH, "\"x\"")], Verdict::Proceed),
            (
                vec![(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, CHANGED)],
                Verdict::Proceed,
            ),
            (vec![(IF_MODIFIED_SINCE, CHANGED)], Verdict::NotModified),
            (vec![(IF_MODIFIED_SINCE, BEFORE)], Verdict::Proceed),
            (vec![(IF_MODIFIED_SINCE, "yesterday")], Verdict::Proceed),
            (vec![(IF_MATCH, "\"abc\"")], Verdict::Proceed),
            (vec![(IF_MATCH, "W/\"abc\"")], Verdict::Failed),
            (vec![(IF_MATCH, "\"x\"")], Verdict::Failed),
            (vec![(IF_UNMODIFIED_SINCE, CHANGED)], Verdict::Proceed),
            (vec![(IF_UNMODIFIED_SINCE, BEFORE)], Verdict::Failed),
        ];
        for (pairs, verdict) in table {
            assert_eq!(weigh(&headers(&pairs), current()), verdict, "{pairs:?}");
        }
    }

    #[test]
    fn if_range_gives_the_range_only_of_what_the_client_has() {
        let table = [
            ("\"abc\"", true),
            ("W/\"abc\"", false),
            ("\"x\"", false),
            (CHANGED, true),
            (BEFORE, false),
        ];
        for (condition, given) in table {
            let headers = headers(&[(RANGE, "bytes=0-1"), (IF_RANGE, condition)]);
            assert_eq!(range(&headers, current()).is_some(), given, "{condition}");
        }
    }
}
