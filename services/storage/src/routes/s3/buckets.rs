use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::errors::s3;
use super::operations::{Operations, bucket_name, caller};
use crate::domain::bucket::{NewBucket, Rule};
use crate::error::Error;
use crate::store;
use crate::store::buckets::{BucketListing, Deletion};

impl Operations {
    pub(super) async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<ListBucketsOutput> {
        let caller = caller(&request)?;
        let mut transaction = self.authoriser.begin(&caller).await.map_err(s3)?;
        let listing = BucketListing::default();
        let buckets = store::buckets::list(&mut transaction, &listing).await;
        let buckets = buckets.map_err(s3)?;
        transaction.commit().await.map_err(s3)?;
        let prefix = request.input.prefix.unwrap_or_default();
        let buckets = buckets
            .into_iter()
            .filter(|bucket| bucket.id.starts_with(&prefix))
            .map(|bucket| Bucket {
                creation_date: Some(bucket.created_at.into()),
                name: Some(bucket.id),
                ..Bucket::default()
            });
        Ok(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            ..ListBucketsOutput::default()
        })
    }

    pub(super) async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<CreateBucketOutput> {
        let caller = caller(&request)?;
        let name = bucket_name(&request.input.bucket)?;
        let bucket = NewBucket {
            id: name.clone(),
            name: name.clone(),
            owner_id: caller.subject().map(str::to_owned),
            public: false,
            file_size_limit: None,
            allowed_mime_types: None,
            rule: Rule::Policies,
        };
        let mut transaction = self.authoriser.begin(&caller).await.map_err(s3)?;
        let made = store::buckets::insert(&mut transaction, &bucket).await;
        made.map_err(s3)?;
        transaction.commit().await.map_err(s3)?;
        Ok(CreateBucketOutput {
            location: Some(format!("/{name}")),
        })
    }

    pub(super) async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<HeadBucketOutput> {
        self.seen(&request, &request.input.bucket).await?;
        Ok(HeadBucketOutput::default())
    }

    /// Refuses a bucket that the caller does not see.
    async fn seen<T: Sync>(&self, request: &S3Request<T>, bucket: &str) -> S3Result<()> {
        let caller = caller(request)?;
        let name = bucket_name(bucket)?;
        let mut transaction = self.authoriser.begin(&caller).await.map_err(s3)?;
        let found = store::buckets::find(&mut transaction, name.as_str()).await;
        let found = found.map_err(s3)?;
        transaction.commit().await.map_err(s3)?;
        found.map(drop).ok_or_else(|| s3(Error::NoSuchBucket))
    }

    pub(super) async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<DeleteBucketOutput> {
        let caller = caller(&request)?;
        let name = bucket_name(&request.input.bucket)?;
        let mut transaction = self.authoriser.begin(&caller).await.map_err(s3)?;
        let deletion = store::buckets::delete(&mut transaction, &name).await;
        match deletion.map_err(s3)? {
            Deletion::Deleted => {}
            Deletion::Missing => return Err(s3_error!(NoSuchBucket)),
            Deletion::NotEmpty => return Err(s3(Error::BucketNotEmpty)),
        }
        transaction.commit().await.map_err(s3)?;
        Ok(DeleteBucketOutput::default())
    }

    pub(super) async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<GetBucketLocationOutput> {
        self.seen(&request, &request.input.bucket).await?;
        Ok(GetBucketLocationOutput {
            location_constraint: Some(BucketLocationConstraint::from_static("")),
        })
    }

    pub(super) async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<GetBucketVersioningOutput> {
        self.seen(&request, &request.input.bucket).await?;
        Ok(GetBucketVersioningOutput::default())
    }
}
