//! Committed changes on their way to those who asked for them: who asked, who may see, and what
//! they are sent.

pub mod access;
pub mod binding;
pub mod compare;
pub mod delivery;
pub mod filter;
pub mod plan;
pub mod refusal;
pub mod render;
pub mod subscriptions;

pub use access::{Access, AccessError, Answer, Sight};
pub use binding::{Binding, BindingError};
pub use subscriptions::{Registration, Subscription, Subscriptions};
