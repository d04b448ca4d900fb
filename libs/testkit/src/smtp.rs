//! A mail server that keeps what it is given: the other end of a service's letters.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a letter may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A letter as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Headers and body, as sent.
    pub raw: String,
}

impl Mail {
    /// Headers and body, with quoted-printable undone.
    pub fn text(&self) -> String {
        let joined = self.raw.replace("=\r\n", "");
        let mut bytes = Vec::with_capacity(joined.len());
        let mut rest = joined.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let code = after.get(..2).filter(|_| *first == b'=');
            let code = code.and_then(|code| std::str::from_utf8(code).ok());
            if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            } else {
                bytes.push(*first);
                rest = after;
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            let is_it = known.eq_ignore_ascii_case(name);
            is_it.then(|| value.trim().to_owned())
        })
    }
}

type Mails = Arc<Mutex<Vec<Mail>>>;

/// A mail server on a port of this machine, until it is dropped.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    mails: Mails,
    count: watch::Receiver<usize>,
    /// How many letters to each recipient were handed out.
    taken: Mutex<HashMap<String, usize>>,
    task: JoinHandle<()>,
}

impl SmtpSink {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let mails = Mails::default();
        let (sender, count) = watch::channel(0);
        let kept = Arc::clone(&mails);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, sender) = (Arc::clone(&kept), sender.clone());
                tokio::spawn(async move { converse(stream, &kept, &sender).await });
            }
        });
        Self {
            address,
            mails,
            count,
            taken: Mutex::default(),
            task,
        }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every letter so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The latest letter to `recipient` that came after the one that was last asked for here, waited
    /// for.
    pub async fn mail_to(&self, recipient: &str) -> Mail {
        let mut count = self.count.clone();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                count.mark_unchanged();
                let mails = self.mails();
                let is_theirs = |mail: &&Mail| mail.to.iter().any(|to| to == recipient);
                let theirs: Vec<&Mail> = mails.iter().filter(is_theirs).collect();
                if let Some(mail) = self.untaken(recipient, &theirs) {
                    return mail;
                }
                count.changed().await.expect("a running sink");
            }
        });
        found.await.expect("a letter to this recipient")
    }

    fn untaken(&self, recipient: &str, theirs: &[&Mail]) -> Option<Mail> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = taken.entry(recipient.to_owned()).or_default();
        if theirs.len() <= *taken {
            return None;
        }
        *taken = theirs.len();
        theirs.last().copied().cloned()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, as RFC 5321 has it; whatever is offered is taken.
async fn converse(stream: TcpStream, mails: &Mails, count: &watch::Sender<usize>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut from, mut to) = (String::new(), Vec::new());
    if writer.write_all(b"220 sink ESMTP\r\n").await.is_err() {
        return;
    }
    while let Ok(Some(line)) = lines.next_line().await {
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        let mut answer = "250 OK\r\n";
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => answer = "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" => answer = "235 OK\r\n",
            "MAIL" => from = address(&line),
            "RCPT" => to.push(address(&line)),
            "DATA" => {
                if writer.write_all(b"354 go on\r\n").await.is_err() {
                    return;
                }
                let mut raw = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    raw.push_str("\r\n");
                }
                let mail = Mail {
                    from: std::mem::take(&mut from),
                    to: std::mem::take(&mut to),
                    raw,
                };
                let mut mails = mails.lock().unwrap_or_else(PoisonError::into_inner);
                mails.push(mail);
                count.send_replace(mails.len());
            }
            "QUIT" => {
                let _ = writer.write_all(b"221 bye\r\n").await;
                return;
            }
            _ => {}
        }
        if writer.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn address(line: &str) -> String {
    let within = line.split_once('<').map_or("", |(_, rest)| rest);
    within.split('>').next().unwrap_or_default().to_owned()
}
