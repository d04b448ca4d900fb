//! Functions: listed, made, changed and deleted.

pub(super) mod create;
pub(super) mod delete;
mod files;
pub(super) mod list;
mod response;
pub(super) mod show;
pub(super) mod update;

pub(super) use files::Files;
