//! Every route of the public address. The first that matches is taken, so exact ones stand before
//! the prefixes they are under.

mod route;

pub(crate) use route::{Access, Forward, Page, PathRule, Route, ServiceName, Target};

use route::ServiceName::{Auth, Functions, Realtime, Rest, Storage};
use route::{graphql, keyed, noun, open, page, passed, root};

pub(crate) const ROUTES: &[Route] = &[
    page("/", Page::Index),
    page("/live", Page::Live),
    page("/ready", Page::Ready),
    page("/health", Page::Health),
    page("/api/v1/health", Page::Health),
    page("/api/v1/health/db", Page::Health),
    page("/metrics", Page::Metrics),
    // What browsers, mail links and other OAuth parties visit without a key.
    open("/rest/v1/-/", "/rest/v1", Rest),
    open("/rest/v1/-/page.js", "/rest/v1", Rest),
    open("/rest/v1/-/page.css", "/rest/v1", Rest),
    open("/auth/v1/verify", "/auth/v1", Auth),
    open("/auth/v1/callback", "/auth/v1", Auth),
    open("/auth/v1/authorize", "/auth/v1", Auth),
    open("/auth/v1/.well-known/jwks.json", "/auth/v1", Auth),
    open(
        "/auth/v1/.well-known/openid-configuration",
        "/auth/v1",
        Auth,
    ),
    root("/sso/saml/acs", Auth),
    root("/sso/saml/metadata", Auth),
    root("/.well-known/oauth-authorization-server", Auth),
    // Supabase's dialect.
    keyed("/auth/v1", Auth),
    keyed("/rest/v1", Rest),
    keyed("/realtime/v1", Realtime),
    graphql("/graphql/v1", Rest),
    passed("/storage/v1", Storage),
    passed("/functions/v1", Functions),
    // SelfDB's dialect. Its socket authenticates inside the protocol.
    noun("/api/v1/auth", Auth, Access::KeyOrUser),
    noun("/api/v1/users", Auth, Access::KeyOrUser),
    noun("/api/v1/tables", Rest, Access::KeyOrUser),
    noun("/api/v1/schema", Rest, Access::KeyOrUser),
    noun("/api/v1/sql", Rest, Access::KeyOrUser),
    noun("/api/v1/buckets", Storage, Access::KeyOrUser),
    noun("/api/v1/files", Storage, Access::KeyOrUser),
    noun("/api/v1/functions", Functions, Access::KeyOrUser),
    // As much of Supabase's management API as its command line deploys functions by; the service
    // knows the token.
    noun("/v1/projects", Functions, Access::Service),
    // Signed messages of others carry no key.
    noun("/api/v1/webhooks/ingest", Functions, Access::Service),
    noun("/api/v1/webhooks", Functions, Access::KeyOrUser),
    noun("/api/v1/realtime/ws", Realtime, Access::Service),
];

/// The route that serves `path`, if any does.
pub(crate) fn find(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.matches(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(path: &str) -> Option<(ServiceName, Access, PathRule)> {
        match find(path)?.target {
            Target::Forward(forward) => Some((forward.service, forward.access, forward.path)),
            Target::Page(_) => None,
        }
    }

    #[test]
    fn prefixes_end_at_a_slash() {
        let rest = Some((Rest, Access::Key, PathRule::Strip("/rest/v1")));
        for path in ["/rest/v1", "/rest/v1/", "/rest/v1/todos", "/rest/v1//api"] {
            assert_eq!(forward(path), rest, "{path}");
        }
        for path in [
            "/rest/v1x",
            "/rest/v10/todos",
            "/rest",
            "/REST/v1/todos",
            "//rest/v1/todos",
            "/x/rest/v1/todos",
            "/rest%2fv1/todos",
            "/api/v1/tablesx",
            "/api/v1",
            "/api/v1/nothing",
            "/ready/",
            "",
            "*",
        ] {
            assert_eq!(forward(path), None, "{path}");
        }
    }

    #[test]
    fn only_the_exact_paths_of_auth_are_open() {
        let access = |path: &str| forward(path).map(|(_, access, _)| access);
        assert_eq!(access("/auth/v1/verify"), Some(Access::Service));
        for path in [
            "/auth/v1/verify/",
            "/auth/v1/verify/../admin/users",
            "/auth/v1/verifyx",
            "/auth/v1/Verify",
            "/auth/v1//verify",
            "/auth/v1/%76erify",
            "/auth/v1/.well-known/jwks.json/x",
            "/auth/v1/.well-known",
        ] {
            assert_eq!(access(path), Some(Access::Key), "{path}");
        }
    }

    #[test]
    fn a_service_s_own_nouns_are_not_reached_through_its_prefix() {
        for path in [
            "/storage/v1/api/v1/buckets",
            "/functions/v1/api/v1/functions",
            "/rest/v1/api/v1/tables",
            "/auth/v1/api/v1/users",
            "/realtime/v1/api/v1/realtime/ws",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
        assert!(find("/realtime/v1/api/broadcast").is_some());
    }
}
