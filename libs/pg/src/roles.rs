//! The roles of the platform: what a request becomes, who logs in, and who owns which schema.

use std::time::Duration;

/// A request with nothing but the public key.
pub const ANON: &str = "anon";
/// A signed-in user.
pub const AUTHENTICATED: &str = "authenticated";
/// The server's own side: bypasses row-level security.
pub const SERVICE_ROLE: &str = "service_role";

/// The login that becomes [`ANON`] or [`AUTHENTICATED`], and can become nothing else.
pub const AUTHENTICATOR: &str = "authenticator";
/// The login that becomes [`SERVICE_ROLE`].
pub const SERVICE_AUTHENTICATOR: &str = "service_authenticator";

/// Owns schema `auth`.
pub const AUTH_ADMIN: &str = "supabase_auth_admin";
/// Owns schema `storage`.
pub const STORAGE_ADMIN: &str = "supabase_storage_admin";
/// Owns schema `realtime`; may replicate.
pub const REALTIME_ADMIN: &str = "supabase_realtime_admin";
/// Owns schema `functions`.
pub const FUNCTIONS_ADMIN: &str = "supabase_functions_admin";
/// What users' functions log in as. Its password follows from that of [`FUNCTIONS_ADMIN`].
pub const FUNCTION_CLIENT: &str = "function_client";

/// The superuser that bootstraps the database and that no service logs in as.
pub const SUPERUSER: &str = "postgres";

/// One role that a service logs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// The role.
    pub role: &'static str,
    /// What its settings begin with: `<prefix>_DB_PASSWORD`, `<prefix>_DATABASE_URL`.
    pub prefix: &'static str,
    /// The schema it owns, if any.
    pub schema: Option<&'static str>,
}

impl Login {
    const fn new(role: &'static str, prefix: &'static str, schema: Option<&'static str>) -> Self {
        Self {
            role,
            prefix,
            schema,
        }
    }
}

/// Every role that logs in, besides the superuser.
pub const LOGINS: [Login; 6] = [
    Login::new(AUTHENTICATOR, "AUTHENTICATOR", None),
    Login::new(SERVICE_AUTHENTICATOR, "SERVICE_AUTHENTICATOR", None),
    Login::new(AUTH_ADMIN, "AUTH", Some("auth")),
    Login::new(STORAGE_ADMIN, "STORAGE", Some("storage")),
    Login::new(REALTIME_ADMIN, "REALTIME", Some("realtime")),
    Login::new(FUNCTIONS_ADMIN, "FUNCTIONS", Some("functions")),
];

/// How long one statement of a request may run as `role`, where the role has no
/// `statement_timeout` of its own in the database: 3 s as [`ANON`], 60 s as [`SERVICE_ROLE`],
/// else 8 s.
pub fn statement_timeout(role: &str) -> Duration {
    match role {
        ANON => Duration::from_secs(3),
        SERVICE_ROLE => Duration::from_mins(1),
        _ => Duration::from_secs(8),
    }
}
