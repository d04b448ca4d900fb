//! One line a request on standard output, in the format of Apache's combined log.

use std::cell::RefCell;
use std::io::Write as _;

use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use common::Clock as _;
use http::header::{REFERER, USER_AGENT};
use time::macros::format_description;

/// What is logged of requests, and of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LogLevel {
    /// Only that the server starts and recovers.
    Crit,
    /// Answers of 500 and more too.
    Error,
    /// Answers of 400 and more too.
    Warn,
    /// All of them.
    Info,
    Debug,
}

impl LogLevel {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "crit" => Some(Self::Crit),
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" => Some(Self::Debug),
            _ => None,
        }
    }

    /// The filter of what the server says of itself.
    pub(super) fn filter(self) -> String {
        let level = match self {
            Self::Crit => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        };
        format!("{level},{}=info,rest::schema_cache=info", super::NOTICES)
    }

    fn logs(self, status: u16) -> bool {
        match self {
            Self::Crit => false,
            Self::Error => status >= 500,
            Self::Warn => status >= 400,
            Self::Info | Self::Debug => true,
        }
    }
}

/// What the stages of a request tell its log.
#[derive(Debug, Default)]
struct Notes {
    role: Option<String>,
    query: Option<String>,
}

tokio::task_local! {
    static NOTES: RefCell<Notes>;
}

/// Notes the role a request runs as, where its log is kept.
pub(crate) fn note_role(role: &str) {
    // Without a log there is nothing to note it in.
    let _ = NOTES.try_with(|notes| notes.borrow_mut().role = Some(role.to_owned()));
}

/// Notes the statement of a request, where its log is kept.
pub(crate) fn note_query(text: &str) {
    let _ = NOTES.try_with(|notes| notes.borrow_mut().query = Some(text.to_owned()));
}

/// The line of a request, as far as it is known before its answer.
struct Line {
    peer: String,
    request: String,
    referer: String,
    agent: String,
}

impl Line {
    fn of(request: &Request) -> Self {
        let text = |name| {
            let value = request.headers().get(name);
            let value = value.and_then(|value: &http::HeaderValue| value.to_str().ok());
            value.unwrap_or_default().replace('"', "\\\"")
        };
        let peer = request
            .extensions()
            .get::<ConnectInfo<std::net::SocketAddr>>();
        Self {
            peer: peer.map_or_else(|| "-".to_owned(), |peer| peer.0.ip().to_string()),
            request: format!(
                "{} {} {:?}",
                request.method(),
                request.uri(),
                request.version()
            ),
            referer: text(REFERER),
            agent: text(USER_AGENT),
        }
    }

    fn write(&self, notes: &Notes, response: &Response) {
        let time =
            format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
        let time = common::SystemClock.now().format(time).unwrap_or_default();
        let size = response.body().size_hint().exact();
        let size = size.map_or_else(String::new, |size| size.to_string());
        let mut output = std::io::stdout().lock();
        // A reader of the log that went away is no reason to fail a request.
        if let Some(query) = &notes.query {
            let _ = writeln!(output, "{query}");
        }
        let Self {
            peer,
            request,
            referer,
            agent,
        } = self;
        let role = notes.role.as_deref().unwrap_or("-");
        let status = response.status().as_u16();
        let _ = writeln!(
            output,
            "{peer} - {role} [{time}] \"{request}\" {status} {size} \"{referer}\" \"{agent}\""
        );
    }
}

/// Answers `request` by `answer`, and logs it as `level` says.
pub(super) async fn logged<F>(
    level: LogLevel,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    if level == LogLevel::Crit {
        return answer(request).await;
    }
    let line = Line::of(&request);
    let answering = async {
        let response = answer(request).await;
        let notes = NOTES.with(RefCell::take);
        (response, notes)
    };
    let (response, notes) = NOTES.scope(RefCell::default(), answering).await;
    if level.logs(response.status().as_u16()) {
        line.write(&notes, &response);
    }
    response
}
