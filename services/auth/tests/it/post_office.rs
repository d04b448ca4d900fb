//! An instance whose letters arrive, and what their readers do.

use common::Secret;
use testkit::{Mail, SmtpSink, TestRequest, TestResponse};
use url::Url;

use crate::support::Instance;

/// An instance that confirms addresses by letters.
pub(crate) struct PostOffice {
    pub(crate) instance: Instance,
    pub(crate) sink: SmtpSink,
}

/// What a letter carries.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) mail: Mail,
    pub(crate) link: Url,
    pub(crate) code: Secret,
}

impl Received {
    /// A parameter of the link.
    pub(crate) fn parameter(&self, name: &str) -> String {
        parameter(&self.link, name).expect(name)
    }
}

/// A parameter of an address's query.
pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

/// A parameter of an address's fragment.
pub(crate) fn fragment(url: &Url, name: &str) -> Option<String> {
    let pairs = url.fragment().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(pairs.as_bytes());
    let found = pairs.find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

/// Where a response leads.
pub(crate) fn location(response: &TestResponse) -> Url {
    assert_eq!(response.status.as_u16(), 303, "{}", response.text());
    let location = response.header("location").expect("a location");
    Url::parse(location).expect("a URL")
}

impl PostOffice {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With these settings on top.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let sink = SmtpSink::start().await;
        let port = sink.port().to_string();
        let mut all = vec![
            ("GOTRUE_SMTP_HOST", "127.0.0.1"),
            ("GOTRUE_SMTP_PORT", port.as_str()),
            ("GOTRUE_SMTP_ADMIN_EMAIL", "auth@example.org"),
            ("GOTRUE_SMTP_SENDER_NAME", "Example"),
            ("GOTRUE_SMTP_MAX_FREQUENCY", "0"),
            ("GOTRUE_SITE_URL", "https://app.example.org/home"),
            (
                "GOTRUE_URI_ALLOW_LIST",
                "https://*.example.org/**,app://callback",
            ),
        ];
        all.extend_from_slice(settings);
        Self {
            instance: Instance::with(&all).await,
            sink,
        }
    }

    /// The latest letter to somebody.
    pub(crate) async fn received(&self, recipient: &str) -> Received {
        let mail = self.sink.mail_to(recipient).await;
        let text = mail.text();
        let link = text.split("Follow this link: ").nth(1).expect("a link");
        let link = link.lines().next().expect("a line");
        let code = text.split("enter the code: ").nth(1).expect("a code");
        let code: String = code.chars().take_while(char::is_ascii_digit).collect();
        Received {
            link: Url::parse(link).expect("a link that is a URL"),
            code: Secret::from(code),
            mail,
        }
    }

    /// Follows the link of a letter, as a browser does.
    pub(crate) fn follow(&self, received: &Received) -> TestRequest {
        let query = received.link.query().expect("a query");
        self.instance.service.get(&format!("/verify?{query}"))
    }

    pub(crate) fn post(&self, path: &str, body: &serde_json::Value) -> TestRequest {
        self.instance.service.post(path).json(body)
    }
}
