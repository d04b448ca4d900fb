//! A storage service on a database and a directory of its own, with two users.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Environment as _;
use serde_json::{Value, json};
use storage::Config;
use storage::backend::ObjectStore;
use testkit::{TestDatabase, TestResponse, TestService};
use uuid::Uuid;

use crate::weed::Weed;

/// Ana's user id.
pub(crate) const ANA: Uuid = Uuid::from_u128(0xa);
/// Ben's user id.
pub(crate) const BEN: Uuid = Uuid::from_u128(0xb);

/// Policies as projects write them: everybody has a folder, named by their id, in every bucket.
pub(crate) const OWN_FOLDERS: &str = "
    create policy own_folder on storage.objects for all to authenticated
    using ((select auth.uid())::text = (storage.foldername(name))[1])
    with check ((select auth.uid())::text = (storage.foldername(name))[1])";

pub(crate) struct Stage {
    pub(crate) db: TestDatabase,
    pub(crate) service: TestService,
    pub(crate) ana: String,
    pub(crate) ben: String,
    pub(crate) anon: String,
    pub(crate) admin: String,
    /// Where the bytes are, unless it is the file system.
    weed: Option<Weed>,
}

impl Stage {
    /// A service that is asked in process.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// As [`Stage::new`], with further settings.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let (db, weed) = Self::ground().await;
        let config = Self::config_on(&db, weed.as_ref(), settings);
        let service = Box::pin(TestService::start(config)).await;
        Self::on(db, weed, service)
    }

    /// A service that is asked over a socket.
    pub(crate) async fn listening() -> Self {
        let (db, weed) = Self::ground().await;
        let config = Self::config_on(&db, weed.as_ref(), &[]);
        let service = Box::pin(TestService::listen(config)).await;
        Self::on(db, weed, service)
    }

    async fn ground() -> (TestDatabase, Option<Weed>) {
        let db = TestDatabase::new(&[storage::MIGRATIONS]).await;
        (db, Weed::under_test().await)
    }

    /// The configuration of a service on this database, on files.
    pub(crate) fn config(db: &TestDatabase, settings: &[(&str, &str)]) -> Config {
        Self::config_on(db, None, settings)
    }

    fn config_on(db: &TestDatabase, weed: Option<&Weed>, settings: &[(&str, &str)]) -> Config {
        let mut environment = db.settings();
        for (name, value) in weed.map(Weed::settings).into_iter().flatten() {
            environment.set(name, value);
        }
        for (name, value) in settings {
            environment.set(name, *value);
        }
        testkit::config(&environment)
    }

    fn on(db: TestDatabase, weed: Option<Weed>, service: TestService) -> Self {
        Self {
            ana: db.user_token(ANA, "ana@example.com"),
            ben: db.user_token(BEN, "ben@example.com"),
            anon: db.anon_token().to_owned(),
            admin: db.service_token().to_owned(),
            db,
            service,
            weed,
        }
    }

    /// Where the service keeps its files.
    pub(crate) fn root(&self) -> PathBuf {
        let data = self.db.settings().var("DATA_DIR").expect("a directory");
        PathBuf::from(data).join("storage")
    }

    /// Makes a bucket through Supabase's API as the service role.
    pub(crate) async fn bucket(&self, name: &str, settings: Value) {
        let mut body = json!({ "id": name, "name": name, "public": false });
        for (key, value) in settings.as_object().expect("settings") {
            body[key] = value.clone();
        }
        let request = self.service.post("/bucket").bearer(&self.admin).json(&body);
        request.await.must_be(200);
    }

    /// Uploads bytes as the bearer of `token`.
    pub(crate) async fn upload(&self, token: &str, path: &str, bytes: &[u8]) -> TestResponse {
        self.service
            .post(&format!("/object/{path}"))
            .bearer(token)
            .header("content-type", "text/plain")
            .body(bytes.to_vec())
            .await
    }

    /// Downloads as the bearer of `token`.
    pub(crate) async fn download(&self, token: &str, path: &str) -> TestResponse {
        let path = format!("/object/{path}");
        self.service.get(&path).bearer(token).await
    }

    /// The file of a version.
    pub(crate) fn file_of(&self, version: &str) -> PathBuf {
        let shard: String = version.chars().take(2).collect();
        self.root().join("objects").join(shard).join(version)
    }

    /// Where the service keeps its bytes.
    pub(crate) async fn store(&self) -> Arc<dyn ObjectStore> {
        let config = Self::config_on(&self.db, self.weed.as_ref(), &[]);
        let installation = pg::sqlx::query_scalar("select id from storage.installation")
            .fetch_one(&self.db.admin_pool())
            .await
            .expect("an installation");
        let place = config.place(config.backend()).expect("a place");
        place.open(installation).await.expect("the store")
    }

    /// Whether the bytes are in files, which a test may look at and damage.
    pub(crate) fn is_on_files(&self) -> bool {
        self.weed.is_none()
    }

    /// How many versions are kept, and how many are drafts.
    pub(crate) async fn files(&self) -> (usize, usize) {
        if let Some(weed) = &self.weed {
            return (weed.objects().await, 0);
        }
        let root = self.root();
        let shards = entries(&root.join("objects"));
        let complete = shards.iter().map(|shard| entries(shard).len()).sum();
        (complete, entries(&root.join("drafts")).len())
    }

    /// Waits until there are so many complete files and no drafts.
    pub(crate) async fn until_files(&self, complete: usize) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let files = self.files().await;
            if files == (complete, 0) {
                return;
            }
            assert!(Instant::now() < deadline, "still {files:?} files");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

/// For answers of which only the status is looked at.
pub(crate) trait MustBe {
    /// Ends the test, showing the answer, unless it has `status`.
    fn must_be(self, status: u16);
}

impl MustBe for TestResponse {
    #[track_caller]
    fn must_be(self, status: u16) {
        let _ = self.expect_status(status);
    }
}

/// A field of a form: its name, its file name where it is a file, its bytes.
pub(crate) type Field<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// A form and its content type.
pub(crate) fn form(fields: &[Field<'_>]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file_name, bytes) in fields {
        let file =
            file_name.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: image/png"));
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"{}\r\n\r\n",
            file.unwrap_or_default()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

/// Checks a refusal in Supabase's dialect.
#[track_caller]
pub(crate) fn assert_refused(response: &TestResponse, status_code: &str, code: &str) {
    let body = response.json();
    assert_eq!(response.status, 400, "{body}");
    assert_eq!(
        (&body["statusCode"], &body["code"]),
        (&json!(status_code), &json!(code)),
        "{body}"
    );
}
