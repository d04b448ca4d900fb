//! `/admin/users`.

mod account;
mod audit;
mod create;
mod delete;
mod factors;
mod get;
mod link;
mod list;
mod pages;
mod update;

pub(super) use audit::list_audit_entries;
pub(super) use create::create_user;
pub(super) use delete::delete_user;
pub(super) use factors::{delete_user_factor, list_factors, update_user_factor};
pub(super) use get::get_user;
pub(super) use link::{create_link, invite_user};
pub(super) use list::list_users;
pub(super) use update::update_user;

use crate::domain::ids::UserId;
use crate::error::{Error, Result};

/// The id in a path; one that is none names no user.
pub(super) fn user_id(text: &str) -> Result<UserId> {
    text.parse().map_err(|_| Error::UserNotFound)
}
