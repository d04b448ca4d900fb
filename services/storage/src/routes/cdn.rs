//! Supabase's content delivery network is told by these routes to forget. Nothing here keeps copies
//! of objects but rendered images, so those are what is let go of.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::authoriser::Authoriser;
use crate::caller::{Authenticated, Caller};
use crate::error::Error;
use crate::renditions::Renditions;
use crate::routes::extract::{BucketPath, ObjectPath};

/// Forgets what was rendered of every object.
pub(crate) async fn purge_all(
    Authenticated(caller): Authenticated,
    State(renditions): State<Renditions>,
) -> Result<Json<Value>, Error> {
    administrator(&caller)?;
    renditions.purge(None, None).await?;
    Ok(success())
}

/// Forgets what was rendered of a bucket's objects.
pub(crate) async fn purge_bucket(
    Authenticated(caller): Authenticated,
    State(renditions): State<Renditions>,
    BucketPath(bucket): BucketPath,
) -> Result<Json<Value>, Error> {
    administrator(&caller)?;
    renditions.purge(Some(&bucket), None).await?;
    Ok(success())
}

/// Forgets what was rendered of one object.
pub(crate) async fn purge_object(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(renditions): State<Renditions>,
    path: ObjectPath,
) -> Result<Json<Value>, Error> {
    administrator(&caller)?;
    authoriser.visible(&caller, &path.bucket, &path.key).await?;
    renditions
        .purge(Some(&path.bucket), Some(&path.key))
        .await?;
    Ok(success())
}

/// As with Supabase, only the service's key may.
fn administrator(caller: &Caller) -> Result<(), Error> {
    if caller.is_service() {
        Ok(())
    } else {
        Err(Error::AccessDenied("only the service role may purge"))
    }
}

fn success() -> Json<Value> {
    Json(json!({ "message": "success", "statusCode": "200" }))
}
