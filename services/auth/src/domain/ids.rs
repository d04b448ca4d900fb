//! One id type per entity.

common::define_id! {
    /// A user's id.
    UserId
}

common::define_id! {
    /// A session's id.
    SessionId
}
