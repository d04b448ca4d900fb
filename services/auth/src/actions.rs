//! What callers do: rules, then transactions. Both dialects of the interface end here.

pub mod accounts;
pub mod admin;
pub mod anonymous;
pub mod caller;
pub mod change_contact;
pub mod contacts;
pub mod ensure_admin;
pub mod exchange_code;
pub mod external;
pub mod factors;
pub mod grant;
pub mod identities;
pub mod messages;
pub mod passkeys;
pub mod passwordless;
pub mod reauthenticate;
pub mod refresh;
pub mod resend;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;
pub mod sweep;
pub mod update_user;
pub mod verify;
