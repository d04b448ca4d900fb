//! What Postgres is told about a request: PostgREST's settings, which policies read.

use std::sync::Arc;
use std::time::Duration;

/// The role and the settings of one request's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The role it runs as: `anon`, `authenticated`, `service_role`.
    pub role: String,
    /// The token's claims, a JSON object: `request.jwt.claims`.
    pub claims: Arc<str>,
    /// `request.method`: `GET`.
    pub method: String,
    /// `request.path`: `/todos`.
    pub path: String,
    /// The headers, a JSON object with lower-case names: `request.headers`.
    pub headers: String,
    /// The cookies, a JSON object: `request.cookies`.
    pub cookies: String,
    /// How long one statement may run; `None` leaves it to the role's own setting, else
    /// to [`RequestContext::rules`].
    pub statement_timeout: Option<Duration>,
    /// Whose the roles are.
    pub rules: RoleRules,
}

/// Whose the roles of requests are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RoleRules {
    /// The platform's: never the login itself, and no statement without a limit
    /// ([`crate::roles::statement_timeout`]).
    #[default]
    Platform,
    /// The operator's of a database of their own: whatever the login is a member of, itself
    /// included, with the limits that the database sets for the login.
    Operator,
}

impl RequestContext {
    /// A request as `role` with `claims` (JSON text), and nothing known of its HTTP side.
    pub fn new(role: impl Into<String>, claims: impl Into<Arc<str>>) -> Self {
        Self {
            role: role.into(),
            claims: claims.into(),
            method: String::new(),
            path: String::new(),
            headers: "{}".to_owned(),
            cookies: "{}".to_owned(),
            statement_timeout: None,
            rules: RoleRules::Platform,
        }
    }

    /// With the HTTP method and path.
    #[must_use]
    pub fn with_target(mut self, method: impl Into<String>, path: impl Into<String>) -> Self {
        self.method = method.into();
        self.path = path.into();
        self
    }

    /// With the headers, a JSON object.
    #[must_use]
    pub fn with_headers(mut self, json: impl Into<String>) -> Self {
        self.headers = json.into();
        self
    }

    /// With the cookies, a JSON object.
    #[must_use]
    pub fn with_cookies(mut self, json: impl Into<String>) -> Self {
        self.cookies = json.into();
        self
    }

    /// With the rules of whoever the roles belong to.
    #[must_use]
    pub fn with_rules(mut self, rules: RoleRules) -> Self {
        self.rules = rules;
        self
    }

    /// With a limit for each statement that overrides the role's.
    #[must_use]
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = Some(timeout);
        self
    }
}
