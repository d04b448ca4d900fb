use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::transfer::{TransferRequest, check_fits};
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::config::Limits;
use crate::error::Error;
use crate::routes::extract::JsonBody;
use crate::store;

/// Gives an object another name, in its bucket or another. Its bytes stay where they are.
pub(crate) async fn rename(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(limits): State<Limits>,
    JsonBody(request): JsonBody<TransferRequest>,
) -> Result<Json<Value>, Error> {
    let transfer = request.parse()?;
    let (from, to) = (&transfer.from, &transfer.to);
    let destination = authoriser.limits_of(&to.0).await?;
    let mut transaction = authoriser.begin(&caller).await?;
    let object = store::objects::find(&mut transaction, &from.0, &from.1).await?;
    let object = object.ok_or(Error::NoSuchKey)?;
    if to.0 != from.0 {
        check_fits(&object, &destination, limits)?;
    }
    if !store::objects::rename(&mut transaction, from, to).await? {
        return Err(Error::AccessDenied(
            "the object may be seen and not be moved",
        ));
    }
    transaction.commit().await?;
    Ok(Json(json!({
        "message": "Successfully moved",
        "Id": object.id,
        "Key": transfer.destination(),
    })))
}
