//! Uploads in parts that are under way, and the routes that go on with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use testkit::TestResponse;

use super::Given::{Parts, ServiceParts, Status};
use super::{Right, Route, route};
use crate::sigv4::Signer;
use crate::stage::{ANA, MustBe as _, Stage};

#[rustfmt::skip]
pub(super) fn routes() -> Vec<Route> {
    const PARTS: &str = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>\
        </Part></CompleteMultipartUpload>";
    vec![
        route(Method::HEAD, "/upload/resumable/{tus}", Right::SeeUpload, Status).tus("{n}"),
        route(Method::PATCH, "/upload/resumable/{tus}", Right::GoOn, Status).body("new").tus("{n}"),
        route(Method::DELETE, "/upload/resumable/{tus}", Right::GoOn, Status).tus("{n}"),
        route(Method::HEAD, "/upload/resumable/{service}", Right::Administer, Status)
            .tus("{n}"),
        route(Method::PATCH, "/upload/resumable/{service}", Right::Administer, Status)
            .body("new").tus("{n}"),
        route(Method::DELETE, "/upload/resumable/{service}", Right::Administer, Status)
            .tus("{n}"),
        // The other way in does not open it.
        route(Method::HEAD, "/upload/resumable/{signed}", Right::Administer, Status)
            .tus("{k}"),
        route(Method::HEAD, "/upload/resumable/sign/{signed}", Right::SignedUpload, Status)
            .tus("{k}"),
        route(Method::HEAD, "/upload/resumable/sign/{tus}", Right::Nobody, Status).tus("{n}"),
        route(Method::PATCH, "/upload/resumable/sign/{signed}", Right::SignedUpload, Status)
            .body("new").tus("{k}"),
        route(Method::DELETE, "/upload/resumable/sign/{signed}", Right::SignedUpload, Status)
            .tus("{k}"),
        route(Method::GET, "/s3/{b}/{n}?uploadId={parts}", Right::SeeUpload, Status),
        route(Method::PUT, "/s3/{b}/{n}?partNumber=1&uploadId={parts}", Right::GoOn, Status)
            .body("new"),
        route(Method::POST, "/s3/{b}/{n}?uploadId={parts}", Right::GoOn, Status).body(PARTS),
        route(Method::DELETE, "/s3/{b}/{n}?uploadId={parts}", Right::GoOn, Status),
        route(Method::GET, "/s3/{b}?uploads=&prefix=000000000000", Right::SeeUpload, Parts),
        route(Method::GET, "/s3/{b}?uploads=&prefix=000000000000", Right::Administer,
            ServiceParts),
        route(Method::GET, "/s3/{b}/{n}?uploadId={service-parts}", Right::Administer, Status),
        route(Method::PUT, "/s3/{b}/{n}?partNumber=1&uploadId={service-parts}",
            Right::Administer, Status).body("new"),
        route(Method::POST, "/s3/{b}/{n}?uploadId={service-parts}", Right::Administer,
            Status).body(PARTS),
        route(Method::DELETE, "/s3/{b}/{n}?uploadId={service-parts}", Right::Administer,
            Status),
    ]
}

/// Uploads that were begun.
#[derive(Default)]
pub(super) struct Uploads {
    pub(super) tus: String,
    pub(super) parts: String,
    pub(super) service: String,
    pub(super) service_parts: String,
    pub(super) signed: String,
}

/// Begins uploads; as Ana's, whatever policies say.
pub(super) async fn begin(stage: &Stage, bucket: &str, key: &str, signed: &str) -> Uploads {
    let fresh = format!("{key}-new");
    let tus = |path: &str, key: &str| {
        let (bucket, key) = (STANDARD.encode(bucket), STANDARD.encode(key));
        let metadata = format!("bucketName {bucket},objectName {key}");
        let request = stage.service.post(path).bearer(&stage.admin);
        request
            .header("tus-resumable", "1.0.0")
            .header("upload-length", "3")
            .header("upload-metadata", &metadata)
            .header("x-signature", signed)
    };
    let id = |answer: TestResponse| {
        let location = answer.expect_status(201);
        let location = location.header("location").expect("a location");
        location.rsplit('/').next().expect("an id").to_owned()
    };
    let parts = || async {
        let path = format!("/{bucket}/{fresh}");
        let signer = Signer::service(stage);
        let begun = signer.request(stage, Method::POST, &path, &[("uploads", "")], b"");
        let text = begun.await.expect_status(200).text();
        let id = text.split_once("<UploadId>").expect("an id").1;
        let id = id.split('<').next().expect("an id").to_owned();
        let query = [("partNumber", "1"), ("uploadId", id.as_str())];
        let part = signer.request(stage, Method::PUT, &path, &query, b"old");
        part.await.must_be(200);
        id
    };
    let uploads = Uploads {
        tus: id(tus("/upload/resumable", &fresh).await),
        parts: parts().await,
        service: id(tus("/upload/resumable", &fresh).await),
        service_parts: parts().await,
        signed: id(tus("/upload/resumable/sign", key).await),
    };
    let adopt = "update storage.pending_uploads set owner_id = $1::text, role = 'authenticated'
        where id::text = any($2)";
    pg::sqlx::query(adopt)
        .bind(ANA)
        .bind([uploads.tus.as_str(), uploads.parts.as_str()])
        .execute(&stage.db.admin_pool())
        .await
        .expect("uploads of Ana's");
    uploads
}
