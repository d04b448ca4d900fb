//! Sign-ins that a client began and comes back to with a code.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ids::UserId;
use crate::domain::pkce::CodeChallenge;

/// How long a code is good after it was given out.
pub const CODE_LIFETIME: Duration = Duration::from_mins(5);

/// A sign-in that began.
#[derive(Debug, Clone)]
pub struct FlowState {
    /// The row's id.
    pub id: Uuid,
    /// Who it is, once that is known.
    pub user_id: Option<UserId>,
    /// What the client has to show; none where it asked for the session itself.
    pub challenge: Option<CodeChallenge>,
    /// The provider: `email`, `magiclink`, `github`.
    pub provider: String,
    /// How the user proves who they are, in the words of the `amr` claim.
    pub method: String,
    /// When the code was given out.
    pub code_issued_at: Option<OffsetDateTime>,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// The user who links another identity, where that is what it is for.
    pub linking_target: Option<UserId>,
    /// Where the browser goes at the end.
    pub redirect_to: Option<String>,
    /// The SHA-256 of what the browser that began keeps; none where no browser did.
    pub browser_hash: Option<String>,
    /// The provider's own tokens, for the client; sealed.
    pub provider_tokens: ProviderTokens,
}

/// What a provider gave out for its user.
#[derive(Debug, Clone, Default)]
pub struct ProviderTokens {
    /// Its access token.
    pub access_token: Option<String>,
    /// Its refresh token.
    pub refresh_token: Option<String>,
}

impl FlowState {
    /// Whether its code is too old at `now`.
    pub fn code_expired(&self, now: OffsetDateTime) -> bool {
        self.code_issued_at
            .is_none_or(|issued| now > issued + CODE_LIFETIME)
    }
}
