//! GitHub, which speaks OAuth and tells who somebody is by its own interface.

use axum::http::HeaderValue;
use serde::Deserialize;
use url::Url;

use super::{ExternalUser, Provider, ProviderError, joined};
use crate::domain::email::EmailAddress;
use crate::domain::metadata::Metadata;
use crate::outbound::Call;

#[derive(Deserialize)]
struct GitHubUser {
    id: i64,
    login: Option<String>,
    name: Option<String>,
    avatar_url: Option<String>,
}

#[derive(Deserialize)]
struct GitHubEmail {
    email: String,
    primary: bool,
    verified: bool,
}

impl Provider {
    pub(super) async fn github_user(
        &self,
        api: &Url,
        token: &str,
    ) -> Result<ExternalUser, ProviderError> {
        let ask = |path: &str| -> Result<Call, ProviderError> {
            let accept = HeaderValue::from_static("application/vnd.github+json");
            let call = Call::get(joined(api, path)?);
            Ok(call.bearer(token).with("accept", accept))
        };
        let user = self.outbound.call(ask("user")?).await?;
        let user: GitHubUser = user.json()?;
        let emails = self.outbound.call(ask("user/emails")?).await?;
        let emails: Vec<GitHubEmail> = emails.json()?;
        let best = emails
            .iter()
            .max_by_key(|email| (email.verified, email.primary));
        let mut claims = Metadata::default();
        let texts = [
            ("user_name", &user.login),
            ("preferred_username", &user.login),
            ("name", &user.name),
            ("full_name", &user.name),
            ("avatar_url", &user.avatar_url),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                claims.set(name, text.clone());
            }
        }
        claims.set("iss", api.as_str().trim_end_matches('/'));
        Ok(ExternalUser {
            subject: user.id.to_string(),
            email: best.and_then(|best| EmailAddress::parse(&best.email).ok()),
            email_verified: best.is_some_and(|best| best.verified),
            claims,
        })
    }
}
