//! The catalogue over a runtime of the tests' own: what a version's code says decides its fate.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tempfile::TempDir;

use super::{Catalog, Function};
use crate::domain::{FunctionName, Version};
use crate::runtime::{CallError, Described, Invocation, Runtime, StartError, Worker};
use crate::source::{Snapshots, Source};

/// Starts versions whose code does not say `broken`.
#[derive(Debug, Default)]
struct FakeRuntime {
    starts: AtomicUsize,
    full: AtomicBool,
    workers: Mutex<Vec<Arc<FakeWorker>>>,
}

#[derive(Debug)]
struct FakeWorker {
    version: Arc<Version>,
    described: Described,
    code: String,
    serving: AtomicBool,
}

impl Runtime for FakeRuntime {
    fn start(&self, version: Arc<Version>) -> BoxFuture<'_, Result<Arc<dyn Worker>, StartError>> {
        self.starts.fetch_add(1, Ordering::SeqCst);
        let code = fs::read_to_string(version.code.0.join(&version.entry)).expect("code");
        let worker = Arc::new(FakeWorker {
            version: Arc::clone(&version),
            described: Described::default(),
            code: code.clone(),
            serving: AtomicBool::new(true),
        });
        let started: Result<Arc<dyn Worker>, _> = if code == "broken" {
            Err(StartError::Broken(code))
        } else {
            self.workers
                .lock()
                .expect("workers")
                .push(Arc::clone(&worker));
            Ok(worker)
        };
        async move { started }.boxed()
    }

    fn has_room(&self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }
}

impl Worker for FakeWorker {
    fn call(
        &self,
        _: Request<Body>,
        _: &Arc<Invocation>,
    ) -> BoxFuture<'_, Result<Response<Body>, CallError>> {
        let response = Response::new(Body::from(self.code.clone()));
        async move { Ok(response) }.boxed()
    }

    fn version(&self) -> &Arc<Version> {
        &self.version
    }

    fn described(&self) -> &Described {
        &self.described
    }

    fn is_serving(&self) -> bool {
        self.serving.load(Ordering::SeqCst)
    }

    fn idle_for(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    fn retire(&self) {
        self.serving.store(false, Ordering::SeqCst);
    }
}

struct Stage {
    folder: TempDir,
    runtime: Arc<FakeRuntime>,
    catalog: Arc<Catalog>,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("functions")).expect("a folder");
        let snapshots = Snapshots::new(folder.path().join("versions")).expect("a folder");
        let runtime = Arc::new(FakeRuntime::default());
        let source = Source {
            directory: folder.path().join("functions"),
            env_file: folder.path().join("functions/.env"),
        };
        let catalog = Catalog::new(source, snapshots, Arc::clone(&runtime) as _, None, true);
        Self {
            folder,
            runtime,
            catalog: Arc::new(catalog),
        }
    }

    async fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join("functions").join(file);
        fs::write(path, text).expect("written");
        self.catalog.refresh().await;
        // What a refresh begins in the background ends before the test goes on.
        self.catalog.tasks.close();
        self.catalog.tasks.wait().await;
        self.catalog.tasks.reopen();
    }

    fn function(&self, name: &str) -> Arc<Function> {
        let name = FunctionName::parse(name).expect("a name");
        self.catalog.find(&name).expect("a function")
    }

    async fn ask(&self, name: &str) -> Result<String, String> {
        let worker = self.catalog.worker(&self.function(name)).await;
        let (worker, _) = worker.map_err(|error| error.to_string())?;
        let invocation = Arc::new(Invocation::new(uuid::Uuid::nil()));
        let request = Request::new(Body::empty());
        let Ok(response) = worker.call(request, &invocation).await else {
            return Err("not answered".to_owned());
        };
        let body = axum::body::to_bytes(response.into_body(), 100)
            .await
            .expect("a body");
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

#[tokio::test]
async fn a_function_starts_with_its_first_request_and_only_once() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    assert_eq!(stage.runtime.starts.load(Ordering::SeqCst), 0);
    let (first, second) = tokio::join!(stage.ask("a"), stage.ask("a"));
    assert_eq!(
        (first, second),
        (Ok("one".to_owned()), Ok("one".to_owned()))
    );
    assert_eq!(stage.runtime.starts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_new_version_replaces_the_one_that_serves() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    assert_eq!(stage.ask("a").await, Ok("one".to_owned()));
    stage.write("a.ts", "two").await;
    assert_eq!(stage.ask("a").await, Ok("two".to_owned()));
    let first = Arc::clone(&stage.runtime.workers.lock().expect("workers")[0]);
    assert!(!first.is_serving(), "the old worker ends");
}

#[tokio::test]
async fn a_broken_version_leaves_the_one_before_it_serving() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    assert_eq!(stage.ask("a").await, Ok("one".to_owned()));
    stage.write("a.ts", "broken").await;
    assert_eq!(stage.ask("a").await, Ok("one".to_owned()));
    let status = stage.function("a").status();
    assert!(status.running && status.error.is_some());
    // Also when its process is gone: the old code was kept.
    stage.runtime.workers.lock().expect("workers")[0].retire();
    assert_eq!(stage.ask("a").await, Ok("one".to_owned()));
    stage.write("a.ts", "three").await;
    assert_eq!(stage.ask("a").await, Ok("three".to_owned()));
    assert!(stage.function("a").status().error.is_none());
}

