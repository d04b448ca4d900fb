//! Text messages: what they say, and handing them to a provider.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{BoxError, Secret};
use serde::Deserialize;
use serde_json::json;

use crate::config::{SmsConfig, TwilioConfig};
use crate::mail::Template;
use crate::outbound::{Call, Outbound, OutboundError};

/// How a text message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// As a text message.
    Sms,
    /// By `WhatsApp`.
    Whatsapp,
}

impl Channel {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
        }
    }

    /// The channel of this name; text messages where none is named.
    pub fn from_name(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("" | "sms") => Some(Self::Sms),
            Some("whatsapp") => Some(Self::Whatsapp),
            Some(_) => None,
        }
    }
}

/// Writes text messages and sends them.
#[derive(Debug)]
pub struct Texter {
    twilio: Option<TwilioConfig>,
    template: Template,
    outbound: Outbound,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// There is no provider.
    #[error("no provider of text messages is configured")]
    NoProvider,
    /// The provider could not be asked.
    #[error("the provider of text messages could not be asked")]
    Unreachable(#[from] OutboundError),
    /// The provider refused the message.
    #[error("the provider of text messages answered {status}: {message}")]
    Refused {
        /// Its status.
        status: u16,
        /// What it said.
        message: String,
    },
}

#[derive(Deserialize)]
struct TwilioAnswer {
    sid: Option<String>,
    message: Option<String>,
}

impl Texter {
    /// A texter; nobody is asked before the first message.
    pub fn new(config: &SmsConfig, outbound: Outbound) -> Result<Self, BoxError> {
        Ok(Self {
            twilio: config.twilio.clone(),
            template: Template::parse(&config.template)?,
            outbound,
        })
    }

    /// What a message with this code says.
    pub fn text(&self, code: &Secret) -> String {
        self.template
            .render_plain(&json!({ "Code": code.expose() }))
    }

    /// Sends a code; answers what the provider calls the message.
    pub async fn send(
        &self,
        number: &str,
        code: &Secret,
        channel: Channel,
    ) -> Result<Option<String>, TextError> {
        let twilio = self.twilio.as_ref().ok_or(TextError::NoProvider)?;
        let mut url = twilio.url.clone();
        let path = format!("/2010-04-01/Accounts/{}/Messages.json", twilio.account);
        url.set_path(&path);
        let (to, from) = match channel {
            Channel::Sms => (format!("+{number}"), twilio.sender.clone()),
            Channel::Whatsapp => (
                format!("whatsapp:+{number}"),
                format!("whatsapp:{}", twilio.sender),
            ),
        };
        let form = [
            ("To", to),
            ("Channel", channel.as_str().to_owned()),
            ("From", from),
            ("Body", self.text(code)),
        ];
        let form = serde_urlencoded::to_string(form).map_err(|error| unreachable(error.into()))?;
        let login = format!("{}:{}", twilio.account, twilio.token.expose());
        let login = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(login)));
        let login = login.map_err(|error| unreachable(error.into()))?;
        let call = Call::post(url, "application/x-www-form-urlencoded", form);
        let answer = self
            .outbound
            .call(call.with("authorization", login))
            .await?;
        let said: TwilioAnswer = answer.json()?;
        if answer.status.is_success() {
            return Ok(said.sid);
        }
        Err(TextError::Refused {
            status: answer.status.as_u16(),
            message: said.message.unwrap_or_default(),
        })
    }
}

fn unreachable(error: BoxError) -> TextError {
    TextError::Unreachable(OutboundError::Failed(error))
}
