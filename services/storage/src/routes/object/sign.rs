use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::upload::overwrite;
use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::config::Limits;
use crate::domain::image::{Asked, Transformation};
use crate::domain::key::ObjectKey;
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, Overwrite};
use crate::domain::signature::{Grant, UploadGrant, UrlSigner};
use crate::error::Error;
use crate::routes::extract::{BucketPath, JsonBody, ObjectPath};
use crate::store;
use crate::uploads::{Intent, Uploads};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignRequest {
    /// Seconds.
    #[serde(deserialize_with = "seconds")]
    expires_in: u32,
    #[serde(default)]
    transform: Option<Asked>,
}

/// A URL that reads one object, or what is rendered of it, which the caller may read, until it expires.
pub(crate) async fn sign(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(signer): State<UrlSigner>,
    path: ObjectPath,
    JsonBody(request): JsonBody<SignRequest>,
) -> Result<Json<Value>, Error> {
    let ObjectPath { bucket, key } = path;
    let transformation = request.transform.as_ref().map(Transformation::of);
    authoriser.visible(&caller, &bucket, &key).await?;
    let (route, grant) = match transformation.transpose()? {
        None => ("object", Grant::Download),
        Some(transformation) => {
            let transformations = transformation.spelled();
            ("render/image", Grant::Render { transformations })
        }
    };
    let token = signer.sign(&bucket, &key, grant, lifetime(request.expires_in)?);
    let url = format!("/{route}/sign/{bucket}/{key}?token={token}");
    Ok(Json(json!({ "signedURL": url })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignManyRequest {
    /// Seconds.
    #[serde(deserialize_with = "seconds")]
    expires_in: u32,
    paths: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SignedPath {
    error: Option<&'static str>,
    path: String,
    #[serde(rename = "signedURL")]
    signed_url: Option<String>,
}

/// As [`sign`], for several objects of a bucket at once.
pub(crate) async fn sign_many(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    State(signer): State<UrlSigner>,
    BucketPath(bucket): BucketPath,
    JsonBody(request): JsonBody<SignManyRequest>,
) -> Result<Json<Vec<SignedPath>>, Error> {
    let lifetime_s = lifetime(request.expires_in)?;
    let mut transaction = authoriser.begin(&caller).await?;
    let existing = store::objects::existing(&mut transaction, &bucket, &request.paths).await?;
    transaction.commit().await?;
    let existing: HashSet<String> = existing.into_iter().collect();
    let signed = request.paths.into_iter().map(|path| {
        let key = ObjectKey::parse(&path).ok();
        let key = key.filter(|key| existing.contains(key.as_str()));
        let signed_url = key.map(|key| {
            let token = signer.sign(&bucket, &key, Grant::Download, lifetime_s);
            format!("/object/sign/{bucket}/{key}?token={token}")
        });
        let missing = "Either the object does not exist or you do not have access to it";
        SignedPath {
            error: signed_url.is_none().then_some(missing),
            path,
            signed_url,
        }
    });
    Ok(Json(signed.collect()))
}

/// A URL that writes one object which the caller may write, until it expires.
pub(crate) async fn sign_upload(
    Authenticated(caller): Authenticated,
    State(uploads): State<Uploads>,
    State(signer): State<UrlSigner>,
    State(limits): State<Limits>,
    path: ObjectPath,
    headers: HeaderMap,
) -> Result<Json<Value>, Error> {
    let ObjectPath { bucket, key } = path;
    let overwrite = overwrite(&headers);
    let grant = UploadGrant {
        upsert: overwrite == Overwrite::Replace,
        owner: caller.subject().map(str::to_owned),
        ..UploadGrant::default()
    };
    let intent = Intent {
        object: NewObject {
            id: uploads.new_id(),
            bucket,
            key,
            owner_id: grant.owner.clone(),
            mime: MimeType::unknown(),
            cache_control: String::new(),
            user_metadata: None,
        },
        caller,
        overwrite,
        announced_size: None,
        expected_etag: None,
    };
    uploads.try_row(&intent).await?;
    let NewObject { bucket, key, .. } = intent.object;
    let lifetime_s = limits.upload_url_lifetime_s;
    let token = signer.sign(&bucket, &key, Grant::Upload(grant), lifetime_s);
    let url = format!("/object/upload/sign/{bucket}/{key}?token={token}");
    Ok(Json(json!({ "url": url, "token": token })))
}

/// Seconds as a number, or as text that holds one: Supabase's clients send both.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u32),
        Text(String),
    }
    match Seconds::deserialize(deserializer)? {
        Seconds::Number(seconds) => Ok(seconds),
        Seconds::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

fn lifetime(expires_in_s: u32) -> Result<u32, Error> {
    if expires_in_s == 0 {
        let message = "expiresIn must be at least 1";
        return Err(Error::InvalidRequest(message.to_owned()));
    }
    Ok(expires_in_s)
}
