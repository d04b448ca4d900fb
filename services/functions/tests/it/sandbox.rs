//! What a function cannot reach, tried from inside one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use serde_json::{Value, json};

use crate::stage::{Functions, Stage};

/// A function that runs each of its attempts and tells how it went.
const TRY: &str = "export default async (req) => {
    const results = {};
    for (const code of await req.json()) {
        try {
            const value = await (new Function('return (async () => (' + code + '))()'))();
            results[code] = 'REACHED ' + String(value);
        } catch (error) { results[code] = `${error} ${error.cause}`; }
    }
    return results;
};";

async fn attempt(functions: &Functions, attempts: &[String]) -> Vec<(String, String)> {
    let answer = functions
        .post("/try")
        .json(attempts)
        .await
        .expect_status(200)
        .json();
    let results = answer.as_object().expect("an object");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    results
        .iter()
        .map(|(code, result)| (code.clone(), text(result)))
        .collect()
}

/// Every attempt fails, for one of `reasons`.
async fn all_fail(functions: &Functions, attempts: &[String], reasons: &[&str]) {
    let mut results = attempt(functions, attempts).await;
    assert_eq!(results.len(), attempts.len());
    results.retain(|(_, result)| {
        let reached = result.starts_with("REACHED");
        reached || !reasons.iter().any(|reason| result.contains(reason))
    });
    assert_eq!(results, [], "these were not refused as they should be");
}

#[tokio::test]
async fn files_and_the_platforms_environment_cannot_be_read() {
    let functions = Stage::new()
        .file("try.ts", TRY)
        .file(
            "other/index.ts",
            "Deno.serve(() => Response.json(Deno.cwd()));",
        )
        .start()
        .await;
    let other = functions.json("/other").await;
    let other = other.as_str().expect("a path");
    let supervisor = std::process::id();
    let paths = [
        "/etc/passwd".to_owned(),
        "/proc/self/environ".to_owned(),
        "/proc/self/maps".to_owned(),
        format!("/proc/{supervisor}/environ"),
        format!("/proc/{supervisor}/cmdline"),
        format!("{other}/../code/other/index.ts"),
        format!("{other}/s.sock"),
        env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml",
    ];
    // A function's `/tmp` is a folder of its own: of ours, only what is its own is there.
    let is_there = |path: &&String| !path.starts_with("/tmp/") || path.starts_with(other);
    let mut attempts: Vec<String> = paths
        .iter()
        .filter(is_there)
        .map(|path| format!("Deno.readTextFile('{path}')"))
        .collect();
    attempts.extend(
        [
            "Deno.readDir('/')[Symbol.asyncIterator]().next()",
            "Deno.writeTextFile('/var/tmp/from-a-function', 'x')",
            "Deno.writeTextFile(new URL('../code/try.ts', 'file://' + Deno.cwd() + '/'), 'x')",
            "Deno.symlink('/etc/passwd', Deno.cwd() + '/link')",
            "import('file:///etc/passwd', { with: { type: 'text' } })",
            "new Deno.Command('/usr/bin/id').output()",
            "Deno.dlopen('/lib/x86_64-linux-gnu/libc.so.6', {})",
            "Deno.kill(Deno.ppid, 'SIGKILL')",
            "Deno.hostname()",
            "import('https://deno.land/std/version.ts')",
            "import('npm:left-pad')",
            "new Worker('data:text/javascript,while (true);', { type: 'module' })",
        ]
        .map(str::to_owned),
    );
    let reasons = [
        "NotCapable",
        "Requires read access",
        "Requires import access",
        "--cached-only",
        "not found in cache",
        "not available",
    ];
    all_fail(&functions, &attempts, &reasons).await;
    let good = attempt(&functions, &["Deno.makeTempFile()".to_owned()]).await;
    assert!(
        good[0].1.starts_with("REACHED"),
        "its own folder is open: {good:?}"
    );
}

