//! `GET /functions/{id}/versions/{version}/diff?against`: what a version changed, against the one
//! before it or any other.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use crate::domain::code::Code;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::versions;

#[derive(Deserialize)]
pub(in crate::routes::api) struct Parameters {
    against: Option<i32>,
}

#[derive(Serialize)]
pub(in crate::routes::api) struct FileDiff {
    path: String,
    /// `added`, `removed` or `changed`.
    change: &'static str,
    /// In the unified format; `None` for what is not text.
    diff: Option<String>,
}

pub(in crate::routes::api) async fn diff_version(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((id, version)): Path<(String, i32)>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Vec<FileDiff>>, ApiError> {
    let row = state.function(&id).await?;
    let after = versions::code(&state.pool, row.id, version).await?;
    let after = after.ok_or(ApiError::NotFound("version"))?;
    let before = match parameters.against {
        Some(against) => {
            let before = versions::code(&state.pool, row.id, against).await?;
            before.ok_or(ApiError::NotFound("version"))?
        }
        None => versions::code(&state.pool, row.id, version - 1)
            .await?
            .unwrap_or_default(),
    };
    Ok(Json(compare(&before, &after)))
}

fn compare(before: &Code, after: &Code) -> Vec<FileDiff> {
    let paths: BTreeSet<_> = before.files.keys().chain(after.files.keys()).collect();
    let differing = paths.into_iter().filter_map(|path| {
        let (old, new) = (before.files.get(path), after.files.get(path));
        let change = match (old, new) {
            (None, _) => "added",
            (_, None) => "removed",
            (old, new) if old == new => return None,
            _ => "changed",
        };
        let path = path.display().to_string();
        let diff = unified(&path, old, new);
        Some(FileDiff { path, change, diff })
    });
    differing.collect()
}

fn unified(path: &str, old: Option<&Bytes>, new: Option<&Bytes>) -> Option<String> {
    let text = |bytes: Option<&Bytes>| {
        let bytes = bytes.cloned().unwrap_or_default();
        String::from_utf8(bytes.to_vec()).ok()
    };
    let (old, new) = (text(old)?, text(new)?);
    let diff = TextDiff::from_lines(&old, &new);
    Some(diff.unified_diff().header(path, path).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_compared_one_by_one() {
        let code = |files: &[(&str, &'static str)]| Code {
            entry: "a".into(),
            import_map: None,
            files: files
                .iter()
                .map(|(path, text)| ((*path).into(), Bytes::from(*text)))
                .collect(),
        };
        let before = code(&[("a", "1\n2\n"), ("b", "same"), ("c", "gone")]);
        let after = code(&[("a", "1\n3\n"), ("b", "same"), ("d", "\u{1}")]);
        let found = compare(&before, &after);
        let changes: Vec<_> = found
            .iter()
            .map(|one| (one.path.as_str(), one.change))
            .collect();
        assert_eq!(
            changes,
            [("a", "changed"), ("c", "removed"), ("d", "added")]
        );
        let diff = found[0].diff.as_deref().expect("text");
        assert!(diff.contains("-2\n+3\n"), "{diff}");
    }
}
