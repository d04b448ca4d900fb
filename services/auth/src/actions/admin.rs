//! What administrators do to users.

mod create;
mod delete;
mod update;

pub use create::{NewAccount, NewPassword, create_user};
pub use delete::{Deletion, delete_user};
pub use update::{AccountUpdate, Ban, update_account};
