//! Everything storage reads from its environment.

use std::path::PathBuf;
use std::sync::Arc;

use common::{BoxError, Secret, Service, ServiceConfig, Settings, SystemClock};
use jwt::JwtConfig;
use pg::{Endpoint, roles};

use crate::service;

/// The largest object unless `FILE_SIZE_LIMIT` says otherwise: 5 GiB.
const FILE_SIZE_LIMIT: u64 = 5 * 1024 * 1024 * 1024;
/// How long a signed upload URL is good, in seconds, unless set: two hours.
const UPLOAD_URL_LIFETIME_S: u32 = 7200;

/// The storage service's configuration.
#[derive(Debug)]
pub struct Config {
    pub(crate) users: Endpoint,
    pub(crate) services: Endpoint,
    pub(crate) owner: Endpoint,
    pub(crate) jwt: JwtConfig,
    pub(crate) secret: Secret,
    pub(crate) root: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) public_url: String,
}

/// What storage takes and for how long its URLs are good.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest object, in bytes.
    pub file_size: u64,
    /// How long a signed upload URL is good, in seconds.
    pub upload_url_lifetime_s: u32,
}

impl ServiceConfig for Config {
    const NAME: &'static str = "storage";
    const PORT: u16 = 5000;

    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let users = Endpoint::from_settings(settings, "AUTHENTICATOR", roles::AUTHENTICATOR);
        let services = Endpoint::from_settings(
            settings,
            "SERVICE_AUTHENTICATOR",
            roles::SERVICE_AUTHENTICATOR,
        );
        let owner = Endpoint::from_settings(settings, "STORAGE", roles::STORAGE_ADMIN);
        let jwt = JwtConfig::from_settings(settings);
        let secret = settings.secret("JWT_SECRET", 32);
        let data = settings.path("DATA_DIR", "./data");
        let root = settings
            .text("FILE_STORAGE_BACKEND_PATH")
            .map(PathBuf::from);
        let limits = Limits {
            file_size: settings.parsed_or("FILE_SIZE_LIMIT", FILE_SIZE_LIMIT),
            upload_url_lifetime_s: settings
                .parsed_or("SIGNED_UPLOAD_URL_EXPIRATION_TIME", UPLOAD_URL_LIFETIME_S),
        };
        let url = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
        Some(Self {
            users: users?,
            services: services?,
            owner: owner?,
            jwt: jwt?,
            secret: secret?,
            root: root.unwrap_or_else(|| data.join("storage")),
            limits,
            public_url: url.trim_end_matches('/').to_owned(),
        })
    }

    async fn build(self) -> Result<Service, BoxError> {
        service::build(self, Arc::new(SystemClock)).await
    }
}
