//! A running `selfdb-rest` and its database, which has nothing of the platform.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use testkit::TestDatabase;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};

const BINARY: &str = env!("CARGO_BIN_EXE_selfdb-rest");
pub(super) const SECRET: &str = "reallyreallyreallyreallyverysafe";
const PATIENCE: Duration = Duration::from_secs(20);

/// A plain database, with roles whose names no other test has.
pub(super) struct Ground {
    pub(super) db: TestDatabase,
    suffix: String,
}

impl Ground {
    /// A database in which `sql` has run; `#` in it stands for what makes names of roles unique.
    pub(super) async fn new(sql: &str) -> Self {
        let db = TestDatabase::empty().await;
        let suffix = format!("_{}", uuid::Uuid::new_v4().simple());
        let ground = Self { db, suffix };
        ground.execute(sql).await;
        ground
    }

    pub(super) async fn execute(&self, sql: &str) {
        self.db.execute(&self.named(sql)).await;
    }

    pub(super) fn named(&self, text: &str) -> String {
        text.replace('#', &self.suffix)
    }

    pub(super) fn uri(&self, login: &str) -> String {
        let endpoint = self.db.endpoint(&self.named(login));
        endpoint.url().expose().to_owned()
    }

    /// Starts the server with these settings besides where the database is.
    pub(super) async fn serve(&self, login: &str, settings: &[(&str, &str)]) -> Server {
        Server::start(&self.command(login, settings)).await
    }

    /// What the program is started with: the variables alone, nothing of this process.
    pub(super) fn command(&self, login: &str, settings: &[(&str, &str)]) -> Launch {
        let mut variables = BTreeMap::from([
            ("PGRST_DB_URI".to_owned(), self.uri(login)),
            ("PGRST_SERVER_HOST".to_owned(), "127.0.0.1".to_owned()),
            ("PGRST_SERVER_PORT".to_owned(), "0".to_owned()),
        ]);
        for (name, value) in settings {
            variables.insert((*name).to_owned(), self.named(value));
        }
        Launch {
            variables,
            arguments: Vec::new(),
        }
    }
}

/// How the program is started.
pub(super) struct Launch {
    variables: BTreeMap<String, String>,
    arguments: Vec<String>,
}

impl Launch {
    pub(super) fn with(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn without(mut self, variable: &str) -> Self {
        self.variables.remove(variable);
        self
    }

    fn program(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.env_clear().envs(&self.variables);
        command.args(&self.arguments).kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub(super) async fn output(&self) -> Output {
        let ending = tokio::time::timeout(PATIENCE, self.program().output());
        ending.await.expect("it ends").expect("it runs")
    }
}

/// A running server.
pub(super) struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    port: u16,
    pub(super) admin: Option<u16>,
}

impl Server {
    pub(super) async fn start(launch: &Launch) -> Self {
        let mut child = launch
            .program()
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = child.stderr.take().expect("its messages");
        let mut lines = BufReader::new(stderr).lines();
        let mut admin = None;
        let port = loop {
            let line = lines.next_line().await.expect("text");
            let line = line.expect("it told where it listens before it ended");
            let port = |what: &str| {
                let (_, place) = line.split_once(what)?;
                place.rsplit_once(':')?.1.trim().parse::<u16>().ok()
            };
            if let Some(port) = port("Admin server listening on ") {
                admin = Some(port);
            }
            if line.contains("API server listening on unix socket") {
                break 0;
            }
            if let Some(port) = port("API server listening on ") {
                break port;
            }
        };
        let mut server = Self {
            child,
            lines,
            port,
            admin,
        };
        server.said("schema cache loaded").await;
        server
    }

    /// Waits until the log says `text`.
    pub(super) async fn said(&mut self, text: &str) {
        let heard = async {
            loop {
                let line = self.lines.next_line().await.expect("text");
                if line.expect("the server runs").contains(text) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect(text);
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Ends it, and answers what it wrote to standard output.
    pub(super) async fn finish(mut self) -> String {
        let id = rustix::process::Pid::from_raw(i32::try_from(self.id()).expect("an id"));
        let signal = rustix::process::Signal::TERM;
        rustix::process::kill_process(id.expect("an id"), signal).expect("a signal");
        let mut output = String::new();
        let mut stdout = self.child.stdout.take().expect("its output");
        stdout.read_to_string(&mut output).await.expect("text");
        let ended = self.child.wait().await.expect("it ends");
        assert!(ended.success(), "{ended}");
        output
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        ask(self.port, (method, path), headers, body).await
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(super) fn code(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }
}

/// As [`Server::ask`], with the body's headers given.
pub(super) async fn ask_raw(
    server: &Server,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let head = head((method, path), headers);
    exchange(server.port, &format!("{head}\r\n{body}")).await
}

fn head((method, path): (&str, &str), headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head
}

/// One request on a connection of its own.
pub(super) async fn ask(
    port: u16,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = head((method, path), headers);
    if !body.is_empty() {
        let length = body.len();
        let typed = "content-type: application/json";
        let _ = write!(request, "{typed}\r\ncontent-length: {length}\r\n");
    }
    request.push_str("\r\n");
    request.push_str(body);
    exchange(port, &request).await
}

async fn exchange(port: u16, request: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a server");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    Answer {
        status: status.expect("a status"),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

/// A token that says `claims`, signed with [`SECRET`].
pub(super) fn token(claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let algorithm = jsonwebtoken::Algorithm::HS256;
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm);
    format!("{message}.{}", signature.expect("signed"))
}
