use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::FileResponse;
use crate::domain::key::{BucketId, ObjectKey, sanitised};
use crate::domain::mime::MimeType;
use crate::domain::object::{NewObject, Overwrite, timestamp};
use crate::domain::signature::UploadGrant;
use crate::error::Error;
use crate::routes::extract::JsonBody;
use crate::routes::v1::caller::KeyHolder;
use crate::routes::v1::urls::FileUrls;
use crate::uploads::{Intent, Uploads};

/// The longest file name, in bytes.
const MAX_FILE_NAME_BYTES: usize = 255;

#[derive(Debug, Deserialize)]
pub(in crate::routes::v1) struct InitiateUploadRequest {
    filename: String,
    #[serde(default)]
    content_type: String,
    /// Bytes.
    size: u64,
    bucket_id: String,
}

/// A URL to upload one file to. The file is an object once it was uploaded, under a name of its
/// own: two files called alike do not meet.
pub(in crate::routes::v1) async fn initiate_upload(
    KeyHolder(caller): KeyHolder,
    State(uploads): State<Uploads>,
    State(urls): State<FileUrls>,
    JsonBody(request): JsonBody<InitiateUploadRequest>,
) -> Result<(StatusCode, Json<Value>), Error> {
    let file_name = request.filename.trim();
    if !(1..=MAX_FILE_NAME_BYTES).contains(&file_name.len()) {
        let message = format!("filename must have 1 to {MAX_FILE_NAME_BYTES} bytes");
        return Err(Error::InvalidRequest(message));
    }
    let id = uploads.new_id();
    let own_name = sanitised(file_name, MAX_FILE_NAME_BYTES);
    let intent = Intent {
        object: NewObject {
            id,
            bucket: BucketId::parse(&request.bucket_id)?,
            key: ObjectKey::parse(&format!("{id}/{own_name}"))?,
            owner_id: caller.subject().map(str::to_owned),
            mime: MimeType::parse(&request.content_type)?,
            cache_control: String::new(),
            user_metadata: None,
        },
        caller,
        overwrite: Overwrite::Refuse,
        announced_size: Some(request.size),
        expected_etag: None,
    };
    if request.size > uploads.admit(&intent).await? {
        return Err(Error::EntityTooLarge);
    }
    let NewObject {
        bucket,
        key,
        owner_id,
        mime,
        ..
    } = intent.object;
    let upload_url = urls.upload(
        &bucket,
        &key,
        UploadGrant {
            upsert: false,
            owner: owner_id.clone(),
            id: Some(id),
            file_name: Some(file_name.to_owned()),
        },
    );
    let now = timestamp(uploads.now());
    let file = FileResponse {
        id,
        filename: file_name.to_owned(),
        object_name: key.as_str().to_owned(),
        bucket_id: bucket.as_str().to_owned(),
        bucket_name: bucket.as_str().to_owned(),
        content_type: mime.as_str().to_owned(),
        size: request.size,
        owner_id,
        is_public: false,
        created_at: now.clone(),
        updated_at: now,
    };
    let upload = json!({ "upload_url": upload_url, "upload_method": "PUT" });
    let body = json!({ "file_metadata": file, "presigned_upload_info": upload });
    Ok((StatusCode::CREATED, Json(body)))
}
