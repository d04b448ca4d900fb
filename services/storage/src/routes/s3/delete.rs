//! Deleting objects by S3's protocol, one or many.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error as DeleteError,
};
use s3s::{S3Request, S3Result, s3_error};

use super::errors::s3;
use super::operations::{Operations, bucket_name, caller, names};
use crate::caller::Caller;
use crate::domain::key::BucketId;
use crate::store;

/// The most objects one request deletes.
const MAX_DELETED: usize = 1000;

impl Operations {
    pub(super) async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<DeleteObjectOutput> {
        let caller = caller(&request)?;
        let (bucket, key) = names(&request.input.bucket, &request.input.key)?;
        self.authoriser.limits_of(&bucket).await?;
        let keys = [key.as_str().to_owned()];
        let (_, refused) = self.delete(&caller, &bucket, &keys).await?;
        if refused.is_empty() {
            Ok(DeleteObjectOutput::default())
        } else {
            Err(s3_error!(AccessDenied))
        }
    }

    pub(super) async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<DeleteObjectsOutput> {
        let caller = caller(&request)?;
        let bucket = bucket_name(&request.input.bucket)?;
        let delete = request.input.delete;
        if delete.objects.len() > MAX_DELETED {
            return Err(s3_error!(MalformedXML, "at most 1000 objects"));
        }
        self.authoriser.limits_of(&bucket).await?;
        let keys: Vec<String> = delete
            .objects
            .into_iter()
            .map(|object| object.key)
            .collect();
        let (deleted, refused) = self.delete(&caller, &bucket, &keys).await?;
        let errors = refused.into_iter().map(|key| DeleteError {
            code: Some("AccessDenied".to_owned()),
            key: Some(key),
            message: Some("Access Denied".to_owned()),
            ..DeleteError::default()
        });
        let quiet = delete.quiet.unwrap_or(false);
        let deleted = deleted.into_iter().filter(|_| !quiet);
        let deleted = deleted.map(|key| DeletedObject {
            key: Some(key),
            ..DeletedObject::default()
        });
        Ok(DeleteObjectsOutput {
            deleted: Some(deleted.collect()),
            errors: Some(errors.collect()),
            ..DeleteObjectsOutput::default()
        })
    }

    /// Deletes objects; answers the names that are gone, there or not before, and those that the
    /// caller sees and may not delete.
    async fn delete(
        &self,
        caller: &Caller,
        bucket: &BucketId,
        keys: &[String],
    ) -> S3Result<(Vec<String>, Vec<String>)> {
        let mut transaction = self.authoriser.begin(caller).await.map_err(s3)?;
        let gone = store::objects::delete(&mut transaction, bucket, keys).await;
        gone.map_err(s3)?;
        let left = store::objects::existing(&mut transaction, bucket, keys).await;
        let left = left.map_err(s3)?;
        transaction.commit().await.map_err(s3)?;
        self.discarded.notify_one();
        let is_left = |key: &String| left.contains(key);
        let (refused, gone) = keys.iter().cloned().partition(is_left);
        Ok((gone, refused))
    }
}
