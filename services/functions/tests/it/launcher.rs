//! The sandbox by itself, around programs that check nothing themselves: what is refused here, the
//! kernel refuses.

use std::path::PathBuf;
use std::process::Output;

use functions::sandbox::{ARGUMENT, SandboxSpec};
use tokio::process::Command;

use crate::stage::BINARY;

fn program(path: &str, arguments: &[&str]) -> SandboxSpec {
    SandboxSpec {
        program: PathBuf::from(path),
        arguments: arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect(),
        supervisor: rustix::process::getpid().as_raw_pid(),
        user: None,
        group: None,
        read: Vec::new(),
        write: Vec::new(),
        connect_ports: Vec::new(),
        ipv6: false,
        data_bytes: 64 * 1024 * 1024,
        open_files: 20,
    }
}

async fn run(spec: SandboxSpec) -> Output {
    let spec = spec.encode().expect("a specification");
    let mut command = Command::new(BINARY);
    command.arg(ARGUMENT).arg(spec);
    command.output().await.expect("started")
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[tokio::test]
async fn only_what_was_named_can_be_read_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "content").expect("written");
    let path = file.display().to_string();

    let refused = run(program("/bin/cat", &[&path])).await;
    assert!(
        said(&refused).contains("Permission denied"),
        "{}",
        said(&refused)
    );
    let mut named = program("/bin/cat", &[&path]);
    named.read.push(file.clone());
    assert_eq!(said(&run(named).await), "content");

    let mut readable = program("/bin/cp", &["/dev/null", &path]);
    readable.read.push(file.clone());
    assert!(said(&run(readable).await).contains("Permission denied"));
    let mut writable = program("/bin/cp", &["/dev/null", &path]);
    writable.write.push(file.clone());
    let written = run(writable).await;
    assert!(written.status.success(), "{}", said(&written));
    assert_eq!(std::fs::read(&file).expect("read"), b"");
}

#[tokio::test]
async fn nothing_else_can_be_run_and_limits_hold() {
    let script = "ulimit -d; ulimit -n; ulimit -c; exec /bin/cat /dev/null";
    let output = run(program("/bin/sh", &["-c", script])).await;
    let said = said(&output);
    assert!(said.starts_with("65536\n20\n0\n"), "{said}");
    assert!(said.contains("Permission denied"), "{said}");
}

#[tokio::test]
async fn without_its_supervisor_it_does_not_start() {
    let mut orphan = program("/bin/cat", &["/dev/null"]);
    orphan.supervisor = 1;
    let output = run(orphan).await;
    assert!(!output.status.success());
    assert!(said(&output).contains("the supervisor is gone"));
}

#[tokio::test]
async fn nonsense_for_a_specification_is_refused() {
    let mut command = Command::new(BINARY);
    let output = command
        .arg(ARGUMENT)
        .arg("{}")
        .output()
        .await
        .expect("started");
    assert!(!output.status.success());
    assert!(said(&output).contains("sandbox: the sandbox's specification cannot be read"));
}

/// Makes the sockets it is told, `family type protocol` each, and says which it got.
const SOCKETS: &str = r#"for (@ARGV) { my @kind = split / /; print socket(my $made, $kind[0], $kind[1], $kind[2]) ? "$_ made\n" : "" } print defined(fork) ? "forked\n" : "alone\n";"#;

#[tokio::test]
async fn no_process_is_made_and_no_socket_that_goes_round_the_ports() {
    let (unix, v4, v4_udp, v6) = ("1 1 0", "2 1 6", "2 2 17", "10 1 6");
    let refused = [
        "40 1 0", "2 1 262", "2 2 136", "2 2 1", "2 3 255", "17 3 0", "38 5 0",
    ];
    let usual = [unix, v4, v4_udp, v6];
    let kinds = [usual.as_slice(), refused.as_slice()].concat();
    let arguments = [["-e", SOCKETS].as_slice(), kinds.as_slice()].concat();
    let mut spec = program("/usr/bin/perl", &arguments);
    let expected = format!("{unix} made\n{v4} made\n{v4_udp} made\n");
    assert_eq!(said(&run(spec.clone()).await), expected.clone() + "alone\n");
    spec.ipv6 = true;
    let with_v6 = format!("{expected}{v6} made\nalone\n");
    assert_eq!(said(&run(spec).await), with_v6);
}
