//! What administrators do to users.

mod create;
mod delete;
mod factors;
mod link;
mod update;

pub use create::{NewAccount, NewPassword, create_user};
pub use delete::{Deletion, delete_user};
pub use factors::{delete_factor, rename_factor};
pub use link::{Link, LinkKind, generate_link, invite};
pub use update::{AccountUpdate, Ban, update_account};
