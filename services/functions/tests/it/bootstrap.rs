//! The TypeScript that runs first in every process.

use std::path::Path;

use tokio::process::Command;

use crate::stage::{Stage, until};

#[tokio::test]
async fn it_passes_denos_own_checks() {
    let functions = Stage::new().start().await;
    let deno = until(|| async { functions.stage.deno() }).await;
    let cache = tempfile::tempdir().expect("a folder");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime");
    for arguments in [
        vec!["check", "--no-config", "boot.ts"],
        vec!["lint", "--no-config"],
        vec!["fmt", "--no-config", "--check", "--line-width", "100"],
    ] {
        let mut command = Command::new(&deno);
        command
            .args(&arguments)
            .current_dir(&folder)
            .env("DENO_DIR", cache.path());
        let output = command.output().await.expect("run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "deno {arguments:?}: {said}");
    }
}