#[tokio::test]
async fn a_static_import_of_a_file_outside_does_not_load() {
    let import = |path: &str| {
        format!(
            "import text from 'file://{path}' with {{ type: 'text' }}; export default () => text;"
        )
    };
    let functions = Stage::new()
        .file("passwd.ts", &import("/etc/passwd"))
        .file("environ.ts", &import("/proc/self/environ"))
        .file(
            "above.ts",
            &import(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        )
        .start()
        .await;
    for path in ["/passwd", "/environ", "/above"] {
        let refused = functions.get(path).await.expect_status(503);
        assert_eq!(refused.json()["code"], "BOOT_ERROR");
    }
}

#[tokio::test]
async fn private_networks_cannot_be_reached_in_any_spelling() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let port = listener
        .local_addr()
        .map(|address: SocketAddr| address.port())
        .expect("an address");
    // Open to the sandbox's port list, so that it is the address alone that is refused.
    let functions = Stage::new()
        .set("FUNCTIONS_EGRESS_PORTS", &format!("80,443,{port}"))
        .file("try.ts", TRY)
        .start()
        .await;
    let loopback = [
        "127.0.0.1",
        "127.1.2.3",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ];
    let mut attempts = Vec::new();
    for host in loopback {
        attempts.push(format!("fetch('http://{host}:{port}/')"));
        let bare = host.trim_matches(['[', ']']);
        attempts.push(format!(
            "Deno.connect({{ hostname: '{bare}', port: {port} }})"
        ));
    }
    for host in [
        "169.254.169.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
    ] {
        attempts.push(format!(
            "fetch('http://{host}/', {{ signal: AbortSignal.timeout(2000) }})"
        ));
    }
    attempts.push(format!("Deno.listen({{ port: {} }})", 18_123));
    attempts.push("Deno.listen({ hostname: '203.0.113.1', port: 18124 })".to_owned());
    attempts.push(format!("import('node:net').then(({{ connect }}) => new Promise((yes, no) => connect({port}, '127.0.0.1', yes).on('error', no)))"));
    let reasons = ["Requires net access", "Permission denied"];
    all_fail(&functions, &attempts, &reasons).await;
    let knocked = listener.accept().map(|(_, peer)| peer);
    assert!(knocked.is_err(), "somebody got through: {knocked:?}");
}

#[tokio::test]
async fn only_listed_ports_can_be_connected_to() {
    let functions = Stage::new().file("try.ts", TRY).start().await;
    // A public address (TEST-NET-3), so Deno's own list lets it pass; the kernel answers at once.
    let results = attempt(
        &functions,
        &["Deno.connect({ hostname: '203.0.113.1', port: 5432 })".to_owned()],
    )
    .await;
    assert!(results[0].1.starts_with("PermissionDenied"), "{results:?}");
}

#[tokio::test]
async fn a_function_runs_without_rights() {
    let functions = Stage::new()
        .function("who", "return Deno.pid;")
        .start()
        .await;
    let pid = functions.json("/who").await;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.map(|line| {
            line.split_ascii_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(field("NoNewPrivs:").as_deref(), Some("1"));
    assert_eq!(field("CapEff:").as_deref(), Some("0000000000000000"));
    if rustix::process::geteuid().is_root() {
        assert_eq!(field("Uid:").as_deref(), Some("65534 65534 65534 65534"));
        assert_eq!(
            field("Groups:").as_deref(),
            field("Gid:")
                .as_deref()
                .and_then(|gid| gid.split(' ').next())
        );
    }
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("readable by root");
    let environment = String::from_utf8_lossy(&environment);
    for name in ["JWT_SECRET", "SERVICE_ROLE_KEY", "PASSWORD", "CARGO"] {
        assert!(!environment.contains(name), "{name} is in {environment}");
    }
    assert_eq!(json!(environment.contains("DENO_DIR")), json!(true));
}
