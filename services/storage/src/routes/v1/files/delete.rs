use axum::extract::State;
use axum::http::StatusCode;

use super::FileId;
use crate::app::Discarded;
use crate::authoriser::Authoriser;
use crate::error::Error;
use crate::routes::v1::caller::User;
use crate::store;

/// Deletes a file of the caller's.
pub(in crate::routes::v1) async fn delete(
    User(caller): User,
    State(authoriser): State<Authoriser>,
    State(Discarded(discarded)): State<Discarded>,
    FileId(id): FileId,
) -> Result<StatusCode, Error> {
    let mut transaction = authoriser.begin(&caller).await?;
    let seen = store::objects::find_by_id(&mut transaction, id).await?;
    seen.ok_or(Error::NoSuchKey)?;
    if !store::objects::delete_by_id(&mut transaction, id).await? {
        return Err(Error::AccessDenied("only its owner may delete the file"));
    }
    transaction.commit().await?;
    discarded.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
