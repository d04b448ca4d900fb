//! Every route with every kind of key on every kind of bucket: what must be open is open, and
//! nothing else is.

mod uploads;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt as _, stream};
use http::Method;
use serde_json::{Value, json};
use testkit::TestResponse;
use uuid::Uuid;

use self::uploads::Uploads;
use crate::sigv4::Signer;
use crate::stage::{ANA, MustBe as _, OWN_FOLDERS, Stage};

const SECRET: &str = "the-secret-of-ana";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bucket {
    /// Made through Supabase's API, private; a policy gives everybody their own folder.
    Folders,
    /// Made through Supabase's API, `public`; the same policy does not name it.
    PublicUrl,
    /// Made by Ana through `/api/v1`, private.
    Owned,
    /// Made by Ana through `/api/v1`, `is_public`.
    Open,
}

const BUCKETS: [(Bucket, &str); 4] = [
    (Bucket::Folders, "folders"),
    (Bucket::PublicUrl, "publicurl"),
    (Bucket::Owned, "owned"),
    (Bucket::Open, "open"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Nothing,
    Garbage,
    /// Ana's token, an hour after its end.
    Expired,
    /// Ana's token with a signature of another key.
    Forged,
    Anon,
    Ben,
    Ana,
    Service,
    /// A URL Ana signed for reading the object: its token in the query.
    SignedDownload,
    /// A URL Ana signed for writing the object: its token in the query.
    SignedUpload,
    /// A URL Ana signed for the image that is rendered of the object: its token in the query.
    SignedRender,
    /// The token of a signed download as a bearer token.
    SignedAsBearer,
}

const KEYS: [Key; 12] = [
    Key::Nothing,
    Key::Garbage,
    Key::Expired,
    Key::Forged,
    Key::Anon,
    Key::Ben,
    Key::Ana,
    Key::Service,
    Key::SignedDownload,
    Key::SignedUpload,
    Key::SignedRender,
    Key::SignedAsBearer,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    /// Anybody, by the plain or public URL.
    ReadByUrl,
    /// As [`Right::ReadByUrl`], of public buckets only.
    ReadByPublicUrl,
    /// As [`Right::ReadByUrl`], with a token that is valid.
    ReadWithToken,
    /// By row-level security alone.
    SeeObject,
    /// By row-level security, and public by `is_public`.
    SeePublicObject,
    /// A new object in Ana's folder.
    AddObject,
    /// A new object in a folder of its own.
    AddFile,
    /// Changing or deleting Ana's object.
    ChangeObject,
    /// Seeing an unfinished upload of Ana's.
    SeeUpload,
    /// Going on with it, or giving it up.
    GoOn,
    SeeBucket,
    ChangeBucket,
    SignedDownload,
    SignedUpload,
    SignedRender,
    /// The service's key alone.
    Administer,
    /// Nobody: it was not begun that way.
    Nobody,
}

fn has_token(key: Key) -> bool {
    matches!(key, Key::Anon | Key::Ben | Key::Ana | Key::Service)
}

fn may(key: Key, right: Right, bucket: Bucket) -> bool {
    let ana_or_service = matches!(key, Key::Ana | Key::Service);
    let public = matches!(bucket, Bucket::PublicUrl | Bucket::Open);
    let by_policy = match bucket {
        Bucket::Folders | Bucket::Owned => ana_or_service,
        Bucket::PublicUrl => key == Key::Service,
        Bucket::Open => has_token(key),
    };
    match right {
        Right::ReadByUrl => public || by_policy,
        Right::ReadByPublicUrl => public,
        Right::ReadWithToken => has_token(key) && (public || by_policy),
        Right::SeeObject | Right::AddObject => by_policy,
        Right::SeePublicObject => has_token(key) && bucket == Bucket::Open,
        Right::AddFile => match bucket {
            Bucket::Folders => key == Key::Service,
            Bucket::PublicUrl | Bucket::Owned | Bucket::Open => by_policy,
        },
        Right::ChangeObject => match bucket {
            Bucket::PublicUrl => key == Key::Service,
            Bucket::Folders | Bucket::Owned | Bucket::Open => ana_or_service,
        },
        Right::SeeUpload => key == Key::Ana,
        Right::GoOn => key == Key::Ana && bucket != Bucket::PublicUrl,
        Right::SeeBucket => match bucket {
            Bucket::Folders | Bucket::PublicUrl => key == Key::Service,
            Bucket::Owned => ana_or_service,
            Bucket::Open => has_token(key),
        },
        Right::ChangeBucket => match bucket {
            Bucket::Folders | Bucket::PublicUrl => key == Key::Service,
            Bucket::Owned | Bucket::Open => ana_or_service,
        },
        Right::SignedDownload => key == Key::SignedDownload,
        Right::SignedUpload => key == Key::SignedUpload,
        Right::SignedRender => key == Key::SignedRender,
        Right::Administer => key == Key::Service,
        Right::Nobody => false,
    }
}

/// How one sees that a route gave what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// The status is a success.
    Status,
    /// The body holds the object's bytes.
    Secret,
    /// The body names the object.
    Name,
    /// The body holds a signed URL.
    Url,
    /// The body names Ana's unfinished upload.
    Parts,
    /// The body names the service's unfinished upload.
    ServiceParts,
    /// The bytes were read, to find that they are no image.
    Rendered,
    /// The object is no longer what it was, whatever the answer says.
    Done,
}

