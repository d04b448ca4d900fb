//! What handlers are given, each only what it asks for.

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

/// The parts of the service that handlers take as `State`.
#[derive(Clone)]
pub(crate) struct App {
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
