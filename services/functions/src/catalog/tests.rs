//! The catalogue over a runtime of the tests' own: what a version's code says decides its fate.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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
    overloaded: AtomicBool,
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
            overloaded: AtomicBool::new(false),
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

    fn load(&self) -> usize {
        usize::from(self.overloaded.load(Ordering::SeqCst))
    }

    fn is_overloaded(&self) -> bool {
        self.overloaded.load(Ordering::SeqCst)
    }

    fn most_beside(&self) -> usize {
        2
    }

    fn retire_if_idle(&self) {
        self.retire();
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
        self.settled().await;
    }

    /// What was begun in the background ends before the test goes on.
    async fn settled(&self) {
        self.catalog.tasks.close();
        self.catalog.tasks.wait().await;
        self.catalog.tasks.reopen();
    }

    fn function(&self, name: &str) -> Arc<Function> {
        let name = FunctionName::parse(name).expect("a name");
        self.catalog.find(&name).expect("a function")
    }

    /// What a look at how busy everybody is leads to.
    async fn reinforced(&self) {
        self.catalog.reinforce();
        self.settled().await;
    }

    async fn worker(&self, name: &str) -> (Arc<dyn Worker>, bool) {
        let worker = self.catalog.worker(&self.function(name)).await;
        worker.expect("a worker")
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
    let workers = stage.runtime.workers.lock().expect("workers");
    let of_a = workers.iter().find(|worker| worker.code == "one");
    assert!(!of_a.expect("it was asked").is_serving());
}

#[tokio::test]
async fn a_function_with_too_much_to_do_has_two_processes_and_a_new_version_replaces_both() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    assert_eq!(stage.ask("a").await, Ok("one".to_owned()));
    let workers = || stage.runtime.workers.lock().expect("workers").clone();
    stage.reinforced().await;
    assert_eq!(workers().len(), 1, "one is enough");
    workers()[0].overloaded.store(true, Ordering::SeqCst);
    stage.runtime.full.store(true, Ordering::SeqCst);
    stage.reinforced().await;
    assert_eq!(workers().len(), 1, "nobody has to make way for it");
    stage.runtime.full.store(false, Ordering::SeqCst);
    stage.reinforced().await;
    assert_eq!(workers().len(), 2);
    let (next, _) = stage.worker("a").await;
    assert_eq!(next.load(), 0, "the one with less to do is asked");
    workers()[1].overloaded.store(true, Ordering::SeqCst);
    stage.reinforced().await;
    assert_eq!(workers().len(), 2, "there may be two");
    stage.write("a.ts", "two").await;
    assert_eq!(stage.ask("a").await, Ok("two".to_owned()));
    let serving: Vec<bool> = workers().iter().map(|each| each.is_serving()).collect();
    assert_eq!(serving, [false, false, true]);
}

#[tokio::test]
async fn a_function_goes_on_with_the_process_that_is_left() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    let (first, _) = stage.worker("a").await;
    let workers = || stage.runtime.workers.lock().expect("workers").clone();
    workers()[0].overloaded.store(true, Ordering::SeqCst);
    stage.reinforced().await;
    first.retire();
    let (left, cold) = stage.worker("a").await;
    assert!(left.is_serving() && !cold);
    assert_eq!(stage.runtime.starts.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_function_that_is_saved_while_the_platform_runs_is_started_at_once() {
    let stage = Stage::new();
    stage.write("a.ts", "one").await;
    let starts = || stage.runtime.starts.load(Ordering::SeqCst);
    assert_eq!(starts(), 0, "it was there before");
    stage.write("b.ts", "two").await;
    assert_eq!(starts(), 1);
    stage.write("b.ts", "three").await;
    assert_eq!(starts(), 2);
    assert_eq!(stage.ask("b").await, Ok("three".to_owned()));
    assert_eq!(starts(), 2);
    stage.write("a.ts", "four").await;
    assert_eq!(
        starts(),
        3,
        "a new version of one that nobody asked is a deploy too"
    );
    stage.runtime.full.store(true, Ordering::SeqCst);
    stage.write("c.ts", "five").await;
    assert_eq!(starts(), 3, "nobody has to make way for it");
    stage.runtime.full.store(false, Ordering::SeqCst);
    let folder = stage.folder.path().join("functions");
    for number in 0..20 {
        fs::write(folder.join(format!("many-{number}.ts")), "six").expect("written");
    }
    stage.write("d.ts", "seven").await;
    assert_eq!(
        starts(),
        3,
        "a whole folder that is copied waits for its requests"
    );
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
