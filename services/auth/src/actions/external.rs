//! Signing in by another provider: leaving for it, coming back from it, and whose account it is.

mod account;
mod begin;
mod finish;
mod id_token;

pub use begin::{Begun, Browser, Leaving, begin};
pub use finish::{Arrival, Ended, finish};
pub use id_token::{IdTokenGrant, sign_in_by_id_token};

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::app::App;
use crate::error::refusal::{BAD_OAUTH_CALLBACK, PROVIDER_DISABLED};
use crate::error::{Error, Result};
use crate::external::{Provider, ProviderError};

impl App {
    /// The provider of this name, where it is configured.
    pub fn provider(&self, name: &str) -> Result<&Arc<Provider>> {
        let found = self
            .providers
            .iter()
            .find(|known| known.config.name == name);
        found.ok_or_else(|| PROVIDER_DISABLED.into())
    }

    /// What a provider is to repeat, or is shown: made of the sign-in's id, and stored nowhere.
    fn flow_secret(&self, purpose: &[u8], flow: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(self.flow_key.mac(&[purpose, flow.as_bytes()]))
    }
}

/// A provider's refusal is told without its words; what cannot be reached is a fault of the day.
fn refused(error: ProviderError) -> Error {
    match error {
        ProviderError::Unreachable(_) => Error::ProviderUnreachable(error.into()),
        ProviderError::Answer(_) | ProviderError::IdToken(_) => {
            tracing::warn!(%error, "a provider did not tell who somebody is");
            BAD_OAUTH_CALLBACK.into()
        }
    }
}
