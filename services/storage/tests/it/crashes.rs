//! The process is killed, the disk is full, the power is cut: what was acknowledged is there, and
//! no row lacks its bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Environment as _, ProcessEnvironment};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use storage::fsck::{self, Unreferenced};

use crate::stage::{MustBe as _, Stage};

/// How often the process is killed unless `STORAGE_KILLS` says otherwise.
const KILLS: u64 = 10;
/// What is uploaded, in bytes: several batches.
const SIZE: usize = 300_000;

/// The service as a process of its own.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    async fn start(stage: &Stage, port: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selfdb-storage"));
        let environment = stage.db.settings();
        for (name, value) in environment.iter() {
            command.env(name, value);
        }
        let child = command
            .env("STORAGE_PORT", port.to_string())
            .env("LOG_LEVEL", "error")
            .stdout(Stdio::null())
            .spawn()
            .expect("the service starts");
        let url = format!("http://127.0.0.1:{port}");
        let mut process = Self { child, url };
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let answer = reqwest::get(format!("{}/status", process.url)).await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return process;
            }
            let ended = process.child.try_wait().expect("a process");
            assert!(ended.is_none(), "the service ended: {ended:?}");
            assert!(Instant::now() < deadline, "the service does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

/// Uploads until the service is gone; notes what was acknowledged.
async fn write_on(
    url: String,
    token: String,
    writer: u64,
    acknowledged: Arc<Mutex<BTreeMap<String, [u8; 32]>>>,
) {
    let client = reqwest::Client::new();
    for count in 0_u64.. {
        let mut bytes = vec![0; SIZE];
        let seed = Sha256::digest(format!("{url}/{writer}/{count}/{:?}", Instant::now()));
        bytes
            .iter_mut()
            .zip(seed.iter().cycle())
            .for_each(|(byte, seed)| *byte = *seed);
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        // Some replace what is there.
        let name = format!("{writer}-{}", count % 7);
        let request = client
            .put(format!("{url}/object/docs/{name}"))
            .bearer_auth(&token)
            .body(bytes);
        let Ok(answer) = request.send().await else {
            return;
        };
        if answer.status().is_success() {
            acknowledged.lock().expect("a lock").insert(name, hash);
        }
    }
}

/// The hash of each object's row.
async fn rows(stage: &Stage) -> BTreeMap<String, Vec<u8>> {
    let rows: Vec<(String, Vec<u8>)> =
        pg::sqlx::query_as("select name, sha256 from storage.objects")
            .fetch_all(&stage.db.admin_pool())
            .await
            .expect("rows");
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_no_row_lacks_its_bytes() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kills = ProcessEnvironment.var("STORAGE_KILLS");
    let kills = kills.map_or(KILLS, |text| text.parse().expect("a number"));
    let stage = Stage::new().await;
    stage.bucket("docs", json!({})).await;
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("an address").port()
    };
    let acknowledged = Arc::new(Mutex::new(BTreeMap::new()));
    let mut seen = 0_u64;
    for kill in 0..kills {
        let mut process = Process::start(&stage, port).await;
        let before = acknowledged.lock().expect("a lock").clone();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (url, token) = (process.url.clone(), stage.admin.clone());
                tokio::spawn(write_on(url, token, writer, Arc::clone(&acknowledged)))
            })
            .collect();
        // Once something was acknowledged, at a moment that differs from kill to kill.
        let deadline = Instant::now() + Duration::from_secs(30);
        while *acknowledged.lock().expect("a lock") == before && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis((kill * 37) % 150)).await;
        process.kill();
        for writer in writers {
            writer.await.expect("a writer");
        }
        let now = acknowledged.lock().expect("a lock").clone();
        seen += u64::from(now != before);
        let rows = rows(&stage).await;
        for name in now.keys() {
            assert!(
                rows.contains_key(name),
                "{name} was acknowledged and has no row"
            );
        }
        let config = Stage::config(&stage.db, &[]);
        let report = fsck::run(&config, Unreferenced::Count, |_, _| ()).await;
        assert_eq!(report.expect("a report").broken, [], "after kill {kill}");
    }
    assert_eq!(seen, kills, "something was acknowledged before each kill");
    // What no row refers to goes with the next sweep.
    let later = Duration::from_hours(2);
    let sweeper = crate::sweeping::sweeper(&stage, later).await;
    while sweeper.sweep_discarded().await.expect("a sweep") > 0 {}
    sweeper.sweep_orphans().await.expect("a sweep");
    assert_eq!(stage.files().await, (rows(&stage).await.len(), 0));
    // And the check can fail.
    let version: String = pg::sqlx::query_scalar("select version from storage.objects limit 1")
        .fetch_one(&stage.db.admin_pool())
        .await
        .expect("a version");
    std::fs::remove_file(stage.file_of(&version)).expect("the file");
    let config = Stage::config(&stage.db, &[]);
    let report = fsck::run(&config, Unreferenced::Count, |_, _| ()).await;
    assert_eq!(report.expect("a report").broken.len(), 1);
}

/// A file system of a test's own, gone with it.
struct Mount {
    path: PathBuf,
    _home: tempfile::TempDir,
}

