//! What S3's headers say of an object, and what ours are in them.

use s3s::dto::{ETag, ETagCondition, Metadata};
use s3s::{S3Result, s3_error};
use serde_json::{Map, Value};

use crate::domain::object::{Object, Overwrite};

/// The `Cache-Control` of an upload without one.
pub(super) const NO_CACHE: &str = "no-cache";

/// What `If-Match` and `If-None-Match` of a write come to: whether it may replace, and what.
pub(super) fn conditions_of(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<(Overwrite, Option<String>)> {
    match (if_match, if_none_match) {
        (None, None) => Ok((Overwrite::Replace, None)),
        (None, Some(ETagCondition::Any)) => Ok((Overwrite::Refuse, None)),
        (Some(ETagCondition::ETag(etag)), None) => {
            let expected = format!("\"{}\"", etag.value());
            Ok((Overwrite::Replace, Some(expected)))
        }
        _ => Err(s3_error!(
            NotImplemented,
            "a write takes If-Match with an entity tag or If-None-Match: *"
        )),
    }
}

/// An entity tag, which we keep in its quotes.
pub(super) fn etag(quoted: &str) -> ETag {
    ETag::Strong(quoted.trim_matches('"').to_owned())
}

/// `x-amz-meta-*` as what an uploader keeps with an object.
pub(super) fn user_metadata(metadata: Option<&Metadata>) -> Option<Map<String, Value>> {
    let pairs = metadata?.iter();
    Some(
        pairs
            .map(|(name, value)| (name.clone(), Value::from(value.clone())))
            .collect(),
    )
}

/// What an uploader keeps with an object as `x-amz-meta-*`, as far as headers can hold it.
pub(super) fn headers_of(object: &Object) -> Metadata {
    let kept = object.user_metadata.iter().flatten();
    kept.filter_map(|(name, value)| {
        let text = value.as_str()?;
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let is_value = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        (is_name && is_value && !name.is_empty())
            .then(|| (name.to_ascii_lowercase(), text.to_owned()))
    })
    .collect()
}
