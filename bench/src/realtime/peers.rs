//! Servers that do nothing but hand on what a socket sends: what fan-out costs at least.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use common::{Environment as _, ProcessEnvironment};
use futures_util::{SinkExt as _, StreamExt as _};
use testkit::fault::free_port;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

use super::fan_out::Room;
use super::socket::Dialect;
use crate::rest::child::Program;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/realtime");

#[derive(Clone, Copy)]
pub(super) enum Peer {
    /// The sockets of axum and a channel of tokio: Rust without a protocol.
    Axum,
    /// npm's `ws`.
    Ws,
    /// npm's `socket.io`.
    SocketIo,
}

pub(super) struct Running {
    program: Program,
    address: String,
    dialect: Dialect,
}

impl Running {
    pub(super) fn room(&self) -> Room {
        Room {
            address: self.address.clone(),
            dialect: self.dialect,
            pid: self.program.pid(),
        }
    }
}

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum, bare",
            Self::Ws => "npm ws",
            Self::SocketIo => "npm socket.io",
        }
    }

    pub(super) async fn start(self, folder: &Path) -> Running {
        let port = free_port();
        let (mut command, dialect, path) = match self {
            Self::Axum => {
                let own = std::env::current_exe().expect("this program's path");
                let mut command = Command::new(own);
                command.args(["realtime-peer", &port.to_string()]);
                (command, Dialect::Plain, "/")
            }
            Self::Ws => (node("ws.mjs"), Dialect::Plain, "/"),
            Self::SocketIo => (
                node("socketio.mjs"),
                Dialect::SocketIo,
                "/socket.io/?EIO=4&transport=websocket",
            ),
        };
        command.env("PORT", port.to_string());
        let program = Program::start(command, &folder.join(format!("{}.log", self.name())));
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Running {
            program,
            address: format!("ws://127.0.0.1:{port}{path}"),
            dialect,
        }
    }
}

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(install().join(script))
        .env("NODE_ENV", "production");
    command
}

/// The scripts and their packages, in a folder that is kept.
fn install() -> PathBuf {
    let home = ProcessEnvironment.var("HOME").expect("HOME");
    let folder = Path::new(&home).join(".cache/selfdb/bench/realtime");
    fs::create_dir_all(&folder).expect("a folder");
    let lock = fs::read(Path::new(SOURCE).join("package-lock.json")).expect("a lock file");
    let installed = fs::read(folder.join("node_modules/.installed"));
    for file in fs::read_dir(SOURCE).expect("the scripts") {
        let file = file.expect("a script").path();
        let name = file.file_name().expect("a name");
        fs::copy(&file, folder.join(name)).expect("a copy");
    }
    if installed.is_ok_and(|there| there == lock) {
        return folder;
    }
    let done = Command::new("npm")
        .args(["ci", "--silent", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .status();
    assert!(done.expect("npm runs").success(), "npm ci");
    fs::write(folder.join("node_modules/.installed"), lock).expect("a note");
    folder
}

/// The axum peer's whole life.
pub(crate) async fn serve(port: u16) {
    let (sender, _) = broadcast::channel::<(u64, Message)>(4096);
    let router = Router::new()
        .route("/", any(upgrade))
        .with_state(Arc::new(sender));
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.expect("a free port");
    axum::serve(listener, router).await.expect("it serves");
}

async fn upgrade(
    State(sender): State<Arc<broadcast::Sender<(u64, Message)>>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| hand_on(socket, sender))
}

async fn hand_on(socket: WebSocket, sender: Arc<broadcast::Sender<(u64, Message)>>) {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let own = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut receiver = sender.subscribe();
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(message @ Message::Text(_))) => {
                    let _ = sender.send((own, message));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            message = receiver.recv() => match message {
                Ok((from, message)) if from != own => {
                    if sink.send(message).await.is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => return,
            },
        }
    }
}
