//! The table of endpoints, as the description tells of them.

/// An endpoint.
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) access: Access,
    pub(super) query: &'static [Field],
    pub(super) body: &'static [Field],
    /// The status of a success.
    pub(super) success: u16,
}

/// Who may ask.
#[derive(Clone, Copy)]
pub(super) enum Access {
    /// Whoever can reach it.
    Open,
    /// Whoever has a key of the platform.
    Key,
    /// A user, by their access token.
    User,
    /// An administrator: the service key, or a superuser's token.
    Admin,
}

/// A field of a body or a query.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    Object,
}

const fn text(name: &'static str) -> Field {
    Field {
        name,
        kind: Kind::Text,
    }
}

const fn flag(name: &'static str) -> Field {
    Field {
        name,
        kind: Kind::Flag,
    }
}

const fn number(name: &'static str) -> Field {
    Field {
        name,
        kind: Kind::Number,
    }
}

const fn object(name: &'static str) -> Field {
    Field {
        name,
        kind: Kind::Object,
    }
}

const fn endpoint(
    (method, path): (&'static str, &'static str),
    (id, summary): (&'static str, &'static str),
    access: Access,
    query: &'static [Field],
    body: &'static [Field],
    success: u16,
) -> Endpoint {
    Endpoint {
        method,
        path,
        id,
        summary,
        access,
        query,
        body,
        success,
    }
}

use Access::{Admin, Key, Open, User};

const NOTHING: &[Field] = &[];
const REDIRECT: &[Field] = &[text("redirect_to")];
const LEAVING: &[Field] = &[
    text("provider"),
    text("scopes"),
    text("redirect_to"),
    text("code_challenge"),
    text("code_challenge_method"),
    flag("skip_http_redirect"),
];
const RETURNING: &[Field] = &[text("state"), text("code"), text("error")];
const PAGES: &[Field] = &[number("page"), number("per_page"), text("filter")];
const SLICE: &[Field] = &[number("skip"), number("limit")];
const SIGN_UP: &[Field] = &[
    text("email"),
    text("phone"),
    text("password"),
    object("data"),
    text("channel"),
    text("code_challenge"),
    text("code_challenge_method"),
    object("gotrue_meta_security"),
];
const TOKEN: &[Field] = &[
    text("email"),
    text("phone"),
    text("password"),
    text("refresh_token"),
    text("auth_code"),
    text("code_verifier"),
    text("provider"),
    text("id_token"),
    text("nonce"),
    flag("link_identity"),
    object("gotrue_meta_security"),
];
const CODE: &[Field] = &[
    text("email"),
    text("phone"),
    flag("create_user"),
    object("data"),
    text("channel"),
    text("code_challenge"),
    text("code_challenge_method"),
    object("gotrue_meta_security"),
];
const RECOVER: &[Field] = &[
    text("email"),
    text("code_challenge"),
    text("code_challenge_method"),
    object("gotrue_meta_security"),
];
const RESEND: &[Field] = &[
    text("type"),
    text("email"),
    text("phone"),
    text("code_challenge"),
    text("code_challenge_method"),
    object("gotrue_meta_security"),
];
const LINK: &[Field] = &[
    text("type"),
    text("token"),
    text("token_hash"),
    text("redirect_to"),
];
const VERIFY: &[Field] = &[
    text("type"),
    text("token"),
    text("token_hash"),
    text("email"),
    text("phone"),
];
const USER: &[Field] = &[
    text("email"),
    text("phone"),
    text("password"),
    text("nonce"),
    object("data"),
    text("channel"),
    text("code_challenge"),
    text("code_challenge_method"),
];
const ENROLL: &[Field] = &[
    text("friendly_name"),
    text("factor_type"),
    text("issuer"),
    text("phone"),
];
const CHALLENGE: &[Field] = &[text("channel"), object("webauthn")];
const SHOW: &[Field] = &[text("challenge_id"), text("code"), object("webauthn")];
const ANSWER: &[Field] = &[text("challenge_id"), object("credential")];
const NAME: &[Field] = &[text("friendly_name")];
const INVITE: &[Field] = &[text("email"), object("data")];
const GENERATE: &[Field] = &[
    text("type"),
    text("email"),
    text("new_email"),
    text("password"),
    object("data"),
    text("redirect_to"),
];
const ACCOUNT: &[Field] = &[
    text("id"),
    text("aud"),
    text("role"),
    text("email"),
    text("phone"),
    text("password"),
    text("password_hash"),
    flag("email_confirm"),
    flag("phone_confirm"),
    object("user_metadata"),
    object("app_metadata"),
    text("ban_duration"),
];
const DELETION: &[Field] = &[flag("should_soft_delete")];
const CREDENTIALS: &[Field] = &[text("email"), text("password")];
const LOG_IN: &[Field] = &[text("username"), text("email"), text("password")];
const REFRESH: &[Field] = &[text("refresh_token")];
const NEW_PASSWORD: &[Field] = &[text("current_password"), text("new_password")];
const CAPTCHA: &[Field] = &[object("gotrue_meta_security")];

