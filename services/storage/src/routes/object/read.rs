use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::delivery::{Delivery, Part};
use crate::authoriser::{Authoriser, Door};
use crate::backend::{BackendError, ObjectStore};
use crate::caller::{Anybody, Authenticated};
use crate::error::Error;
use crate::routes::extract::{ObjectPath, Params};

#[derive(Debug, Deserialize)]
pub(crate) struct ReadParams {
    download: Option<String>,
    #[serde(default)]
    token: String,
}

type Objects = State<Arc<dyn ObjectStore>>;

/// An object, for whoever may see it; of a public bucket, for anybody.
pub(crate) async fn get(
    Anybody(caller): Anybody,
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let door = Door::Plain(caller.as_ref());
    let delivery = delivery(&headers, &params, Part::HeadAndBody);
    read(&authoriser, &*objects, (door, path), delivery).await
}

/// As [`get`], without the bytes.
pub(crate) async fn head(
    Anybody(caller): Anybody,
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let door = Door::Plain(caller.as_ref());
    let delivery = delivery(&headers, &params, Part::Head);
    read(&authoriser, &*objects, (door, path), delivery).await
}

/// An object, for a caller with a valid token who may see it.
pub(crate) async fn get_authenticated(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let door = Door::Plain(Some(&caller));
    let delivery = delivery(&headers, &params, Part::HeadAndBody);
    read(&authoriser, &*objects, (door, path), delivery).await
}

/// As [`get_authenticated`], without the bytes.
pub(crate) async fn head_authenticated(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let door = Door::Plain(Some(&caller));
    let delivery = delivery(&headers, &params, Part::Head);
    read(&authoriser, &*objects, (door, path), delivery).await
}

/// An object that is public, for anybody.
pub(crate) async fn get_public(
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let delivery = delivery(&headers, &params, Part::HeadAndBody);
    read(&authoriser, &*objects, (Door::Public, path), delivery).await
}

/// As [`get_public`], without the bytes.
pub(crate) async fn head_public(
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let delivery = delivery(&headers, &params, Part::Head);
    read(&authoriser, &*objects, (Door::Public, path), delivery).await
}

/// The object that a signed URL was made for.
pub(crate) async fn get_signed(
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let door = Door::Signed(&params.token);
    let delivery = delivery(&headers, &params, Part::HeadAndBody);
    read(&authoriser, &*objects, (door, path), delivery).await
}

/// As [`get_signed`], without the bytes.
pub(crate) async fn head_signed(
    State(authoriser): State<Authoriser>,
    State(objects): Objects,
    path: ObjectPath,
    Params(params): Params<ReadParams>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let door = Door::Signed(&params.token);
    let delivery = delivery(&headers, &params, Part::Head);
    read(&authoriser, &*objects, (door, path), delivery).await
}

fn delivery<'a>(headers: &'a HeaderMap, params: &'a ReadParams, part: Part) -> Delivery<'a> {
    Delivery {
        headers,
        download: params.download.as_deref(),
        part,
    }
}

async fn read(
    authoriser: &Authoriser,
    objects: &dyn ObjectStore,
    (door, path): (Door<'_>, ObjectPath),
    delivery: Delivery<'_>,
) -> Result<Response, Error> {
    let readable = authoriser.readable(door, &path.bucket, &path.key).await?;
    match delivery.answer(objects, &readable).await {
        // The object was replaced, and its old bytes deleted, since it was looked up.
        Err(Error::Backend(BackendError::Missing(_))) => {
            let readable = authoriser.readable(door, &path.bucket, &path.key).await?;
            delivery.answer(objects, &readable).await
        }
        answer => answer,
    }
}
