//! Absolute URLs of files, for clients that are told where to go.

use std::sync::Arc;

use axum::extract::FromRef;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::domain::key::{BucketId, ObjectKey};
use crate::domain::object::Object;
use crate::domain::signature::{Grant, UploadGrant, UrlSigner};
use crate::error::Error;

/// How long a file's URL is good, in seconds.
const DOWNLOAD_LIFETIME_S: u32 = 3600;

/// What may stand in a URL's path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Makes the URLs of files.
#[derive(Clone)]
pub(super) struct FileUrls {
    base: Arc<str>,
    signer: UrlSigner,
    upload_lifetime_s: u32,
}

impl FromRef<App> for FileUrls {
    fn from_ref(app: &App) -> Self {
        Self {
            base: Arc::clone(&app.public_url),
            signer: app.signer.clone(),
            upload_lifetime_s: app.limits.upload_url_lifetime_s,
        }
    }
}

impl FileUrls {
    /// The URL that anybody may read a public file at.
    pub(super) fn public(&self, object: &Object) -> String {
        self.at("public", &object.bucket_id, &object.name)
    }

    /// A URL that reads a file until it expires; it ends with a query.
    pub(super) fn signed(&self, object: &Object) -> Result<String, Error> {
        let bucket = BucketId::parse(&object.bucket_id)?;
        let key = ObjectKey::parse(&object.name)?;
        let token = self
            .signer
            .sign(&bucket, &key, Grant::Download, DOWNLOAD_LIFETIME_S);
        let url = self.at("sign", bucket.as_str(), key.as_str());
        Ok(format!("{url}?token={token}"))
    }

    /// A URL that writes what `grant` says until it expires.
    pub(super) fn upload(&self, bucket: &BucketId, key: &ObjectKey, grant: UploadGrant) -> String {
        let grant = Grant::Upload(grant);
        let token = self.signer.sign(bucket, key, grant, self.upload_lifetime_s);
        let url = self.at("upload/sign", bucket.as_str(), key.as_str());
        format!("{url}?token={token}")
    }

    fn at(&self, route: &str, bucket: &str, name: &str) -> String {
        let (base, bucket) = (&self.base, utf8_percent_encode(bucket, PATH));
        let name = utf8_percent_encode(name, PATH);
        format!("{base}/storage/v1/object/{route}/{bucket}/{name}")
    }
}