#[tokio::test]
async fn a_function_that_never_started_says_why_and_is_not_tried_for_every_request() {
    let stage = Stage::new();
    stage.write("a.ts", "broken").await;
    for _ in 0..3 {
        let refused = stage.ask("a").await.expect_err("it is broken");
        assert!(refused.contains("broken"), "{refused}");
    }
    assert_eq!(stage.runtime.starts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_same_code_written_again_is_no_new_version_and_new_secrets_are() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    let before = stage.function("a").newest();
    stage.write("a.ts", "one").await;
    assert!(Arc::ptr_eq(&before, &stage.function("a").newest()));
    stage.write(".env", "KEY=value").await;
    let after = stage.function("a").newest();
    assert_eq!(before.id, after.id);
    assert_eq!(after.secrets.0["KEY"].expose(), "value");
}

#[tokio::test]
async fn settings_follow_the_config_file_and_a_bad_one_changes_nothing() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    assert!(stage.function("a").verifies_jwt());
    stage
        .write("config.toml", "[functions.a]\nverify_jwt = false")
        .await;
    assert!(!stage.function("a").verifies_jwt());
    stage.write("config.toml", "[functions.a").await;
    assert!(!stage.function("a").verifies_jwt());
}

#[tokio::test]
async fn a_removed_function_is_gone_and_its_worker_ends() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    stage.write("b.ts", "two").await;
    assert_eq!(stage.ask("a").await, Ok("one".to_owned()));
    fs::remove_file(stage.folder.path().join("functions/a.ts")).expect("removed");
    stage.catalog.refresh().await;
    assert_eq!(
        stage.catalog.list().len(),
        2,
        "it may be about to be written again"
    );
    stage.catalog.refresh().await;
    let names: Vec<_> = stage
        .catalog
        .list()
        .iter()
        .map(|each| each.name.to_string())
        .collect();
    assert_eq!(names, ["b"]);
    assert!(!stage.runtime.workers.lock().expect("workers")[0].is_serving());
}

#[tokio::test]
async fn without_room_an_idle_worker_makes_way() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    stage.write("b.ts", "two").await;
    assert_eq!(stage.ask("a").await, Ok("one".to_owned()));
    stage.runtime.full.store(true, Ordering::SeqCst);
    assert_eq!(stage.ask("b").await, Ok("two".to_owned()));
    assert!(!stage.runtime.workers.lock().expect("workers")[0].is_serving());
}

#[tokio::test]
async fn old_code_is_removed_with_the_last_use_of_it() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    let old = stage.function("a").newest().code.0.clone();
    assert!(old.exists());
    stage.write("a.ts", "two").await;
    assert!(!old.exists());
}
