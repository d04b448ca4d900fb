//! Functions that mean harm, one after the other, while a neighbour is asked all the time: each is
//! stopped, its owner is told, and the neighbour never fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::stage::{Functions, Stage, until};

/// How many ask the neighbour at the same time.
const CALLERS: usize = 2;

/// What a function does, what its caller may be answered, and what one of its log's lines says.
struct Attack {
    name: &'static str,
    code: &'static str,
    answers: &'static [u16],
    logged: &'static str,
}

/// Asks the neighbour while `attacking` runs; tells how many answers it gave, each of them right.
async fn beside<T>(functions: &Functions, attacking: impl Future<Output = T>) -> (T, u64) {
    let (over, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    let caller = || async {
        while !over.load(Ordering::Relaxed) {
            let answer = functions.get("/neighbour").await;
            assert_eq!(answer.expect_status(200).text(), "1");
            answers.fetch_add(1, Ordering::Relaxed);
        }
    };
    let attacking = async {
        let attacked = attacking.await;
        over.store(true, Ordering::Relaxed);
        attacked
    };
    let callers = join_all((0..CALLERS).map(|_| caller()));
    let (attacked, _) = tokio::join!(attacking, callers);
    (attacked, answers.into_inner())
}

/// Waits until a line of the log of `name` holds `wanted`.
async fn is_logged(functions: &Functions, name: &str, wanted: &str) {
    let path = format!("/api/v1/functions/{name}/logs");
    let looked = Instant::now();
    until(|| async {
        let logs = functions.admin_json(&path).await.to_string();
        let late = looked.elapsed() > Duration::from_secs(18);
        let end: String = logs.chars().rev().take(500).collect();
        let end: String = end.chars().rev().collect();
        assert!(!late, "{name}: no {wanted:?} in …{end}");
        logs.contains(wanted).then_some(())
    })
    .await;
}

async fn survive(attacks: &[Attack], stage: Stage) -> Arc<Functions> {
    let stage = attacks.iter().fold(stage, |stage, attack| {
        let path = format!("{}/index.ts", attack.name);
        stage.file(&path, attack.code)
    });
    let functions = stage.function("neighbour", "return 1;").start().await;
    let _ = functions.json("/neighbour").await;
    for attack in attacks {
        let asked = async { functions.get(&format!("/{}", attack.name)).await };
        let (answer, _) = beside(&functions, asked).await;
        let status = answer.status.as_u16();
        let expected = attack.answers.contains(&status);
        assert!(expected, "{}: {status} {}", attack.name, answer.text());
        is_logged(&functions, attack.name, attack.logged).await;
    }
    // Nothing is left of the last one that could still be felt.
    let (_, answers) = beside(&functions, functions.get("/neighbour").into_future()).await;
    assert!(answers > 0);
    Arc::new(functions)
}

#[tokio::test]
async fn who_wants_more_than_there_is_harms_nobody() {
    let attacks = [
        Attack {
            name: "processes",
            code: "Deno.serve(async () => {
                const bombs = Array.from({ length: 300 }, () => new Deno.Command('/bin/sh', { args: ['-c', ':(){ :|:& };:'] }).output());
                return Response.json(await Promise.all(bombs));
            });",
            answers: &[500],
            logged: "Requires run access",
        },
        Attack {
            name: "loop",
            code: "Deno.serve(() => { while (true); });",
            answers: &[546],
            logged: "beyond its CPU time",
        },
        Attack {
            name: "regex",
            code: "Deno.serve(() => Response.json(/^(a+)+$/.test('a'.repeat(60) + '!')));",
            answers: &[546],
            logged: "beyond its CPU time",
        },
        Attack {
            name: "buffer",
            code: "Deno.serve(() => Response.json(new ArrayBuffer(4 * 1024 ** 3).byteLength));",
            answers: &[500],
            logged: "Array buffer allocation failed",
        },
        Attack {
            name: "heap",
            code: "Deno.serve(() => { const all = []; while (true) all.push(Array.from({ length: 1000 }, () => ({}))); });",
            answers: &[546],
            logged: "beyond its memory",
        },
        Attack {
            name: "descriptors",
            code: "Deno.serve(async () => { const all = []; while (true) all.push(await Deno.open(await Deno.makeTempFile())); });",
            answers: &[500],
            logged: "Too many open files",
        },
        Attack {
            name: "lines",
            code: "Deno.serve(async () => {
                for (let i = 0; i < 3000; i++) console.log('x'.repeat(200));
                await new Promise((done) => setTimeout(done, 2500));
                console.log('the last one');
                return new Response();
            });",
            answers: &[200],
            logged: "left out",
        },
        Attack {
            name: "silent",
            code: "console.log('it is there'); Deno.serve(() => new Promise(() => setInterval(() => {}, 5)));",
            answers: &[504],
            logged: "it is there",
        },
    ];
    let short = r#"{ "selfdb": { "limits": { "cpu_seconds": 1 } } }"#;
    let stage = Stage::new()
        .set("FUNCTIONS_CPU_SECONDS", "60")
        .file("loop/deno.json", short)
        .file("regex/deno.json", short)
        // A second of CPU time may take a while: only who never answers is to be given up soon.
        .set("FUNCTIONS_TIMEOUT_SECONDS", "90")
        .file(
            "silent/deno.json",
            r#"{ "selfdb": { "limits": { "timeout_seconds": 2 } } }"#,
        )
        .set("FUNCTIONS_MEMORY_MB", "64");
    let _ = survive(&attacks, stage).await;
}

