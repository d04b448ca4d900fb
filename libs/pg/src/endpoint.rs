//! Where a database is and who connects to it.

use std::fmt::Display;
use std::path::PathBuf;

use common::{Secret, Settings};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;
use sqlx::postgres::PgConnectOptions;
use url::Url;

mod libpq;
mod tls;

pub use tls::TlsMode;

/// The shortest password a login role may have, in bytes.
pub(crate) const MIN_PASSWORD_BYTES: usize = 12;
/// The port of the local Postgres.
pub const DEFAULT_PORT: u16 = 54322;

const USERINFO: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A database, and the role to connect to it as.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// A host name, an address, or the directory of a unix socket (begins with `/`).
    pub host: String,
    /// The TCP port; also part of a unix socket's name.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The role.
    pub user: String,
    /// Its password; `None` where the server trusts the connection.
    pub password: Option<Secret>,
    /// Encryption.
    pub tls: TlsMode,
    /// A file of trusted authorities, in PEM; the system's where `None`.
    pub root_certificate: Option<PathBuf>,
    /// Where the server on this machine has its unix socket: the pipeline prefers it to TCP, which
    /// costs more CPU a request, wherever it can be opened.
    pub socket_directory: Option<PathBuf>,
}

/// A database URL that cannot be used. The messages do not repeat it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("is no URL: use postgres://user:password@host:port/database")]
    Syntax,
    /// A URL of something else.
    #[error("is no Postgres URL: it begins with postgres:// or postgresql://")]
    Scheme,
    /// No role to connect as.
    #[error("names no user: use postgres://user:password@host:port/database")]
    User,
    /// Percent-encoded bytes that are no UTF-8.
    #[error("has a part that is not UTF-8")]
    Encoding,
    /// A port that is no number from 1 to 65535.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// An unknown `sslmode`.
    #[error("has an unknown sslmode: use disable, prefer, require, verify-ca or verify-full")]
    TlsMode,
}