struct Route {
    method: Method,
    /// `{b}` is the bucket, `{k}` the object's name, `{n}` another name in its folder, `{i}` its id;
    /// `{tus}` and `{parts}` are unfinished uploads of Ana's to `{n}`, `{service}` and
    /// `{service-parts}` such of the service's, `{signed}` one to `{k}` by a signed URL.
    path: &'static str,
    body: Option<&'static str>,
    headers: &'static [(&'static str, &'static str)],
    tus: Option<&'static str>,
    right: Right,
    given: Given,
}

const fn route(method: Method, path: &'static str, right: Right, given: Given) -> Route {
    Route {
        method,
        path,
        body: None,
        headers: &[],
        tus: None,
        right,
        given,
    }
}

impl Route {
    const fn body(mut self, body: &'static str) -> Self {
        self.body = Some(body);
        self
    }

    /// As TUS creates an upload of `key` with all its bytes.
    const fn tus(mut self, key: &'static str) -> Self {
        self.tus = Some(key);
        self
    }

    fn is_of_an_upload(&self) -> bool {
        ["{tus}", "{parts}", "{service", "{signed}", "uploads="]
            .iter()
            .any(|name| self.path.contains(name))
    }

    const fn upsert(mut self) -> Self {
        self.headers = &[("x-upsert", "true")];
        self
    }
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    use Given::{Done, Name, Rendered, Secret, Status, Url};
    const TRANSFER: &str = r#"{"bucketId":"{b}","sourceKey":"{k}","destinationKey":"{n}"}"#;
    vec![
        route(Method::GET, "/object/{b}/{k}", Right::ReadByUrl, Secret),
        route(Method::HEAD, "/object/{b}/{k}", Right::ReadByUrl, Status),
        route(Method::GET, "/object/authenticated/{b}/{k}", Right::ReadWithToken, Secret),
        route(Method::HEAD, "/object/authenticated/{b}/{k}", Right::ReadWithToken, Status),
        route(Method::GET, "/object/public/{b}/{k}", Right::ReadByPublicUrl, Secret),
        route(Method::HEAD, "/object/public/{b}/{k}", Right::ReadByPublicUrl, Status),
        route(Method::GET, "/object/sign/{b}/{k}", Right::SignedDownload, Secret),
        route(Method::HEAD, "/object/sign/{b}/{k}", Right::SignedDownload, Status),
        route(Method::GET, "/object/info/{b}/{k}", Right::ReadByUrl, Name),
        route(Method::GET, "/object/info/authenticated/{b}/{k}", Right::ReadWithToken, Name),
        route(Method::GET, "/object/info/public/{b}/{k}", Right::ReadByPublicUrl, Name),
        route(Method::POST, "/object/list/{b}", Right::SeeObject, Name)
            .body(r#"{"prefix":"000000000000"}"#),
        route(Method::POST, "/object/list-v2/{b}", Right::SeeObject, Name)
            .body(r#"{"prefix":"000000000000"}"#),
        route(Method::GET, "/render/image/public/{b}/{k}", Right::ReadByPublicUrl, Rendered),
        route(Method::GET, "/render/image/authenticated/{b}/{k}", Right::ReadWithToken, Rendered),
        route(Method::GET, "/render/image/sign/{b}/{k}", Right::SignedRender, Rendered),
        route(Method::DELETE, "/cdn/{b}/{k}", Right::Administer, Status),
        route(Method::POST, "/upload/resumable", Right::AddObject, Status).body("new").tus("{n}"),
        route(Method::POST, "/upload/resumable", Right::ChangeObject, Status)
            .body("x").upsert().tus("{k}"),
        route(Method::POST, "/upload/resumable/sign", Right::SignedUpload, Status)
            .body("x").tus("{k}"),
        route(Method::GET, "/s3/{b}/{k}", Right::SeeObject, Secret),
        route(Method::HEAD, "/s3/{b}/{k}", Right::SeeObject, Status),
        route(Method::GET, "/s3/{b}?list-type=2&prefix=000000000000", Right::SeeObject, Name),
        route(Method::GET, "/s3/{b}?prefix=000000000000", Right::SeeObject, Name),
        route(Method::PUT, "/s3/{b}/{n}", Right::AddObject, Status).body("new"),
        route(Method::PUT, "/s3/{b}/{k}", Right::ChangeObject, Status).body("x"),
        route(Method::POST, "/s3/{b}/{n}?uploads=", Right::AddObject, Status),
        route(Method::POST, "/s3/{b}/{k}?uploads=", Right::ChangeObject, Status),
        route(Method::DELETE, "/s3/{b}/{k}", Right::ChangeObject, Done),
        route(Method::POST, "/s3/{b}?delete=", Right::ChangeObject, Done)
            .body("<Delete><Object><Key>{k}</Key></Object></Delete>"),
        route(Method::HEAD, "/s3/{b}", Right::SeeBucket, Status),
        route(Method::POST, "/object/sign/{b}/{k}", Right::SeeObject, Url)
            .body(r#"{"expiresIn":60}"#),
        route(Method::POST, "/object/sign/{b}", Right::SeeObject, Url)
            .body(r#"{"expiresIn":60,"paths":["{k}"]}"#),
        route(Method::POST, "/object/{b}/{n}", Right::AddObject, Status).body("new"),
        route(Method::POST, "/object/{b}/{k}", Right::ChangeObject, Status).body("x").upsert(),
        route(Method::PUT, "/object/{b}/{k}", Right::ChangeObject, Status).body("x"),
        route(Method::POST, "/object/upload/sign/{b}/{n}", Right::AddObject, Url).body("{}"),
        route(Method::POST, "/object/upload/sign/{b}/{k}", Right::ChangeObject, Url)
            .body("{}").upsert(),
        route(Method::PUT, "/object/upload/sign/{b}/{k}", Right::SignedUpload, Status).body("x"),
        route(Method::POST, "/object/move", Right::ChangeObject, Status).body(TRANSFER),
        route(Method::POST, "/object/copy", Right::AddObject, Status).body(TRANSFER),
        route(Method::DELETE, "/object/{b}/{k}", Right::ChangeObject, Status),
        route(Method::DELETE, "/object/{b}", Right::ChangeObject, Name)
            .body(r#"{"prefixes":["{k}"]}"#),
        route(Method::GET, "/bucket/{b}", Right::SeeBucket, Status),
        route(Method::PUT, "/bucket/{b}", Right::ChangeBucket, Status).body("{}"),
        route(Method::GET, "/api/v1/buckets/{b}", Right::SeeBucket, Status),
        route(Method::PUT, "/api/v1/buckets/{b}", Right::ChangeBucket, Status).body("{}"),
        route(Method::GET, "/api/v1/buckets/{b}/files?limit=1000", Right::SeeObject, Name),
        route(Method::POST, "/api/v1/files/initiate-upload", Right::AddFile, Url)
            .body(r#"{"bucket_id":"{b}","filename":"f","size":1}"#),
        route(Method::GET, "/api/v1/files/{i}/download-info", Right::SeeObject, Url),
        route(Method::GET, "/api/v1/files/{i}/view-info", Right::SeeObject, Url),
        route(Method::GET, "/api/v1/files/public/{i}/download-info", Right::SeePublicObject, Name),
        route(Method::GET, "/api/v1/files/public/{i}/view-info", Right::SeePublicObject, Name),
        route(Method::PUT, "/api/v1/files/{i}", Right::ChangeObject, Status)
            .body(r#"{"is_public":false}"#),
        route(Method::DELETE, "/api/v1/files/{i}", Right::ChangeObject, Status),
        route(Method::POST, "/bucket/{b}/empty", Right::ChangeBucket, Status),
    ]
}

/// An object of Ana's that nobody touched yet, and what to ask about it.
struct Target {
    bucket: &'static str,
    key: String,
    fresh_key: String,
    id: String,
    signed_download: String,
    signed_upload: String,
    signed_render: String,
    uploads: Uploads,
}

async fn target(stage: &Stage, bucket: &'static str, route: &Route) -> Target {
    let name = Uuid::new_v4().simple();
    let key = format!("{ANA}/{name}");
    let id = Uuid::new_v4();
    // As Ana, whatever policies say: the object is hers in every bucket.
    let uploaded = stage
        .upload(&stage.admin, &format!("{bucket}/{key}"), SECRET.as_bytes())
        .await;
    let uploaded = uploaded.expect_status(200).json();
    let adopt = "update storage.objects set owner_id = $1::text, owner = $1, id = $2 where id = $3";
    pg::sqlx::query(adopt)
        .bind(ANA)
        .bind(id)
        .bind(
            uploaded["Id"]
                .as_str()
                .expect("an id")
                .parse::<Uuid>()
                .expect("a UUID"),
        )
        .execute(&stage.db.admin_pool())
        .await
        .expect("an object of Ana's");
    let download = stage
        .service
        .post(&format!("/object/sign/{bucket}/{key}"))
        .bearer(&stage.admin);
    let download = download.json(&json!({ "expiresIn": 600 })).await.json();
    let upload = stage
        .service
        .post(&format!("/object/upload/sign/{bucket}/{key}"));
    let upload = upload
        .bearer(&stage.admin)
        .header("x-upsert", "true")
        .await
        .json();
    let url = download["signedURL"].as_str().expect("a URL");
    let sign = stage
        .service
        .post(&format!("/object/sign/{bucket}/{key}"))
        .bearer(&stage.admin);
    let body = json!({ "expiresIn": 60, "transform": { "width": 9 } });
    let render = sign.json(&body).await.json();
    let render = render["signedURL"].as_str().expect("a URL");
    let signed_upload = upload["token"].as_str().expect("a token");
    Target {
        uploads: if route.is_of_an_upload() {
            uploads::begin(stage, bucket, &key, signed_upload).await
        } else {
            Uploads::default()
        },
        bucket,
        fresh_key: format!("{key}-new"),
        key,
        id: id.to_string(),
        signed_download: url.split_once("?token=").expect("a token").1.to_owned(),
        signed_upload: signed_upload.to_owned(),
        signed_render: render.split_once("?token=").expect("a token").1.to_owned(),
    }
}

impl Target {
    fn fill(&self, text: &str) -> String {
        text.replace("{b}", self.bucket)
            .replace("{k}", &self.key)
            .replace("{n}", &self.fresh_key)
            .replace("{i}", &self.id)
            .replace("{tus}", &self.uploads.tus)
            .replace("{parts}", &self.uploads.parts)
            .replace("{service}", &self.uploads.service)
            .replace("{service-parts}", &self.uploads.service_parts)
            .replace("{signed}", &self.uploads.signed)
            .replace("000000000000", &ANA.to_string())
    }
}

struct Tokens {
    expired: String,
    forged: String,
}

impl Tokens {
    fn new(stage: &Stage) -> Self {
        let claims = json!({
            "role": "authenticated", "sub": ANA, "aud": "authenticated",
            "iat": 1_700_000_000, "exp": 1_700_003_600,
        });
        let (message, _) = stage.ana.rsplit_once('.').expect("three parts");
        let (_, signature) = stage.ben.rsplit_once('.').expect("three parts");
        Self {
            expired: stage.db.token(&claims),
            forged: format!("{message}.{signature}"),
        }
    }
}

async fn ask(
    stage: &Stage,
    tokens: &Tokens,
    route: &Route,
    target: &Target,
    key: Key,
) -> TestResponse {
    let mut path = target.fill(route.path);
    if path.starts_with("/s3/") {
        return ask_s3(stage, tokens, route, target, key).await;
    }
    let signed_render = (key == Key::SignedRender).then_some(&target.signed_render);
    let signed_download = (key == Key::SignedDownload).then_some(&target.signed_download);
    let signed_upload = (key == Key::SignedUpload).then_some(&target.signed_upload);
    let signed = signed_download.or(signed_upload).or(signed_render);
    if let Some(token) = signed {
        let separator = if path.contains('?') { '&' } else { '?' };
        path = format!("{path}{separator}token={token}");
    }
    let mut request = stage.service.request(route.method.clone(), &path);
    if let Some(token) = bearer(stage, tokens, target, key) {
        request = request.bearer(token);
    }
    if let Some(name) = route.tus {
        let encoded = |text: &str| STANDARD.encode(text);
        let (bucket, name) = (encoded(target.bucket), encoded(&target.fill(name)));
        let length = route.body.map_or(0, str::len);
        request = request
            .header("tus-resumable", "1.0.0")
            .header("content-type", "application/offset+octet-stream")
            .header("upload-length", &length.to_string())
            .header("upload-offset", "0")
            .header(
                "upload-metadata",
                &format!("bucketName {bucket},objectName {name}"),
            )
            .header("x-signature", signed.map_or("", String::as_str));
    }
    for (name, value) in route.headers {
        request = request.header(name, value);
    }
    if let Some(body) = route.body {
        request = request.body(target.fill(body));
    }
    request.await
}

fn bearer<'a>(
    stage: &'a Stage,
    tokens: &'a Tokens,
    target: &'a Target,
    key: Key,
) -> Option<&'a str> {
    match key {
        Key::Nothing | Key::SignedDownload | Key::SignedUpload | Key::SignedRender => None,
        Key::Garbage => Some("garbage"),
        Key::Expired => Some(tokens.expired.as_str()),
        Key::Forged => Some(tokens.forged.as_str()),
        Key::Anon => Some(stage.anon.as_str()),
        Key::Ben => Some(stage.ben.as_str()),
        Key::Ana => Some(stage.ana.as_str()),
        Key::Service => Some(stage.admin.as_str()),
        Key::SignedAsBearer => Some(target.signed_download.as_str()),
    }
}

/// By the S3 protocol, with the key as a session token.
async fn ask_s3(
    stage: &Stage,
    tokens: &Tokens,
    route: &Route,
    target: &Target,
    key: Key,
) -> TestResponse {
    let whole = target.fill(route.path);
    let Some(token) = bearer(stage, tokens, target, key) else {
        return stage.service.request(route.method.clone(), &whole).await;
    };
    let path = whole.trim_start_matches("/s3");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').expect("a value"))
        .collect();
    let body = target.fill(route.body.unwrap_or_default());
    let signer = Signer::session(stage, token);
    signer
        .request(stage, route.method.clone(), path, &query, body.as_bytes())
        .await
}

fn gave(route: &Route, target: &Target, answer: &TestResponse) -> bool {
    let text = answer.text();
    let name = target.key.rsplit('/').next().expect("a name");
    match route.given {
        Given::Status => answer.status.is_success(),
        Given::Secret => text.contains(SECRET),
        Given::Name => answer.status.is_success() && text.contains(name),
        Given::Url => text.contains("token="),
        Given::Parts => text.contains(&target.uploads.parts),
        Given::ServiceParts => text.contains(&target.uploads.service_parts),
        Given::Rendered => text.contains("ImageProcessingError"),
        Given::Done => false,
    }
}

/// Whether Ana's object still is what it was, seen from behind.
async fn is_untouched(stage: &Stage, target: &Target) -> bool {
    let path = format!("{}/{}", target.bucket, target.key);
    let whole = stage.download(&stage.admin, &path).await.text() == SECRET;
    let fresh: i64 = pg::sqlx::query_scalar("select count(*) from storage.objects where name = $1")
        .bind(&target.fresh_key)
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a count");
    whole && fresh == 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_with_every_key_gives_what_it_must_and_leaks_nothing() {
    let (asked, opened) = check(routes()).await;
    assert!(
        opened > 400 && asked - opened > 1800,
        "{opened} of {asked} open: it tests both"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_in_parts_are_gone_on_with_by_those_who_began_them() {
    let (asked, opened) = check(uploads::routes()).await;
    assert!(
        opened > 60 && asked - opened > 800,
        "{opened} of {asked} open: it tests both"
    );
}

/// Asks every one of `routes`; answers how many questions that were, and to how many it was to open.
async fn check(routes: Vec<Route>) -> (usize, usize) {
    let stage = Stage::new().await;
    // The policy names the private bucket alone.
    let folders = OWN_FOLDERS.replace("((select", "(bucket_id = 'folders' and (select");
    stage.db.execute(&folders).await;
    stage.bucket("folders", json!({})).await;
    stage.bucket("publicurl", json!({ "public": true })).await;
    for (name, is_public) in [("owned", false), ("open", true)] {
        let body = json!({ "name": name, "is_public": is_public });
        let request = stage.service.post("/api/v1/buckets").bearer(&stage.ana);
        request.json(&body).await.must_be(201);
    }
    let tokens = Tokens::new(&stage);
    let (emptying, others): (Vec<_>, Vec<_>) = routes
        .into_iter()
        .partition(|route| route.path.ends_with("/empty"));
    let findings = stream::iter(&others)
        .map(|route| findings(&stage, &tokens, route))
        .buffer_unordered(6)
        .collect::<Vec<_>>();
    let mut findings = findings.await.concat();
    // It takes everything with it where it is allowed: last, and alone.
    for route in &emptying {
        findings.extend(self::findings(&stage, &tokens, route).await);
    }
    let wrong: Vec<_> = findings
        .iter()
        .filter_map(|one| one.wrong.as_ref())
        .collect();
    let (asked, opened) = (
        findings.len(),
        findings.iter().filter(|one| one.open).count(),
    );
    assert!(
        wrong.is_empty(),
        "{} of {asked} wrong: {wrong:#?}",
        wrong.len()
    );
    (asked, opened)
}

/// What came of one question.
#[derive(Debug, Clone)]
struct Finding {
    open: bool,
    wrong: Option<Value>,
}

/// One route with every key on every bucket.
async fn findings(stage: &Stage, tokens: &Tokens, route: &Route) -> Vec<Finding> {
    let only_reads = [Method::GET, Method::HEAD].contains(&route.method);
    let mut findings = Vec::new();
    for (bucket, name) in BUCKETS {
        let mut target = target(stage, name, route).await;
        for key in KEYS {
            let answer = ask(stage, tokens, route, &target, key).await;
            let open = may(key, route.right, bucket);
            let given = if route.given == Given::Done {
                !is_untouched(stage, &target).await
            } else {
                gave(route, &target, &answer)
            };
            let leaked = !open && answer.text().contains(SECRET);
            let harmed = !open && !only_reads && !is_untouched(stage, &target).await;
            let wrong = (given != open || leaked || harmed).then(|| {
                json!({
                    "ask": format!("{} {} as {key:?} in {bucket:?}", route.method, route.path),
                    "open": open, "leaked": leaked, "harmed": harmed,
                    "status": answer.status.as_u16(), "body": answer.text(),
                })
            });
            findings.push(Finding { open, wrong });
            if open && !only_reads {
                // What was allowed may have changed it.
                target = self::target(stage, name, route).await;
            }
        }
    }
    findings
}