impl Mount {
    /// Mounts `source` as the arguments say; `None`, with a word on it, where that is not allowed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn new(home: tempfile::TempDir, arguments: &[&str], source: &str) -> Option<Self> {
        let path = home.path().join("mount");
        std::fs::create_dir_all(&path).expect("a directory");
        let mounted = Command::new("mount")
            .args(arguments)
            .arg(source)
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { path, _home: home });
        }
        eprintln!("skipped: this machine lets nobody mount a file system");
        None
    }

    fn unmount(path: &Path) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let done = Command::new("umount")
                .arg(path)
                .stderr(Stdio::null())
                .status();
            if done.is_ok_and(|status| status.success()) {
                return;
            }
            assert!(Instant::now() < deadline, "{} stays busy", path.display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("-l")
            .arg(&self.path)
            .stderr(Stdio::null())
            .status();
    }
}

#[tokio::test]
async fn a_full_disk_answers_507_and_loses_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    let Some(mount) = Mount::new(home, &["-t", "tmpfs", "-o", "size=6m"], "tmpfs") else {
        return;
    };
    let root = mount.path.to_str().expect("a path");
    let stage = Stage::with(&[("FILE_STORAGE_BACKEND_PATH", root)]).await;
    stage.bucket("docs", json!({})).await;
    let body = |count: u8| vec![count; 1_000_000];
    let mut kept = 0;
    let refused = loop {
        let answer = stage
            .upload(&stage.admin, &format!("docs/{kept}"), &body(kept))
            .await;
        if answer.status != 200 {
            break answer;
        }
        kept += 1;
        assert!(kept < 10, "6 MB hold no 10 MB");
    };
    assert_eq!(refused.status, 507, "{}", refused.text());
    assert_eq!(refused.json()["code"], json!("InsufficientStorage"));
    // Whole ones and pieces alike; and by every protocol.
    let tus = stage.service.post("/upload/resumable").bearer(&stage.admin);
    let tus = tus
        .header("tus-resumable", "1.0.0")
        .header("upload-length", "1000000")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-metadata", "bucketName ZG9jcw==,objectName dHVz");
    tus.body(body(9)).await.must_be(507);
    let signer = crate::sigv4::Signer::service(&stage);
    let put = signer.request(&stage, http::Method::PUT, "/docs/s3", &[], &body(9));
    put.await.must_be(507);
    // Reads go on, and what was there is whole.
    for count in 0..kept {
        let got = stage.download(&stage.admin, &format!("docs/{count}")).await;
        assert!(got.expect_status(200).body == body(count));
    }
    // And what is deleted makes room.
    let delete = stage.service.delete("/object/docs/0").bearer(&stage.admin);
    delete.await.must_be(200);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let again = stage.upload(&stage.admin, "docs/again", &body(1)).await;
        if again.status == 200 {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "no room was made: {}",
            again.text()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An ext4 file system in a file, whose power can be cut.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn ext4() -> Option<(Mount, PathBuf)> {
    let home = tempfile::tempdir().expect("a directory");
    let image = home.path().join("image");
    let file = std::fs::File::create(&image).expect("a file");
    file.set_len(64 * 1024 * 1024).expect("room");
    let made = Command::new("mkfs.ext4")
        .arg("-q")
        .arg(&image)
        .stderr(Stdio::null())
        .status();
    let can_cut = Command::new("xfs_io")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    if !made.is_ok_and(|s| s.success()) || !can_cut.is_ok_and(|s| s.success()) {
        eprintln!("skipped: mkfs.ext4 and xfs_io are needed to cut the power");
        return None;
    }
    let source = image.to_str().expect("a path").to_owned();
    let mount = Mount::new(home, &["-o", "loop"], &source)?;
    Some((mount, image))
}

/// Cuts the power of `mount`, and brings back what its disk holds.
fn power_cut(mount: &Mount, image: &Path) -> bool {
    let cut = Command::new("xfs_io")
        .args(["-x", "-c", "shutdown"])
        .arg(&mount.path)
        .stderr(Stdio::null())
        .status();
    if !cut.is_ok_and(|status| status.success()) {
        return false;
    }
    Mount::unmount(&mount.path);
    let back = Command::new("mount")
        .args(["-o", "loop"])
        .arg(image)
        .arg(&mount.path)
        .status();
    assert!(back.is_ok_and(|status| status.success()), "it mounts again");
    true
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let Some((mount, image)) = ext4() else { return };
    let root = mount.path.join("storage");
    // The control: what is only written, and not synchronised, is gone.
    let control = mount.path.join("control");
    let stage = Stage::with(&[("FILE_STORAGE_BACKEND_PATH", root.to_str().expect("a path"))]).await;
    stage.bucket("docs", json!({})).await;
    for count in 0..20_u8 {
        let bytes = vec![count; 50_000];
        let path = format!("docs/{count}");
        stage.upload(&stage.admin, &path, &bytes).await.must_be(200);
    }
    let copy = json!({ "bucketId": "docs", "sourceKey": "3", "destinationKey": "copy" });
    let copy = stage
        .service
        .post("/object/copy")
        .bearer(&stage.admin)
        .json(&copy);
    copy.await.must_be(200);
    std::fs::write(&control, vec![7; 50_000]).expect("written");
    if !power_cut(&mount, &image) {
        eprintln!("skipped: this kernel does not cut ext4's power");
        return;
    }
    let whole = std::fs::read(&control).is_ok_and(|bytes| bytes == vec![7; 50_000]);
    assert!(!whole, "the power was cut, or this test proves nothing");
    for count in 0..20_u8 {
        let got = stage.download(&stage.admin, &format!("docs/{count}")).await;
        assert!(got.expect_status(200).body == vec![count; 50_000]);
    }
    let got = stage.download(&stage.admin, "docs/copy").await;
    assert!(got.expect_status(200).body == vec![3; 50_000]);
}
