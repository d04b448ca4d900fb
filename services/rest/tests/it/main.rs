//! The REST service on a real Postgres, as its protocol's documentation reads.

mod aggregates;
mod api;
mod bodies;
mod computed;
mod counts;
mod embedding;
mod errors;
mod filters;
mod formats;
mod functions;
mod geojson;
mod idempotency;
mod keyset;
mod kills;
mod media_types;
mod openapi;
mod plans;
mod reads;
mod reload;
mod representations;
mod security;
mod tables;
mod transactions;
mod views;
mod writes;
