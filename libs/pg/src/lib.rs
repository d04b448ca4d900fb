//! Postgres as every service uses it: where it is and how to connect, roles and the transaction a
//! request runs in, identifiers, SQLSTATEs, migrations, the platform's own objects, a pipelined
//! client, and a local server where none is given.
//!
//! Only this crate names a driver; others reach it as [`sqlx`] through here.

pub mod access;
pub mod bootstrap;
pub mod endpoint;
pub mod events;
pub mod ident;
pub mod local;
pub mod migrations;
pub mod pipeline;
pub mod pool;
pub mod request_context;
pub mod roles;
pub mod sqlstate;

pub use access::{AccessPipelines, AccessPools};
pub use endpoint::Endpoint;
pub use ident::{Ident, QualifiedIdent, search_path};
pub use migrations::{Migration, Migrations};
pub use pool::{PoolOptions, pool};
pub use request_context::{RequestContext, RoleRules};
pub use sqlstate::is_unavailable;
pub use sqlx;
