//! The table: each route, who may ask for it, and what those who may are answered.

use std::sync::LazyLock;

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody: what the answer is, is decided by what the request shows.
    Open,
    /// A user, for themselves.
    User,
    /// The user whose thing it is; others are told this code.
    Own(&'static str),
    /// The user who is named, and administrators.
    SelfOrAdmin,
    /// Administrators.
    Admin,
}

#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    /// With the subject's `{user}`, `{factor}`, `{identity}` and `{passkey}`.
    pub(super) path: &'static str,
    pub(super) access: Access,
    /// The status of those who may.
    pub(super) served: u16,
    pub(super) body: &'static str,
    /// Whether what it names is gone afterwards.
    pub(super) takes_away: bool,
}

impl Route {
    pub(super) fn is_not_theirs(&self, code: &str) -> bool {
        matches!(self.access, Own(theirs) if theirs == code)
    }

    /// Whether who asks is signed out afterwards.
    pub(super) fn ends_sessions(&self) -> bool {
        self.path.contains("/logout")
    }

    /// As `src/routes.rs` writes it.
    pub(super) fn template(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        // The first thing that a path names is its id.
        let mut template = path.to_owned();
        if let (Some(begin), Some(end)) = (path.find('{'), path.find('}')) {
            template.replace_range(begin..=end, "{id}");
        }
        format!("{} {template}", self.method)
    }

    /// A name that fits an address.
    pub(super) fn name(&self) -> String {
        let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("{}{}", self.method, self.path.replace(['{', '}'], ""))
            .chars()
            .map(letters)
            .collect::<String>()
            .trim_end_matches('-')
            .to_owned()
    }
}

use Access::{Admin, Open, Own, SelfOrAdmin, User};

const fn route(
    method: &'static str,
    path: &'static str,
    access: Access,
    served: u16,
    body: &'static str,
) -> Route {
    let takes_away = matches!(method.as_bytes(), b"DELETE");
    Route {
        method,
        path,
        access,
        served,
        body,
        takes_away,
    }
}

const SIGN_UP: &str = r#"{"email":"NEW@example.com","password":"correct-horse-1"}"#;
const SIGN_IN: &str = r#"{"email":"admin@example.com","password":"correct-horse-1"}"#;
const TO_ADMIN: &str = r#"{"email":"admin@example.com"}"#;
const WRONG_CODE: &str = r#"{"type":"email","email":"admin@example.com","token":"000000"}"#;
const NO_PASSKEY: &str =
    r#"{"challenge_id":"11111111-1111-4111-8111-111111111111","credential":{}}"#;
const SHOW: &str = r#"{"challenge_id":"CHALLENGE","code":"000000"}"#;

