//! What handlers are given, each only what it asks for.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use jwt::Verifier;
use tokio::sync::Notify;

use crate::authoriser::Authoriser;
use crate::config::Limits;
use crate::domain::signature::UrlSigner;
use crate::integrity::Reads;
use crate::renditions::Renditions;
use crate::routes::s3::Protocol;
use crate::uploads::Uploads;
use crate::uploads::pending::PendingUploads;

/// What all handlers share. The router hands out a clone with each request, so that is one count.
#[derive(Clone)]
pub(crate) struct App(Arc<AppParts>);

/// The parts of the service that handlers take as `State`.
pub(crate) struct AppParts {
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) authoriser: Authoriser,
    pub(crate) uploads: Uploads,
    pub(crate) reads: Reads,
    pub(crate) pending: PendingUploads,
    pub(crate) renditions: Renditions,
    pub(crate) s3: Protocol,
    pub(crate) signer: UrlSigner,
    pub(crate) limits: Limits,
    /// The platform's public base URL, without a slash at the end.
    pub(crate) public_url: Arc<str>,
    pub(crate) discarded: Discarded,
}

impl From<AppParts> for App {
    fn from(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// Wakes the sweeper: versions may have been discarded.
#[derive(Clone)]
pub(crate) struct Discarded(pub(crate) Arc<Notify>);

impl FromRef<App> for Arc<Verifier> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.verifier)
    }
}

impl FromRef<App> for Authoriser {
    fn from_ref(app: &App) -> Self {
        app.authoriser.clone()
    }
}

impl FromRef<App> for Uploads {
    fn from_ref(app: &App) -> Self {
        app.uploads.clone()
    }
}

impl FromRef<App> for Renditions {
    fn from_ref(app: &App) -> Self {
        app.renditions.clone()
    }
}

impl FromRef<App> for UrlSigner {
    fn from_ref(app: &App) -> Self {
        app.signer.clone()
    }
}

impl FromRef<App> for Limits {
    fn from_ref(app: &App) -> Self {
        app.limits
    }
}

impl FromRef<App> for Discarded {
    fn from_ref(app: &App) -> Self {
        app.discarded.clone()
    }
}