impl Endpoint {
    /// Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`; `host`,
    /// `port`, `user`, `password` and `dbname` may be query parameters as in libpq. Others are
    /// ignored.
    pub fn from_url(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text).map_err(|_| EndpointError::Syntax)?;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(EndpointError::Scheme);
        }
        let host = decode(url.host_str().unwrap_or_default())?;
        let mut endpoint = Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(5432),
            database: decode(url.path().trim_start_matches('/'))?,
            user: decode(url.username())?,
            password: url.password().map(decode).transpose()?.map(Secret::from),
            tls: TlsMode::Prefer,
            root_certificate: None,
            socket_directory: None,
        };
        let mut tls = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "host" => endpoint.host = value.into_owned(),
                "port" => endpoint.port = value.parse().map_err(|_| EndpointError::Port)?,
                "user" => endpoint.user = value.into_owned(),
                "password" => endpoint.password = Some(Secret::from(value.into_owned())),
                "dbname" => endpoint.database = value.into_owned(),
                "sslmode" => tls = Some(value.parse()?),
                "sslrootcert" => endpoint.root_certificate = Some(PathBuf::from(&*value)),
                _ => {}
            }
        }
        endpoint.completed(tls)
    }

    fn completed(mut self, tls: Option<TlsMode>) -> Result<Self, EndpointError> {
        if self.user.is_empty() {
            return Err(EndpointError::User);
        }
        if self.port == 0 {
            return Err(EndpointError::Port);
        }
        if self.host.is_empty() {
            "localhost".clone_into(&mut self.host);
        }
        if self.database.is_empty() {
            self.database.clone_from(&self.user);
        }
        self.tls = tls.unwrap_or_else(|| TlsMode::for_host(&self.host));
        Ok(self)
    }

    /// Where `role` connects: `<prefix>_DATABASE_URL` where set, else `POSTGRES_HOST`
    /// (127.0.0.1), `POSTGRES_PORT` (54322), `POSTGRES_DB` (postgres), `POSTGRES_SSLMODE`,
    /// `POSTGRES_SSLROOTCERT`, `POSTGRES_SOCKET_DIR` and the secret `<prefix>_DB_PASSWORD`.
    pub fn from_settings(settings: &Settings<'_>, prefix: &str, role: &str) -> Option<Self> {
        let name = format!("{prefix}_DATABASE_URL");
        if let Some(url) = settings.text(&name) {
            return accepted(settings, &name, Self::from_url(&url));
        }
        let password = settings.secret(&format!("{prefix}_DB_PASSWORD"), MIN_PASSWORD_BYTES);
        Some(Self {
            password: Some(password?),
            ..Self::shared(settings, role)
        })
    }

    /// Where the superuser connects to bootstrap: `DATABASE_URL` where set, else as in
    /// [`Endpoint::from_settings`] as `postgres` with the secret `POSTGRES_PASSWORD`.
    pub fn admin_from_settings(settings: &Settings<'_>) -> Option<Self> {
        if let Some(url) = settings.text("DATABASE_URL") {
            return accepted(settings, "DATABASE_URL", Self::from_url(&url));
        }
        let password = settings.secret("POSTGRES_PASSWORD", MIN_PASSWORD_BYTES);
        Some(Self {
            password: Some(password?),
            ..Self::shared(settings, crate::roles::SUPERUSER)
        })
    }

    fn shared(settings: &Settings<'_>, role: &str) -> Self {
        let host = settings.text_or("POSTGRES_HOST", "127.0.0.1");
        let tls = settings.parsed_or("POSTGRES_SSLMODE", TlsMode::for_host(&host));
        Self {
            port: settings.port("POSTGRES_PORT", DEFAULT_PORT),
            database: settings.text_or("POSTGRES_DB", "postgres"),
            user: role.to_owned(),
            password: None,
            tls,
            root_certificate: settings.text("POSTGRES_SSLROOTCERT").map(PathBuf::from),
            socket_directory: settings.text("POSTGRES_SOCKET_DIR").map(PathBuf::from),
            host,
        }
    }

    /// This endpoint as sqlx takes it.
    pub fn connect_options(&self) -> PgConnectOptions {
        let mut options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .database(&self.database)
            .ssl_mode(self.tls.into());
        options = if self.host.starts_with('/') {
            options.socket(&self.host)
        } else {
            options.host(&self.host)
        };
        if let Some(password) = &self.password {
            options = options.password(password.expose());
        }
        if let Some(file) = &self.root_certificate {
            options = options.ssl_root_cert(file);
        }
        options
    }

    /// This endpoint as a URL any client reads, password and all.
    pub fn url(&self) -> Secret {
        let encoded = |text: &str| utf8_percent_encode(text, USERINFO).to_string();
        let password = self
            .password
            .as_ref()
            .map(|secret| encoded(secret.expose()));
        let user = encoded(&self.user);
        let userinfo = password.map_or_else(|| user.clone(), |secret| format!("{user}:{secret}"));
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            encoded(&self.host)
        };
        let (port, database) = (self.port, encoded(&self.database));
        let mode = self.tls.as_str();
        Secret::from(format!(
            "postgres://{userinfo}@{host}:{port}/{database}?sslmode={mode}"
        ))
    }

    /// The same database, as a role whose password follows from this one's, which it does not
    /// tell.
    #[must_use]
    pub fn derived(&self, user: &str) -> Self {
        let derive = |password: &Secret| derive_password(password, user);
        self.login(user, self.password.as_ref().map(derive))
    }

    /// The same database, as another role.
    #[must_use]
    pub fn login(&self, user: &str, password: Option<Secret>) -> Self {
        Self {
            user: user.to_owned(),
            password,
            ..self.clone()
        }
    }
}

fn derive_password(password: &Secret, user: &str) -> Secret {
    let mac = Hmac::<Sha256>::new_from_slice(password.expose().as_bytes());
    let digest = mac.map(|mac| mac.chain_update(user).finalize().into_bytes());
    // A key of any length will do: there is no error to speak of.
    let digits = digest.iter().flatten().map(|byte| format!("{byte:02x}"));
    Secret::from(digits.collect::<String>())
}

fn accepted<T, E: Display>(settings: &Settings<'_>, name: &str, read: Result<T, E>) -> Option<T> {
    read.map_err(|error| settings.reject(name, error.to_string()))
        .ok()
}

fn decode(text: &str) -> Result<String, EndpointError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| EndpointError::Encoding)
}

#[cfg(test)]
mod tests;