#[rustfmt::skip]
pub(super) const ROUTES: &[Route] = &[
    route("GET", "/health", Open, 200, ""),
    route("GET", "/openapi.json", Open, 200, ""),
    route("GET", "/settings", Open, 200, ""),
    route("GET", "/.well-known/jwks.json", Open, 200, ""),
    route("GET", "/.well-known/openid-configuration", Open, 200, ""),
    route("POST", "/signup", Open, 200, SIGN_UP),
    route("POST", "/token?grant_type=password", Open, 200, SIGN_IN),
    route("GET", "/user", User, 200, ""),
    route("PUT", "/user", User, 200, r#"{"data":{"a":1}}"#),
    route("GET", "/authorize?provider=github", Open, 302, ""),
    route("GET", "/callback", Open, 303, ""),
    route("POST", "/callback", Open, 303, ""),
    route("GET", "/user/identities/authorize?provider=github", User, 302, ""),
    route("DELETE", "/user/identities/{identity}", Own("identity_not_found"), 422, ""),
    route("GET", "/reauthenticate", User, 200, ""),
    route("POST", "/otp", Open, 200, TO_ADMIN),
    route("POST", "/magiclink", Open, 200, TO_ADMIN),
    route("POST", "/recover", Open, 200, TO_ADMIN),
    route("POST", "/resend", Open, 200, r#"{"type":"signup","email":"nobody@example.com"}"#),
    route("GET", "/verify?type=signup&token=x", Open, 303, ""),
    route("POST", "/verify", Open, 403, WRONG_CODE),
    route("POST", "/logout?scope=local", User, 204, ""),
    route("POST", "/factors", User, 200, r#"{"factor_type":"totp","friendly_name":"NEW"}"#),
    route("POST", "/factors/{factor}/challenge", Own("mfa_factor_not_found"), 200, ""),
    route("POST", "/factors/{factor}/verify", Own("mfa_factor_not_found"), 422, SHOW),
    route("DELETE", "/factors/{factor}", Own("mfa_factor_not_found"), 200, ""),
    route("GET", "/passkeys", User, 200, ""),
    route("POST", "/passkeys/registration/options", User, 200, "{}"),
    route("POST", "/passkeys/registration/verify", User, 400, NO_PASSKEY),
    route("POST", "/passkeys/authentication/options", Open, 200, "{}"),
    route("POST", "/passkeys/authentication/verify", Open, 400, NO_PASSKEY),
    route("PATCH", "/passkeys/{passkey}", Own("validation_failed"), 200, r#"{"friendly_name":"NEW"}"#),
    route("DELETE", "/passkeys/{passkey}", Own("validation_failed"), 204, ""),
    route("POST", "/invite", Admin, 200, r#"{"email":"NEW@example.com"}"#),
    route("POST", "/admin/generate_link", Admin, 200, r#"{"type":"magiclink","email":"admin@example.com"}"#),
    route("GET", "/admin/audit", Admin, 200, ""),
    route("GET", "/admin/users/{user}/passkeys", Admin, 200, ""),
    route("DELETE", "/admin/users/{user}/passkeys/{passkey}", Admin, 204, ""),
    route("GET", "/admin/users", Admin, 200, ""),
    route("POST", "/admin/users", Admin, 200, r#"{"email":"NEW@example.com"}"#),
    route("GET", "/admin/users/{user}", Admin, 200, ""),
    route("PUT", "/admin/users/{user}", Admin, 200, r#"{"user_metadata":{"a":1}}"#),
    route("DELETE", "/admin/users/{user}", Admin, 200, ""),
    route("GET", "/admin/users/{user}/factors", Admin, 200, ""),
    route("PUT", "/admin/users/{user}/factors/{factor}", Admin, 200, r#"{"friendly_name":"b"}"#),
    route("DELETE", "/admin/users/{user}/factors/{factor}", Admin, 200, ""),
    route("POST", "/api/v1/auth/register", Open, 201, SIGN_UP),
    route("POST", "/api/v1/auth/login", Open, 200, SIGN_IN),
    route("POST", "/api/v1/auth/refresh", Open, 400, r#"{"refresh_token":"unknown"}"#),
    route("POST", "/api/v1/auth/logout", User, 200, ""),
    route("GET", "/api/v1/users", Admin, 200, ""),
    route("POST", "/api/v1/users", Admin, 201, SIGN_UP),
    route("GET", "/api/v1/users/count", Admin, 200, ""),
    route("GET", "/api/v1/users/me", User, 200, ""),
    route("PUT", "/api/v1/users/me", User, 200, "{}"),
    route(
        "PUT",
        "/api/v1/users/me/password",
        User,
        400,
        r#"{"current_password":"wrong-password","new_password":"another-one-1"}"#,
    ),
    route("GET", "/api/v1/users/me/anon-key", User, 200, ""),
    route("GET", "/api/v1/users/{user}", SelfOrAdmin, 200, ""),
    route("PUT", "/api/v1/users/{user}", SelfOrAdmin, 200, "{}"),
    route("DELETE", "/api/v1/users/{user}", SelfOrAdmin, 204, ""),
];

static SOURCE: LazyLock<(String, String)> = LazyLock::new(|| {
    let source = include_str!("../../../src/routes.rs");
    let (gotrue, selfdb) = source.split_once("fn selfdb_routes").expect("both tables");
    (gotrue.to_owned(), selfdb.to_owned())
});

/// Every route of the service, sorted: `GET /users/{id}`.
pub(crate) fn declared() -> Vec<String> {
    let (gotrue, selfdb) = &*SOURCE;
    let mut all = read(gotrue, "");
    all.extend(read(selfdb, "/api/v1"));
    all.sort();
    all
}

/// The routes that a router's source declares: `.route("/path", get(…).post(…))`.
pub(super) fn read(source: &str, prefix: &str) -> Vec<String> {
    let mut routes = Vec::new();
    for declaration in source.split(".route(\"").skip(1) {
        let (path, rest) = declaration.split_once('"').expect("the path's end");
        let handlers = rest.lines().next().unwrap_or_default();
        for method in ["get", "post", "put", "patch", "delete"] {
            let first = format!(" {method}(");
            let further = format!(".{method}(");
            if handlers.contains(&first) || handlers.contains(&further) {
                routes.push(format!("{} {prefix}{path}", method.to_uppercase()));
            }
        }
    }
    routes
}
