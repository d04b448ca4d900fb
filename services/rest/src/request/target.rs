//! What the path names.

use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The resource of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Root,
    /// A table or view.
    Relation(String),
    Function(String),
}

impl Target {
    /// Reads `/`, `/<relation>` and `/rpc/<function>`.
    pub(crate) fn parse(path: &str) -> Result<Self, ApiError> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut parts = path.split('/');
        match (parts.next(), parts.next(), parts.next()) {
            (None | Some(""), None, None) => Ok(Self::Root),
            (Some("rpc"), Some(name), None) if !name.is_empty() => decode(name).map(Self::Function),
            (Some(name), None, None) => decode(name).map(Self::Relation),
            _ => Err(ApiError::Path),
        }
    }
}

fn decode(part: &str) -> Result<String, ApiError> {
    match percent_decode_str(part).decode_utf8() {
        Ok(name) if !name.contains('\0') => Ok(name.into_owned()),
        Ok(_) | Err(_) => Err(ApiError::Path),
    }
}
