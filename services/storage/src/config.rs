//! Everything storage reads from its environment.

use std::path::PathBuf;
use std::sync::Arc;

use common::{BoxError, Secret, Service, ServiceConfig, Settings, SystemClock};
use jwt::JwtConfig;
use pg::{Endpoint, roles};

use crate::backend::Place;
use crate::backend::s3::{Addressing, S3Settings};
use crate::domain::s3_keys::S3Keys;
use crate::service;

/// The largest object unless `FILE_SIZE_LIMIT` says otherwise: 5 GiB.
const FILE_SIZE_LIMIT: u64 = 5 * 1024 * 1024 * 1024;
/// How long a signed upload URL is good, in seconds, unless set: two hours.
const UPLOAD_URL_LIFETIME_S: u32 = 7200;

/// How long an upload in parts may take, in seconds, unless set: a day.
const PENDING_LIFETIME_S: u32 = 86_400;

/// The storage service's configuration.
#[derive(Debug)]
pub struct Config {
    pub(crate) users: Endpoint,
    pub(crate) services: Endpoint,
    pub(crate) owner: Endpoint,
    pub(crate) jwt: JwtConfig,
    pub(crate) secret: Secret,
    pub(crate) files: PathBuf,
    pub(crate) s3: Option<S3Settings>,
    pub(crate) backend: Backend,
    pub(crate) s3_keys: S3Keys,
    pub(crate) limits: Limits,
    pub(crate) public_url: String,
}

/// Which backend keeps objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The file system.
    File,
    /// An S3 server.
    S3,
}

impl Config {
    /// Where `backend` keeps objects; `None` where it is not set up.
    pub fn place(&self, backend: Backend) -> Option<Place> {
        match backend {
            Backend::File => Some(Place::FileSystem(self.files.clone())),
            Backend::S3 => self.s3.clone().map(Place::S3),
        }
    }

    /// The backend that the service uses.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The keys of the S3 protocol that act as the service.
    pub fn s3_keys(&self) -> &S3Keys {
        &self.s3_keys
    }
}

/// What storage takes and for how long its URLs are good.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest object, in bytes.
    pub file_size: u64,
    /// How long a signed upload URL is good, in seconds.
    pub upload_url_lifetime_s: u32,
    /// How long an upload in parts may take, in seconds.
    pub pending_lifetime_s: u32,
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
            pending_lifetime_s: settings.parsed_or("UPLOAD_EXPIRATION_TIME", PENDING_LIFETIME_S),
        };
        let backend = backend(settings);
        // What is missing of it is told, and ends the start, only where somebody began to set it.
        let wants_s3 = backend == Some(Backend::S3) || settings.text("STORAGE_S3_BUCKET").is_some();
        let s3 = wants_s3.then(|| s3_settings(settings)).flatten();
        let url = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
        let s3_keys = S3Keys::from_settings(settings, secret.as_ref());
        Some(Self {
            users: users?,
            services: services?,
            owner: owner?,
            jwt: jwt?,
            secret: secret?,
            files: root.unwrap_or_else(|| data.join("storage")),
            s3,
            backend: backend?,
            s3_keys: s3_keys?,
            limits,
            public_url: url.trim_end_matches('/').to_owned(),
        })
    }

    async fn build(self) -> Result<Service, BoxError> {
        service::build(self, Arc::new(SystemClock)).await
    }
}

fn backend(settings: &Settings<'_>) -> Option<Backend> {
    match settings.text_or("STORAGE_BACKEND", "file").as_str() {
        "file" => Some(Backend::File),
        "s3" => Some(Backend::S3),
        _ => {
            settings.reject("STORAGE_BACKEND", "must be file or s3");
            None
        }
    }
}

/// The S3 server, where one is set up.
fn s3_settings(settings: &Settings<'_>) -> Option<S3Settings> {
    let endpoint = settings.text("STORAGE_S3_ENDPOINT");
    let path_style = settings.flag("STORAGE_S3_FORCE_PATH_STYLE", endpoint.is_some());
    let bucket = settings.required_text("STORAGE_S3_BUCKET");
    let access_key_id = settings.required_text("STORAGE_S3_ACCESS_KEY_ID");
    let secret_access_key = settings.secret("STORAGE_S3_SECRET_ACCESS_KEY", 8);
    Some(S3Settings {
        endpoint,
        bucket: bucket?,
        region: settings.text_or("STORAGE_S3_REGION", "us-east-1"),
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
        addressing: if path_style {
            Addressing::Path
        } else {
            Addressing::VirtualHost
        },
    })
}
