//! `/admin/users`.

mod account;
mod create;
mod delete;
mod get;
mod list;
mod update;

pub(super) use create::create_user;
pub(super) use delete::delete_user;
pub(super) use get::get_user;
pub(super) use list::list_users;
pub(super) use update::update_user;

use crate::domain::ids::UserId;
use crate::error::{Error, Result};

/// The id in a path; one that is none names no user.
pub(super) fn user_id(text: &str) -> Result<UserId> {
    text.parse().map_err(|_| Error::UserNotFound)
}