/// Every endpoint, in the order of the routes.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[Endpoint] = &[
    endpoint(("GET", "/health"), ("get_health", "What answers here"), Key, NOTHING, NOTHING, 200),
    endpoint(("GET", "/openapi.json"), ("get_description", "This description"), Key, NOTHING, NOTHING, 200),
    endpoint(("GET", "/settings"), ("get_settings", "What a form may offer"), Key, NOTHING, NOTHING, 200),
    endpoint(("GET", "/.well-known/jwks.json"), ("get_jwks", "The public keys of access tokens"), Open, NOTHING, NOTHING, 200),
    endpoint(("GET", "/.well-known/openid-configuration"), ("get_openid_configuration", "Where the keys are"), Open, NOTHING, NOTHING, 200),
    endpoint(("POST", "/signup"), ("sign_up", "Makes an account"), Key, REDIRECT, SIGN_UP, 200),
    endpoint(("POST", "/token"), ("create_token", "Opens or goes on with a session"), Key, &[text("grant_type")], TOKEN, 200),
    endpoint(("GET", "/user"), ("get_user", "The caller"), User, NOTHING, NOTHING, 200),
    endpoint(("PUT", "/user"), ("update_user", "Changes the caller's account"), User, REDIRECT, USER, 200),
    endpoint(("GET", "/authorize"), ("authorize", "Sends a browser to a provider"), Open, LEAVING, NOTHING, 302),
    endpoint(("GET", "/callback"), ("callback", "Takes a browser back from a provider"), Open, RETURNING, NOTHING, 303),
    endpoint(("POST", "/callback"), ("callback_form", "The same of a provider that answers by a form"), Open, NOTHING, NOTHING, 303),
    endpoint(("GET", "/user/identities/authorize"), ("link_identity", "Sends the caller to a provider, whose identity is linked"), User, LEAVING, NOTHING, 302),
    endpoint(("GET", "/reauthenticate"), ("reauthenticate", "Sends the caller a code to show that they are the same"), User, NOTHING, NOTHING, 200),
    endpoint(("POST", "/otp"), ("send_code", "Sends a code or a link to sign in with"), Key, REDIRECT, CODE, 200),
    endpoint(("POST", "/magiclink"), ("send_magic_link", "Sends a link to sign in with"), Key, REDIRECT, CODE, 200),
    endpoint(("POST", "/recover"), ("recover", "Sends the way to a new password"), Key, REDIRECT, RECOVER, 200),
    endpoint(("POST", "/resend"), ("resend", "Sends a confirmation once more"), Key, REDIRECT, RESEND, 200),
    endpoint(("GET", "/verify"), ("follow_link", "Follows a link of a letter"), Open, LINK, NOTHING, 303),
    endpoint(("POST", "/verify"), ("verify", "Takes a link's token or a typed code"), Open, NOTHING, VERIFY, 200),
    endpoint(("POST", "/logout"), ("log_out", "Ends this session, the others, or all"), User, &[text("scope")], NOTHING, 204),
    endpoint(("DELETE", "/user/identities/{id}"), ("unlink_identity", "Unlinks an identity of the caller's"), User, NOTHING, NOTHING, 200),
    endpoint(("POST", "/factors"), ("enroll", "Enrols a second factor"), User, NOTHING, ENROLL, 200),
    endpoint(("DELETE", "/factors/{id}"), ("unenroll", "Gives a second factor up"), User, NOTHING, NOTHING, 200),
    endpoint(("POST", "/factors/{id}/challenge"), ("challenge", "Asks for a second factor"), User, NOTHING, CHALLENGE, 200),
    endpoint(("POST", "/factors/{id}/verify"), ("verify_factor", "Takes what shows a second factor"), User, NOTHING, SHOW, 200),
    endpoint(("GET", "/passkeys"), ("list_passkeys", "The caller's passkeys"), User, NOTHING, NOTHING, 200),
    endpoint(("POST", "/passkeys/registration/options"), ("begin_registration", "Asks the caller's browser for a new passkey"), User, NOTHING, NOTHING, 200),
    endpoint(("POST", "/passkeys/registration/verify"), ("finish_registration", "Keeps the passkey that the browser made"), User, NOTHING, ANSWER, 200),
    endpoint(("POST", "/passkeys/authentication/options"), ("begin_sign_in", "Asks a browser for a passkey to sign in with"), Key, NOTHING, CAPTCHA, 200),
    endpoint(("POST", "/passkeys/authentication/verify"), ("finish_sign_in", "Opens a session for the user whose passkey it is"), Key, NOTHING, ANSWER, 200),
    endpoint(("PATCH", "/passkeys/{id}"), ("rename_passkey", "Changes what the caller calls a passkey"), User, NOTHING, NAME, 200),
    endpoint(("DELETE", "/passkeys/{id}"), ("delete_passkey", "Gives a passkey up"), User, NOTHING, NOTHING, 204),
    endpoint(("POST", "/invite"), ("invite_user", "Invites somebody by a letter"), Admin, REDIRECT, INVITE, 200),
    endpoint(("POST", "/admin/generate_link"), ("create_link", "Makes a link for the caller to send"), Admin, REDIRECT, GENERATE, 200),
    endpoint(("GET", "/admin/audit"), ("list_audit_entries", "What happened"), Admin, &[number("page"), number("per_page"), text("query")], NOTHING, 200),
    endpoint(("GET", "/admin/users/{id}/factors"), ("list_factors", "A user's second factors"), Admin, NOTHING, NOTHING, 200),
    endpoint(("PUT", "/admin/users/{id}/factors/{factor}"), ("update_user_factor", "Changes what a user's factor is called"), Admin, NOTHING, NAME, 200),
    endpoint(("DELETE", "/admin/users/{id}/factors/{factor}"), ("delete_user_factor", "Takes a factor from a user who lost it"), Admin, NOTHING, NOTHING, 200),
    endpoint(("GET", "/admin/users/{id}/passkeys"), ("list_user_passkeys", "A user's passkeys"), Admin, NOTHING, NOTHING, 200),
    endpoint(("DELETE", "/admin/users/{id}/passkeys/{passkey}"), ("delete_user_passkey", "Takes a passkey from a user who lost it"), Admin, NOTHING, NOTHING, 204),
    endpoint(("GET", "/admin/users"), ("list_users", "Users, page by page"), Admin, PAGES, NOTHING, 200),
    endpoint(("POST", "/admin/users"), ("create_user", "Makes an account"), Admin, NOTHING, ACCOUNT, 200),
    endpoint(("GET", "/admin/users/{id}"), ("get_user_by_id", "One user"), Admin, NOTHING, NOTHING, 200),
    endpoint(("PUT", "/admin/users/{id}"), ("update_user_by_id", "Changes an account"), Admin, NOTHING, ACCOUNT, 200),
    endpoint(("DELETE", "/admin/users/{id}"), ("delete_user", "Deletes an account, or all that tells whose it was"), Admin, NOTHING, DELETION, 200),
    endpoint(("POST", "/api/v1/auth/register"), ("register", "Makes an account"), Key, NOTHING, CREDENTIALS, 201),
    endpoint(("POST", "/api/v1/auth/login"), ("log_in", "Opens a session"), Key, NOTHING, LOG_IN, 200),
    endpoint(("POST", "/api/v1/auth/refresh"), ("refresh", "Trades a refresh token for the next tokens"), Key, NOTHING, REFRESH, 200),
    endpoint(("POST", "/api/v1/auth/logout"), ("end_session", "Ends a session"), User, NOTHING, REFRESH, 200),
    endpoint(("GET", "/api/v1/users"), ("list_profiles", "Users, the newest first"), Admin, SLICE, NOTHING, 200),
    endpoint(("POST", "/api/v1/users"), ("create_profile", "Makes an account"), Admin, NOTHING, CREDENTIALS, 201),
    endpoint(("GET", "/api/v1/users/count"), ("count_users", "How many users there are"), Admin, NOTHING, NOTHING, 200),
    endpoint(("GET", "/api/v1/users/me"), ("get_me", "The caller"), User, NOTHING, NOTHING, 200),
    endpoint(("PUT", "/api/v1/users/me"), ("update_me", "Changes the caller's address or password"), User, NOTHING, CREDENTIALS, 200),
    endpoint(("PUT", "/api/v1/users/me/password"), ("change_password", "Changes the caller's password, who knows the current one"), User, NOTHING, NEW_PASSWORD, 200),
    endpoint(("GET", "/api/v1/users/me/anon-key"), ("get_anon_key", "The key for before anybody signs in"), User, NOTHING, NOTHING, 200),
    endpoint(("GET", "/api/v1/users/{id}"), ("get_profile", "One user"), User, NOTHING, NOTHING, 200),
    endpoint(("PUT", "/api/v1/users/{id}"), ("update_profile", "Changes a user's address or password"), User, NOTHING, CREDENTIALS, 200),
    endpoint(("DELETE", "/api/v1/users/{id}"), ("delete_profile", "Deletes a user"), User, NOTHING, NOTHING, 204),
];
