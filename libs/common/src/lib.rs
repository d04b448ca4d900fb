//! What every part of the platform stands on: configuration read once from an injected
//! environment, time and randomness as parameters, the service shape, its lifecycle, the HTTP
//! server, telemetry, health and metrics.
//!
//! This crate imports no other crate of the workspace and no database driver.

pub mod bootstrap;
pub mod clock;
pub mod environment;
pub mod error;
pub mod health;
pub mod ids;
pub mod lifecycle;
pub mod metrics;
pub mod random;
pub mod request_id;
pub mod secret;
pub mod server;
pub mod service;
pub mod settings;
pub mod telemetry;

pub use bootstrap::ServiceConfig;
pub use clock::{Clock, FixedClock, SystemClock};
pub use environment::{Environment, EnvironmentMap, ProcessEnvironment};
pub use error::BoxError;
pub use health::Check;
pub use lifecycle::Lifecycle;
pub use random::{Randomness, SystemRandomness};
pub use request_id::RequestId;
pub use secret::Secret;
pub use service::{Service, Task};
pub use settings::{ConfigErrors, Settings};
