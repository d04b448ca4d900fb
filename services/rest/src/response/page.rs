//! What an answer says of the page after it.

use http::HeaderName;
use http::header::{CONTENT_RANGE, LINK};

use super::Draft;
use super::headers::content_range;
use crate::error::KeysetError;
use crate::execute::Outcome;
use crate::plan::keyset::Keyset;
use crate::request::ApiRequest;
use crate::request::bookmark::is_bookmark;

const NEXT: HeaderName = HeaderName::from_static("x-next-cursor");

/// Adds the cursor of the next page, where this one is full. How many rows came before is not
/// known, only how many there are.
pub(super) fn add_next(
    draft: &mut Draft,
    request: &ApiRequest,
    (keyset, limit): (&Keyset, Option<i64>),
    outcome: &Outcome,
) -> Result<(), KeysetError> {
    draft.set(CONTENT_RANGE, &content_range(1, 0, outcome.total));
    let Some(last) = outcome.last_key.as_deref() else {
        return Ok(());
    };
    if limit != Some(outcome.rows) {
        return Ok(());
    }
    let cursor = keyset.next(last)?;
    let query = &request.query.canonical;
    let mut query: Vec<&str> = query.split('&').filter(|pair| !is_after(pair)).collect();
    let after = format!("after={cursor}");
    query.push(&after);
    draft.set(LINK, &format!("<?{}>; rel=\"next\"", query.join("&")));
    draft.set(NEXT, &cursor);
    Ok(())
}

fn is_after(pair: &str) -> bool {
    pair.strip_prefix("after=").is_some_and(is_bookmark)
}
