//! Security keys and passkeys (<https://www.w3.org/TR/webauthn-2/>): what browsers are asked, and
//! whether their answers hold. Everything is JSON here, as browsers and the database keep it.

use common::BoxError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AuthenticationState, Credential, PublicKeyCredential, RegisterPublicKeyCredential,
    RegistrationState, UserVerificationPolicy,
};

use crate::config::WebauthnConfig;
use crate::domain::user::User;

/// Who browsers make keys for.
pub struct RelyingParty(WebauthnCore);

/// What a browser is asked.
#[derive(Debug)]
pub struct Question {
    /// What the browser is given: the content of `publicKey`.
    pub options: Value,
    /// What its answer is held against; not secret.
    pub state: Value,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Signing in: the authenticator knows whose it is, and checks who holds it.
    Passkey,
    /// Being shown besides something else.
    SecondFactor,
}

impl KeyUse {
    fn policy(self) -> UserVerificationPolicy {
        match self {
            Self::Passkey => UserVerificationPolicy::Required,
            Self::SecondFactor => UserVerificationPolicy::Preferred,
        }
    }
}

/// Why there is no answer that holds.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The browser's answer is not one to the question, or not of this key.
    #[error("the answer does not hold")]
    Answer(#[source] BoxError),
    /// What we stored cannot be used.
    #[error("what is stored of a key cannot be used")]
    Stored(#[source] BoxError),
}

impl From<WebauthnError> for KeyError {
    fn from(error: WebauthnError) -> Self {
        Self::Answer(error.into())
    }
}

impl RelyingParty {
    /// As configured. On one's own machine, pages of every port may ask.
    pub fn new(config: &WebauthnConfig) -> Self {
        let any_port = config.rp_id == "localhost";
        Self(WebauthnCore::new_unsafe_experts_only(
            &config.rp_name,
            &config.rp_id,
            config.origins.clone(),
            config.challenge_lifetime,
            None,
            Some(any_port),
        ))
    }

    /// Asks for a new key of `user`, who has `keys` already.
    pub fn ask_for_new(
        &self,
        user: &User,
        keys: &[Value],
        key_use: KeyUse,
    ) -> Result<Question, KeyError> {
        let id = user.id.to_string();
        let contact = user.email.as_ref().or(user.phone.as_ref()).unwrap_or(&id);
        let known: Vec<Credential> = all_stored(keys)?;
        let known = known.into_iter().map(|key| key.cred_id).collect();
        let handle = user.id.0.as_bytes();
        let builder = self
            .0
            .new_challenge_register_builder(handle, contact, contact)?
            .user_verification_policy(key_use.policy())
            .require_resident_key(key_use == KeyUse::Passkey)
            .exclude_credentials(Some(known));
        let (question, state) = self.0.generate_challenge_register(builder)?;
        Question::new(&question.public_key, &state)
    }

    /// The new key of an answer, as it is stored.
    pub fn new_key(&self, state: &Value, answer: &Value) -> Result<Value, KeyError> {
        let state: RegistrationState = stored(state)?;
        let answer: RegisterPublicKeyCredential = answered(answer)?;
        let key = self.0.register_credential(&answer, &state, None)?;
        to_json(&key)
    }

    /// Asks for one of these keys; for any passkey at all where there are none.
    pub fn ask_for(&self, keys: &[Value], key_use: KeyUse) -> Result<Question, KeyError> {
        let keys: Vec<Credential> = all_stored(keys)?;
        let builder = self
            .0
            .new_challenge_authenticate_builder(keys, Some(key_use.policy()))?;
        let (question, state) = self.0.generate_challenge_authenticate(builder)?;
        Question::new(&question.public_key, &state)
    }

    /// Whether an answer was made with `key`; the key as it is stored from now on.
    pub fn used_key(&self, state: &Value, answer: &Value, key: &Value) -> Result<Value, KeyError> {
        let state: AuthenticationState = stored(state)?;
        let answer: PublicKeyCredential = answered(answer)?;
        let mut key: Credential = stored(key)?;
        let used = self
            .0
            .authenticate_single_credential(&answer, &state, &key)?;
        key.counter = used.counter();
        key.backup_state = used.backup_state();
        key.backup_eligible = used.backup_eligible();
        to_json(&key)
    }
}

impl Question {
    fn new(options: &impl Serialize, state: &impl Serialize) -> Result<Self, KeyError> {
        Ok(Self {
            options: to_json(options)?,
            state: to_json(state)?,
        })
    }
}

fn to_json(value: &impl Serialize) -> Result<Value, KeyError> {
    serde_json::to_value(value).map_err(|error| KeyError::Stored(error.into()))
}

fn stored<T: DeserializeOwned>(value: &Value) -> Result<T, KeyError> {
    T::deserialize(value).map_err(|error| KeyError::Stored(error.into()))
}

fn all_stored<T: DeserializeOwned>(values: &[Value]) -> Result<Vec<T>, KeyError> {
    values.iter().map(stored).collect()
}

fn answered<T: DeserializeOwned>(value: &Value) -> Result<T, KeyError> {
    T::deserialize(value).map_err(|error| KeyError::Answer(error.into()))
}
