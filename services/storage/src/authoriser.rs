//! The one place that decides who may touch what. Every route comes through a door here, whichever
//! dialect or protocol it speaks; behind the door row-level security decides, except where a public
//! bucket or a signed URL already has.

use std::sync::Arc;

use pg::pipeline::Pipeline;
use pg::sqlx::postgres::PgPool;
use pg::sqlx::{Postgres, Transaction};
use pg::{AccessPipelines, AccessPools, sqlx};

use crate::caller::Caller;
use crate::domain::bucket::Bucket;
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::object::Object;
use crate::domain::signature::{UploadGrant, UrlSigner};
use crate::error::Error;
use crate::lookups::LookUps;
use crate::store;
use crate::store::buckets::Destination;

/// The way a request to read an object comes in.
#[derive(Debug, Clone, Copy)]
pub enum Door<'a> {
    /// The public URL: public buckets and public files, for anybody.
    Public,
    /// The plain URL: what the caller may see; without one, public buckets.
    Plain(Option<&'a Caller>),
    /// A signed URL and its token: the one object it was made for.
    Signed(&'a str),
}

/// An object that may be read.
#[derive(Debug)]
pub struct Readable {
    /// The object.
    pub object: Arc<Object>,
    /// When the right to read it ends, in seconds since 1970, where it does.
    pub expires_at: Option<i64>,
}

/// Decides who may touch what. Clones are cheap.
#[derive(Clone)]
pub struct Authoriser(Arc<Parts>);

struct Parts {
    access: AccessPools,
    writes: AccessPipelines,
    owner: PgPool,
    lookups: LookUps,
    signer: UrlSigner,
}

impl Authoriser {
    /// An authoriser that asks Postgres through `access` and `writes`, and as the owner of the
    /// schema through `owner` and `lookups`.
    pub fn new(
        (access, writes): (AccessPools, AccessPipelines),
        owner: PgPool,
        lookups: LookUps,
        signer: UrlSigner,
    ) -> Self {
        Self(Arc::new(Parts {
            access,
            writes,
            owner,
            lookups,
            signer,
        }))
    }

    /// What makes and checks signed URLs.
    pub fn signer(&self) -> &UrlSigner {
        &self.0.signer
    }

    /// A transaction in which row-level security binds `caller`.
    pub async fn begin(
        &self,
        caller: &Caller,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.0.access.begin(caller.context()).await
    }

    /// Where statements that are known beforehand go out together, bound by row-level security as
    /// in [`Authoriser::begin`].
    pub fn writes_of(&self, caller: &Caller) -> &Pipeline {
        self.0.writes.of(caller.context())
    }

    /// The object that `door` opens.
    pub async fn readable(
        &self,
        door: Door<'_>,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Readable, Error> {
        let (object, expires_at) = match door {
            Door::Public => (self.public_object(bucket, key).await?, None),
            Door::Plain(caller) => (self.plain_object(caller, bucket, key).await?, None),
            Door::Signed(token) => {
                let ends = self.0.signer.verify_download(token, bucket, key)?;
                (self.any_object(bucket, key).await?, Some(ends))
            }
        };
        Ok(Readable { object, expires_at })
    }

    /// The object whose image a signed URL is for, and how it is rendered.
    pub async fn signed_rendition(
        &self,
        token: &str,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<(Readable, String), Error> {
        let (transformations, ends) = self.0.signer.verify_rendition(token, bucket, key)?;
        let readable = Readable {
            object: self.any_object(bucket, key).await?,
            expires_at: Some(ends),
        };
        Ok((readable, transformations))
    }

    /// The object, where row-level security shows it to `caller`.
    pub async fn visible(
        &self,
        caller: &Caller,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Object, Error> {
        let mut transaction = self.begin(caller).await?;
        let found = store::objects::find(&mut transaction, bucket, key).await?;
        transaction.commit().await?;
        found.ok_or(Error::NoSuchKey)
    }

    /// What a signed upload URL grants.
    pub fn signed_upload(
        &self,
        token: &str,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<UploadGrant, Error> {
        Ok(self.0.signer.verify_upload(token, bucket, key)?)
    }

    /// The limits of a bucket that something is about to be put into. Whether the caller may put it
    /// there is for [`Authoriser::begin`]'s transaction to say.
    pub async fn limits_of(&self, bucket: &BucketId) -> Result<Bucket, Error> {
        let mut connection = self.0.owner.acquire().await?;
        let found = store::buckets::find(&mut connection, bucket.as_str()).await?;
        found.ok_or(Error::NoSuchBucket)
    }

    /// The limits of a bucket that something is about to be put into, and what has its name there.
    pub async fn destination(
        &self,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Destination, Error> {
        let mut connection = self.0.owner.acquire().await?;
        let found = store::buckets::destination(&mut connection, bucket, key).await?;
        found.ok_or(Error::NoSuchBucket)
    }

    async fn public_object(
        &self,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Arc<Object>, Error> {
        self.public(bucket, key).await?.ok_or(Error::NoSuchBucket)
    }

    async fn plain_object(
        &self,
        caller: Option<&Caller>,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Arc<Object>, Error> {
        if let Some(object) = self.public(bucket, key).await? {
            return Ok(object);
        }
        let caller = caller.ok_or(Error::NoSuchBucket)?;
        Ok(Arc::new(self.visible(caller, bucket, key).await?))
    }

    /// The object, where anybody may read it, by its bucket or by itself; `None` where the bucket
    /// is not public.
    async fn public(
        &self,
        bucket: &BucketId,
        key: &ObjectKey,
    ) -> Result<Option<Arc<Object>>, Error> {
        let found = self.0.lookups.find(bucket, key).await?;
        let bucket_is_public = found.bucket_is_public.ok_or(Error::NoSuchBucket)?;
        if bucket_is_public {
            return found.object.map(Some).ok_or(Error::NoSuchKey);
        }
        Ok(found.object.filter(|object| object.is_public))
    }

    async fn any_object(&self, bucket: &BucketId, key: &ObjectKey) -> Result<Arc<Object>, Error> {
        let found = self.0.lookups.find(bucket, key).await?;
        found.object.ok_or(Error::NoSuchKey)
    }
}
