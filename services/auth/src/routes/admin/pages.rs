//! Pages of a list: which one is asked for, and where the others are.

use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};
use crate::routes::requests::given;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
const PER_PAGE: i64 = 50;
const MAX_PER_PAGE: i64 = 1_000;

/// What a query says of pages.
pub(super) struct PageQuery {
    pub(super) page: Option<String>,
    pub(super) per_page: Option<String>,
}

/// The page that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    number: i64,
    /// How many rows at most.
    pub(super) limit: i64,
}

impl Page {
    pub(super) fn read(query: PageQuery) -> Result<Self> {
        Ok(Self {
            number: number(query.page, 1, 0, i64::from(u32::MAX))?,
            limit: number(query.per_page, PER_PAGE, 1, i64::MAX)?.min(MAX_PER_PAGE),
        })
    }

    /// How many rows come before it.
    pub(super) fn offset(self) -> i64 {
        (self.number - 1).max(0) * self.limit
    }

    /// `Link` and `X-Total-Count`.
    pub(super) fn headers(self, path: &str, count: i64) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(TOTAL_COUNT, HeaderValue::from(count));
        let link = HeaderValue::try_from(self.link(path, count)).map_err(Error::internal)?;
        headers.insert(LINK, link);
        Ok(headers)
    }

    /// The `Link` header. Clients take what follows the first `=` for the page: it comes first.
    fn link(self, path: &str, count: i64) -> String {
        let (page, per_page) = (self.number, self.limit);
        let last = (count + per_page - 1) / per_page;
        let to = |page: i64, relation: &str| {
            format!("<{path}?page={page}&per_page={per_page}>; rel=\"{relation}\"")
        };
        if last > page {
            format!("{}, {}", to(page + 1, "next"), to(last, "last"))
        } else {
            to(last, "last")
        }
    }
}

/// A number that was sent, from `min` to `max`.
fn number(text: Option<String>, default: i64, min: i64, max: i64) -> Result<i64> {
    let Some(text) = given(text) else {
        return Ok(default);
    };
    let number: Option<i64> = text.parse().ok();
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| Error::validation(format!("Bad Pagination Parameters: {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_the_next_page_and_the_last() {
        let page = |number| Page { number, limit: 2 };
        assert_eq!(
            page(1).link("/admin/users", 5),
            "</admin/users?page=2&per_page=2>; rel=\"next\", \
             </admin/users?page=3&per_page=2>; rel=\"last\""
        );
        assert_eq!(
            page(3).link("/admin/users", 5),
            "</admin/users?page=3&per_page=2>; rel=\"last\""
        );
    }
}
