//! Writing messages that users prove something with, and sending them once their tokens are stored.

use std::sync::Arc;

use common::Secret;
use pg::sqlx::PgConnection;
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use crate::app::App;
use crate::domain::email::EmailAddress;
use crate::domain::flow_state::{FlowState, ProviderTokens};
use crate::domain::one_time::{self, OneTimeToken, PKCE_PREFIX, Purpose, link_hash};
use crate::domain::phone::PhoneNumber;
use crate::domain::pkce::CodeChallenge;
use crate::domain::session::{Client, Method};
use crate::domain::user::User;
use crate::error::refusal::SMS_SEND_FAILED;
use crate::error::{Error, Medium, Result, TooManyMessages};
use crate::hooks::HookName;
use crate::mail::{Letter, LetterKind};
use crate::sms::{Channel, TextError};
use crate::store;
use crate::store::one_time_tokens::NewOneTime;
use crate::wire::UserResponse;

/// Where a message leads its reader.
#[derive(Debug, Clone)]
pub struct Leading {
    /// Where the link goes on to.
    pub redirect_to: Url,
    /// What the client that began has to show at the end.
    pub challenge: Option<CodeChallenge>,
}

impl Leading {
    /// To the site.
    pub fn to_site(app: &App) -> Self {
        Self {
            redirect_to: app.rules.links.site_url.clone(),
            challenge: None,
        }
    }
}

/// A letter to be written.
#[derive(Debug)]
pub struct LetterRequest {
    /// Which one.
    pub kind: LetterKind,
    /// What its token is for.
    pub purpose: Purpose,
    /// Whom it goes to.
    pub to: EmailAddress,
    /// Where the link goes on to.
    pub redirect_to: Url,
    /// The sign-in that the link goes on with.
    pub flow: Option<Uuid>,
}

/// A letter whose token is stored.
#[derive(Debug)]
pub struct Outgoing {
    user: User,
    purpose: Purpose,
    letter: Letter,
}

/// A text message whose code is stored.
#[derive(Debug)]
pub struct OutgoingText {
    user: User,
    purpose: Purpose,
    number: PhoneNumber,
    /// None where the number is one that nothing is sent to.
    code: Option<Secret>,
    channel: Channel,
}

/// Notes a sign-in that a client comes back to; none where it asked for the session itself.
pub async fn begin_flow(
    app: &App,
    connection: &mut PgConnection,
    challenge: Option<CodeChallenge>,
    user: &User,
    method: Method,
) -> Result<Option<Uuid>> {
    let Some(challenge) = challenge else {
        return Ok(None);
    };
    let flow = FlowState {
        id: app.randomness.uuid(),
        user_id: Some(user.id),
        challenge: Some(challenge),
        provider: "email".to_owned(),
        method: method.as_str().to_owned(),
        code_issued_at: None,
        created_at: app.now(),
        linking_target: None,
        redirect_to: None,
        browser_hash: None,
        provider_tokens: ProviderTokens::default(),
    };
    store::flow_states::insert(connection, &flow).await?;
    Ok(Some(flow.id))
}

/// Writes a letter that a user asked for: not too soon after the last, nor too many from one
/// address.
pub async fn write_letter(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    request: LetterRequest,
) -> Result<Outgoing> {
    check_pause(app, user, request.purpose, Medium::Email)?;
    app.limit_messages(Medium::Email, client)?;
    write_unasked_letter(app, connection, user, request).await
}

/// Writes a letter whatever was sent before: an administrator asks for it.
pub async fn write_unasked_letter(
    app: &App,
    connection: &mut PgConnection,
    user: &User,
    request: LetterRequest,
) -> Result<Outgoing> {
    let digits = app.rules.mail.code_digits;
    let prefix = request.flow.map_or("", |_| PKCE_PREFIX);
    let token = one_time::generate(&*app.randomness, digits, prefix);
    let recipient = request.to.as_str();
    let purpose = request.purpose;
    store_token(
        app,
        connection,
        (user, purpose, recipient),
        &token,
        request.flow,
    )
    .await?;
    let now = app.now();
    store::users::update_sent(connection, user.id, purpose, Some(now)).await?;
    let letter = letter(app, user, request, token);
    Ok(Outgoing {
        user: user.clone(),
        purpose,
        letter,
    })
}

