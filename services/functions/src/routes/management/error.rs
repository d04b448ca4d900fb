//! The errors of this API: `{message}`.

use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Why a request is refused: as elsewhere, told in the words of the management API.
#[derive(Debug)]
pub(super) struct ManagementError(ApiError);

impl<E: Into<ApiError>> From<E> for ManagementError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ManagementError {
    fn into_response(self) -> Response {
        self.0.into_message()
    }
}
