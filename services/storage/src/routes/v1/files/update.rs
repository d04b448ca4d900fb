use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::{FileId, FileResponse};
use crate::authoriser::Authoriser;
use crate::error::Error;
use crate::routes::extract::JsonBody;
use crate::routes::v1::caller::User;
use crate::store;

#[derive(Debug, Deserialize)]
pub(in crate::routes::v1) struct UpdateFileRequest {
    is_public: bool,
}

/// Says whether anybody may view a file of the caller's.
pub(in crate::routes::v1) async fn update(
    User(caller): User,
    State(authoriser): State<Authoriser>,
    FileId(id): FileId,
    JsonBody(request): JsonBody<UpdateFileRequest>,
) -> Result<Json<FileResponse>, Error> {
    let mut transaction = authoriser.begin(&caller).await?;
    let seen = store::objects::find_by_id(&mut transaction, id).await?;
    seen.ok_or(Error::NoSuchKey)?;
    if !store::objects::set_public(&mut transaction, id, request.is_public).await? {
        return Err(Error::AccessDenied("only its owner may change the file"));
    }
    let changed = store::objects::find_by_id(&mut transaction, id).await?;
    let changed = changed.ok_or(Error::NoSuchKey)?;
    transaction.commit().await?;
    Ok(Json(changed.into()))
}
