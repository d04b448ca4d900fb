//! What the service reads from its environment.

use std::path::PathBuf;
use std::time::Duration;

use common::error::BoxError;
use common::{Service, ServiceConfig, Settings};
use jwt::{ApiKeys, JwtConfig};
use pg::{Endpoint, roles};

use crate::limits::Limits;
use crate::service;

const MEGABYTE: usize = 1_000_000;
/// Stock clients send one every 25 s.
const TWO_HEARTBEATS: Duration = Duration::from_secs(50);
/// What a busy quarter of an hour takes: of changes of 300 bytes about 200 a second.
const JOURNAL_BYTES: u64 = 64_000_000;

/// The service's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database, as the owner of schema `realtime`, who may replicate.
    pub endpoint: Endpoint,
    /// The database, as anonymous and signed-in listeners.
    pub authenticator: Endpoint,
    /// The database, as listeners with the service key.
    pub service_authenticator: Endpoint,
    /// How tokens are checked.
    pub jwt: JwtConfig,
    /// The API keys.
    pub keys: ApiKeys,
    /// The publication whose tables are listened to.
    pub publication: String,
    /// Where the journal lies.
    pub journal: PathBuf,
    /// How many bytes it may have; none is kept with 0.
    pub journal_bytes: u64,
    /// What clients may take.
    pub limits: Limits,
    /// The web origins sockets may come from; any where empty.
    pub origins: Vec<String>,
}

impl ServiceConfig for Config {
    const NAME: &'static str = "realtime";
    const PORT: u16 = 4000;

    /// `REALTIME_PUBLICATION` (`supabase_realtime`), `REALTIME_JOURNAL_DIR` (`realtime` in
    /// `DATA_DIR`), `REALTIME_JOURNAL_BYTES` (64,000,000), `REALTIME_ALLOWED_ORIGINS` (a list; any
    /// where not set), the limits `REALTIME_MAX_CLIENTS` (10,000), `REALTIME_MAX_CHANNELS` (100 a
    /// client), `REALTIME_MAX_JOINS` and `REALTIME_MAX_EVENTS` (100 a second and client),
    /// `REALTIME_KEY_MAX_CLIENTS` (10,000 a key), `REALTIME_KEY_MAX_JOINS` and
    /// `REALTIME_KEY_MAX_EVENTS` (10,000 a second and key),
    /// `REALTIME_MAX_MESSAGE_BYTES` (3,000,000), `REALTIME_MAX_EVENT_BYTES` (10,000,000),
    /// `REALTIME_BUFFER_BYTES` (16,000,000 a client), `REALTIME_MAX_SILENCE` (50 seconds), and what
    /// `libs/pg` and `libs/jwt` read.
    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        let endpoint = Endpoint::from_settings(settings, "REALTIME", roles::REALTIME_ADMIN);
        let user = Endpoint::from_settings(settings, "AUTHENTICATOR", roles::AUTHENTICATOR);
        let service = roles::SERVICE_AUTHENTICATOR;
        let service = Endpoint::from_settings(settings, "SERVICE_AUTHENTICATOR", service);
        let jwt = JwtConfig::from_settings(settings);
        let keys = ApiKeys::from_settings(settings);
        let limits = Limits {
            max_clients: settings.parsed_or("REALTIME_MAX_CLIENTS", 10_000),
            max_channels: settings.parsed_or("REALTIME_MAX_CHANNELS", 100),
            joins_per_second: settings.parsed_or("REALTIME_MAX_JOINS", 100),
            events_per_second: settings.parsed_or("REALTIME_MAX_EVENTS", 100),
            key_clients: settings.parsed_or("REALTIME_KEY_MAX_CLIENTS", 10_000),
            key_joins_per_second: settings.parsed_or("REALTIME_KEY_MAX_JOINS", 10_000),
            key_events_per_second: settings.parsed_or("REALTIME_KEY_MAX_EVENTS", 10_000),
            max_message_bytes: settings.parsed_or("REALTIME_MAX_MESSAGE_BYTES", 3 * MEGABYTE),
            max_event_bytes: settings.parsed_or("REALTIME_MAX_EVENT_BYTES", 10 * MEGABYTE),
            buffer_bytes: settings.parsed_or("REALTIME_BUFFER_BYTES", 16 * MEGABYTE),
            max_silence: settings.seconds("REALTIME_MAX_SILENCE", TWO_HEARTBEATS),
        };
        let data = settings.path("DATA_DIR", "./data");
        let journal = settings.text("REALTIME_JOURNAL_DIR").map(PathBuf::from);
        Some(Self {
            endpoint: endpoint?,
            authenticator: user?,
            service_authenticator: service?,
            jwt: jwt?,
            keys: keys?,
            publication: settings.text_or("REALTIME_PUBLICATION", "supabase_realtime"),
            journal: journal.unwrap_or_else(|| data.join("realtime")),
            journal_bytes: settings.parsed_or("REALTIME_JOURNAL_BYTES", JOURNAL_BYTES),
            limits,
            origins: settings.list("REALTIME_ALLOWED_ORIGINS"),
        })
    }

    async fn build(self) -> Result<Service, BoxError> {
        service::build(self).await
    }
}