#[tokio::test]
async fn who_wants_what_is_not_theirs_gets_nothing() {
    const POSTGRES: &str = "Deno.serve(async () => {
        const hosts = ['127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0.0.0.0', 'localhost', '::1', '::', '::ffff:127.0.0.1', '::ffff:7f00:1'];
        const tries = await Promise.allSettled(hosts.map((hostname) => Deno.connect({ hostname, port: PORT })));
        throw new Error('reached ' + tries.filter((one) => one.status === 'fulfilled').length + ' of ' + hosts.length);
    });";
    let attacks = [
        Attack {
            name: "environ",
            code: "Deno.serve(async () => new Response(await Deno.readTextFile('/proc/self/environ')));",
            answers: &[500],
            logged: "Requires read access",
        },
        Attack {
            name: "metadata",
            code: "Deno.serve(() => fetch('http://169.254.169.254/latest/meta-data/'));",
            answers: &[500],
            logged: "Requires net access",
        },
        Attack {
            name: "loopback",
            code: "Deno.serve(() => fetch('http://[::ffff:7f00:1]/'));",
            answers: &[500],
            logged: "Requires net access",
        },
        Attack {
            name: "name",
            code: "Deno.serve(() => fetch('http://localhost/'));",
            answers: &[500],
            logged: "Requires net access",
        },
        Attack {
            name: "datagram",
            code: "import { createSocket } from 'node:dgram';
                Deno.serve(() => new Promise(() => createSocket('udp4').send('secret', 53, '127.0.0.1')));",
            answers: &[500],
            logged: "Requires net access",
        },
        Attack {
            name: "child",
            code: "import { execFileSync } from 'node:child_process';
                Deno.serve(() => new Response(execFileSync('/usr/bin/id')));",
            answers: &[500],
            logged: "Command failed",
        },
        Attack {
            name: "signal",
            code: "Deno.serve(() => { Deno.kill(Deno.ppid, 'SIGKILL'); return new Response(); });",
            answers: &[500],
            logged: "Requires run access",
        },
        Attack {
            name: "library",
            code: "import process from 'node:process';
                Deno.serve(() => { process.dlopen({}, '/lib/x86_64-linux-gnu/libc.so.6'); return new Response(); });",
            answers: &[500],
            logged: "Requires ffi access",
        },
    ];
    let stage = Stage::new().prepared().await;
    let port = stage.key("POSTGRES_PORT");
    let stage = stage.file("postgres/index.ts", &POSTGRES.replace("PORT", &port));
    let functions = survive(&attacks, stage).await;
    let (answer, _) = beside(&functions, functions.get("/postgres").into_future()).await;
    let _ = answer.expect_status(500);
    is_logged(&functions, "postgres", "reached 0 of 11").await;
}

#[tokio::test]
async fn who_breaks_their_own_process_breaks_no_other() {
    let attacks = [
        Attack {
            name: "throws",
            code: "Deno.serve(() => { throw new Error('at a request'); });",
            answers: &[500],
            logged: "at a request",
        },
        Attack {
            name: "nonsense",
            code: "Deno.serve(() => ({ status: 200 }));",
            answers: &[500],
            logged: "did not answer with a Response",
        },
        Attack {
            name: "exits",
            code: "Deno.serve(() => Deno.exit(0));",
            answers: &[500],
            logged: "ended before it was asked to",
        },
        Attack {
            name: "rejects",
            code: "Deno.serve(() => { Promise.reject(new Error('nobody caught it')); return new Promise(() => {}); });",
            answers: &[500],
            logged: "nobody caught it",
        },
        Attack {
            name: "header",
            code: "console.log('there'); Deno.serve(() => new Response('x', { headers: { 'x-large': 'y'.repeat(8_000_000) } }));",
            answers: &[500],
            logged: "there",
        },
        Attack {
            name: "headers",
            code: "console.log('there'); Deno.serve(() => new Response('x', { headers: Array.from({ length: 1_000_000 }, (_, i) => ['x-' + i, 'y']) }));",
            answers: &[500, 504, 546],
            logged: "there",
        },
        Attack {
            name: "status",
            code: "Deno.serve(() => new Response(null, { status: 42 }));",
            answers: &[500],
            logged: "status",
        },
        Attack {
            name: "socket",
            code: "await Deno.remove('s.sock').catch(() => {}); console.log('gone'); Deno.serve(() => new Response());",
            answers: &[200, 500, 503],
            logged: "gone",
        },
        Attack {
            name: "pollutes",
            code: "for (const kind of [Object, Array, Promise, Map, Set, String, Function, Response, Request, Headers]) {
                    for (const name of ['then', 'get', 'set', 'status', 'map', 'push', 'call', 'apply', 'headers', 'proxy', 'path'])
                        try { Object.defineProperty(kind.prototype, name, { get() { throw new Error('polluted'); }, set() {} }); } catch {}
                }
                JSON.stringify = JSON.parse = () => { throw new Error('polluted'); };
                Deno.serve(() => new Response());",
            answers: &[200, 500, 503, 504],
            logged: "",
        },
        Attack {
            name: "waits",
            code: "console.log('there'); Deno.serve(() => { for (let i = 0; i < 10_000; i++) EdgeRuntime.waitUntil(new Promise(() => {})); return new Response(); });",
            answers: &[200],
            logged: "there",
        },
    ];
    let stage = Stage::new()
        .set("FUNCTIONS_BOOT_SECONDS", "3")
        .set("FUNCTIONS_TIMEOUT_SECONDS", "6")
        .set("FUNCTIONS_IDLE_SECONDS", "2");
    let functions = survive(&attacks, stage).await;
    // Work without end keeps no process beyond its idle time and the patience at the end.
    until(|| async { (functions.stage.processes().len() <= 2).then_some(()) }).await;
}
