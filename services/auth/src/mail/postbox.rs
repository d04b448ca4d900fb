//! Writing letters and handing them to the operator's server.

use std::time::Duration;

use common::BoxError;
use lettre::message::{Mailbox, Message, MultiPart, SinglePart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use tokio::sync::OnceCell;
use url::Url;

use super::template::{Escape, Template};
use super::{Letter, LetterKind, texts};
use crate::config::{CustomText, MailConfig, SmtpConfig, SmtpTls};
use crate::outbound::{Call, Outbound};

/// How long a server may take for a letter.
const TIMEOUT: Duration = Duration::from_secs(15);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Writes letters and sends them.
pub struct Postbox {
    server: Option<(Transport, Mailbox)>,
    texts: Vec<Text>,
    outbound: Outbound,
}

/// What one kind of letter says.
struct Text {
    kind: LetterKind,
    subject: Template,
    source: Option<String>,
    body: OnceCell<Template>,
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// It cannot be written: an address or a header that cannot be.
    #[error("the letter cannot be written")]
    Unwritable(#[source] BoxError),
    /// The server did not take it.
    #[error("the mail server did not take the letter")]
    Refused(#[source] BoxError),
}

impl Postbox {
    /// A postbox; no connection is made before the first letter.
    pub fn new(config: &MailConfig, outbound: Outbound) -> Result<Self, BoxError> {
        let server = match &config.smtp {
            None => None,
            Some(smtp) => Some((transport(smtp)?, smtp.sender.clone())),
        };
        let texts = config.texts.iter().map(Text::new);
        Ok(Self {
            server,
            texts: texts.collect::<Result<_, _>>()?,
            outbound,
        })
    }

    /// Whether letters go anywhere.
    pub fn is_open(&self) -> bool {
        self.server.is_some()
    }

    /// Sends a letter; without a server, says in the log that it was not.
    pub async fn send(&self, letter: &Letter) -> Result<(), PostError> {
        let Some((server, sender)) = &self.server else {
            tracing::warn!(
                letter = letter.kind.action(),
                "a letter was not sent: set GOTRUE_SMTP_HOST"
            );
            return Ok(());
        };
        let message = Box::pin(self.message(letter, sender)).await?;
        let sent = tokio::time::timeout(TIMEOUT, Box::pin(server.send(message))).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(PostError::Refused(error.into())),
            Err(late) => Err(PostError::Refused(late.into())),
        }
    }

    async fn message(&self, letter: &Letter, sender: &Mailbox) -> Result<Message, PostError> {
        let unwritable = |error: BoxError| PostError::Unwritable(error);
        let to = letter.to.as_str().parse();
        let to = to.map_err(|error: lettre::address::AddressError| unwritable(error.into()))?;
        let text = self.texts.iter().find(|text| text.kind == letter.kind);
        let text = text.ok_or_else(|| unwritable("there is no text for it".into()))?;
        let variables = letter.variables();
        let subject = text.subject.render(&variables, Escape::Nothing);
        let subject: String = subject.chars().filter(|c| !c.is_control()).collect();
        let html = text.body(&self.outbound).await;
        let html = html.render(&variables, Escape::Html);
        let plain = SinglePart::builder()
            .header(header::ContentType::TEXT_PLAIN)
            .body(plain_text(letter));
        let html = SinglePart::builder()
            .header(header::ContentType::TEXT_HTML)
            .body(html);
        Message::builder()
            .from(sender.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .multipart(MultiPart::alternative().singlepart(plain).singlepart(html))
            .map_err(|error| unwritable(error.into()))
    }
}

/// For readers without HTML: the link and the code, nothing to design.
fn plain_text(letter: &Letter) -> String {
    let code = letter.code.expose();
    match letter.kind {
        LetterKind::Reauthentication => format!("Enter the code: {code}\r\n"),
        LetterKind::Confirmation
        | LetterKind::Invite
        | LetterKind::Recovery
        | LetterKind::MagicLink
        | LetterKind::EmailChange => {
            format!(
                "Follow this link: {}\r\n\r\nOr enter the code: {code}\r\n",
                letter.link
            )
        }
    }
}

impl Text {
    fn new(custom: &CustomText) -> Result<Self, BoxError> {
        let subject = custom.subject.as_deref();
        Ok(Self {
            kind: custom.kind,
            subject: Template::parse(subject.unwrap_or(texts::subject(custom.kind)))?,
            source: custom.template.clone(),
            body: OnceCell::new(),
        })
    }

    /// The operator's template, read when it is first needed; the built-in one where there is none
    /// or, for this letter, where it cannot be read.
    async fn body(&self, outbound: &Outbound) -> Template {
        let built_in = || Template::parse(texts::body(self.kind));
        let read = self.body.get_or_try_init(|| async {
            let Some(source) = &self.source else {
                return Ok(built_in()?);
            };
            let text = load(source, outbound).await?;
            Ok::<_, BoxError>(Template::parse(&text)?)
        });
        match read.await {
            Ok(template) => template.clone(),
            Err(error) => {
                tracing::error!(%error, letter = self.kind.action(), "the template cannot be used");
                built_in().unwrap_or_else(|_| Template::empty())
            }
        }
    }
}

async fn load(source: &str, outbound: &Outbound) -> Result<String, BoxError> {
    if source.starts_with("http://") || source.starts_with("https://") {
        let answer = outbound.call(Call::get(Url::parse(source)?)).await?;
        if !answer.status.is_success() {
            return Err(format!("its address answered {}", answer.status).into());
        }
        return Ok(String::from_utf8(answer.body.to_vec())?);
    }
    let path = source.strip_prefix("file://").unwrap_or(source);
    Ok(tokio::fs::read_to_string(path).await?)
}

fn transport(smtp: &SmtpConfig) -> Result<Transport, BoxError> {
    let parameters = || TlsParameters::new(smtp.host.clone());
    let tls = match smtp.tls {
        SmtpTls::Implicit => Tls::Wrapper(parameters()?),
        SmtpTls::Required => Tls::Required(parameters()?),
        SmtpTls::Opportunistic => Tls::Opportunistic(parameters()?),
        SmtpTls::Off => Tls::None,
    };
    let mut builder = Transport::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(TIMEOUT))
        .hello_name(ClientId::Domain("localhost".to_owned()));
    if let Some((user, password)) = &smtp.credentials {
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        builder = builder.credentials(credentials);
    }
    Ok(builder.build())
}