impl Outgoing {
    /// The letter.
    pub fn letter(&self) -> &Letter {
        &self.letter
    }
}

async fn store_token(
    app: &App,
    connection: &mut PgConnection,
    (user, purpose, recipient): (&User, Purpose, &str),
    token: &OneTimeToken,
    flow: Option<Uuid>,
) -> Result<()> {
    let new = NewOneTime {
        id: app.randomness.uuid(),
        user_id: user.id,
        purpose,
        link_hash: link_hash(token.link.expose()),
        code_hash: app.one_time_key.code_hash(recipient, token.code.expose()),
        relates_to: recipient.to_owned(),
        flow_state: flow,
    };
    Ok(store::one_time_tokens::replace(connection, &new, app.now()).await?)
}

fn letter(app: &App, user: &User, request: LetterRequest, token: OneTimeToken) -> Letter {
    let page = match request.kind {
        LetterKind::Confirmation | LetterKind::MagicLink | LetterKind::Reauthentication => {
            &app.pages.confirmation
        }
        LetterKind::Invite => &app.pages.invite,
        LetterKind::Recovery => &app.pages.recovery,
        LetterKind::EmailChange => &app.pages.email_change,
    };
    let mut link = page.clone();
    link.query_pairs_mut()
        .append_pair("token", token.link.expose())
        .append_pair("type", request.kind.action())
        .append_pair("redirect_to", request.redirect_to.as_str());
    let email = user.email.clone().unwrap_or_default();
    let new_email = if request.purpose == Purpose::EmailChangeNew {
        request.to.as_str().to_owned()
    } else {
        user.new_email.clone().unwrap_or_default()
    };
    Letter {
        kind: request.kind,
        to: request.to,
        email,
        new_email,
        code: token.code,
        link_token: token.link,
        link,
        redirect_to: request.redirect_to,
        site_url: app.rules.links.site_url.clone(),
        data: user.user_metadata.clone(),
    }
}

/// Writes a text message that a user asked for.
pub async fn write_text(
    app: &App,
    connection: &mut PgConnection,
    client: &Client,
    user: &User,
    (purpose, number, channel): (Purpose, PhoneNumber, Channel),
) -> Result<OutgoingText> {
    let now = app.now();
    let test_code = app.rules.sms.test_code(number.as_str(), now).cloned();
    let digits = app.rules.sms.code_digits;
    let mut token = one_time::generate(&*app.randomness, digits, "");
    if let Some(code) = &test_code {
        token.code = code.clone();
    } else {
        check_pause(app, user, purpose, Medium::Sms)?;
        app.limit_messages(Medium::Sms, client)?;
    }
    store_token(
        app,
        connection,
        (user, purpose, number.as_str()),
        &token,
        None,
    )
    .await?;
    store::users::update_sent(connection, user.id, purpose, Some(now)).await?;
    Ok(OutgoingText {
        user: user.clone(),
        purpose,
        number,
        code: test_code.is_none().then_some(token.code),
        channel,
    })
}

fn check_pause(app: &App, user: &User, purpose: Purpose, medium: Medium) -> Result<()> {
    let times = &user.times;
    let last: Option<OffsetDateTime> = match purpose {
        Purpose::Confirmation => times.confirmation_sent_at,
        Purpose::Recovery => times.recovery_sent_at,
        Purpose::EmailChangeCurrent | Purpose::EmailChangeNew => times.email_change_sent_at,
        Purpose::Reauthentication => times.reauthentication_sent_at,
        Purpose::PhoneChange => times.phone_change_sent_at,
    };
    let pause = match medium {
        Medium::Email => app.rules.mail.pause,
        Medium::Sms => app.rules.sms.pause,
    };
    let left = last.map(|last| last + pause - app.now());
    match left {
        Some(left) if left.is_positive() => Err(Error::MessagesLimited(TooManyMessages {
            medium,
            same_user: true,
            pause: left.unsigned_abs(),
        })),
        Some(_) | None => Ok(()),
    }
}

/// Sends letters, in a moment when no connection is held. One that cannot be sent may be asked for
/// again at once.
pub async fn post(app: &App, letters: Vec<Outgoing>) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    let sent = if app.has_hook(HookName::SendEmail) {
        hand_over(app, &letters).await
    } else {
        send_letters(app, &letters).await
    };
    if sent.is_err() {
        let mut connection = app.pool.acquire().await?;
        for Outgoing { user, purpose, .. } in &letters {
            store::users::update_sent(&mut connection, user.id, *purpose, None).await?;
        }
    }
    sent
}

/// Sends letters after the answer, whose time would tell whether there were any to send. What the
/// operator's own code does with them is waited for: it may refuse.
pub async fn post_after_answer(app: &Arc<App>, letters: Vec<Outgoing>) -> Result<()> {
    if letters.is_empty() || app.has_hook(HookName::SendEmail) {
        return post(app, letters).await;
    }
    let sender = Arc::clone(app);
    app.letters.spawn(async move {
        if let Err(error) = post(&sender, letters).await {
            common::error::report("auth", &error);
        }
    });
    Ok(())
}

async fn send_letters(app: &App, letters: &[Outgoing]) -> Result<()> {
    for outgoing in letters {
        let sent = app.postbox.send(&outgoing.letter).await;
        sent.map_err(Error::internal)?;
    }
    Ok(())
}

/// Hands letters over to the operator's own code: both of a change of address at once, where the
/// hashes stand crosswise, as the interface has it.
async fn hand_over(app: &App, letters: &[Outgoing]) -> Result<()> {
    let Some(first) = letters.first() else {
        return Ok(());
    };
    let letter = &first.letter;
    let mut data = json!({
        "token": letter.code.expose(), "token_hash": letter.link_token.expose(),
        "token_new": "", "token_hash_new": "",
        "redirect_to": letter.redirect_to.as_str(), "site_url": app.rules.issuer,
        "email_action_type": letter.kind.action(),
    });
    if let Some(current) = letters.get(1).map(|current| &current.letter) {
        data["token"] = json!(current.code.expose());
        data["token_hash_new"] = json!(current.link_token.expose());
        data["token_new"] = json!(letter.code.expose());
    }
    let mut user = first.user.clone();
    if !letter.new_email.is_empty() {
        user.new_email = Some(letter.new_email.clone());
    }
    let user = serde_json::to_value(UserResponse::from(user)).map_err(Error::internal)?;
    let payload = json!({ "user": user, "email_data": data });
    let name = HookName::SendEmail;
    let _: Option<Value> = app.ask_hook(name, &payload).await?;
    Ok(())
}

/// Sends a text message; answers what the provider calls it.
pub async fn post_text(app: &App, text: OutgoingText) -> Result<Option<String>> {
    let Some(code) = &text.code else {
        return Ok(None);
    };
    let message = (text.number.as_str(), code, text.channel);
    let sent = send_text(app, &text.user, message).await;
    if sent.is_err() {
        let mut connection = app.pool.acquire().await?;
        store::users::update_sent(&mut connection, text.user.id, text.purpose, None).await?;
    }
    sent
}

/// Sends a code to a number, or has the operator's own code do it.
pub async fn send_text(
    app: &App,
    user: &User,
    (number, code, channel): (&str, &Secret, Channel),
) -> Result<Option<String>> {
    let name = HookName::SendSms;
    if app.has_hook(name) {
        let user = serde_json::to_value(UserResponse::from(user.clone()));
        let user = user.map_err(Error::internal)?;
        let sms = json!({ "otp": code.expose(), "phone": number });
        let payload = json!({ "user": user, "sms": sms });
        let _: Option<Value> = app.ask_hook(name, &payload).await?;
        return Ok(None);
    }
    match app.texter.send(number, code, channel).await {
        Ok(id) => Ok(id),
        Err(error @ (TextError::Refused { .. } | TextError::NoProvider)) => {
            tracing::warn!(%error, "a text message was not sent");
            Err(SMS_SEND_FAILED.into())
        }
        Err(error @ TextError::Unreachable(_)) => Err(Error::internal(error)),
    }
}
