//! Every kind of route by every kind of key, in both modes and both places: what is refused, and
//! which bearer the service is handed.

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::json;

use crate::stage::{Keyring, PLACES, PUBLISHABLE, Place, SECRET, Stage};

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    None,
    Anon,
    ServiceRole,
    Minted,
    Publishable,
    Secret,
    User,
    Expired,
    Garbage,
    UnknownOpaque,
}

const KEYS: [Key; 10] = [
    Key::None,
    Key::Anon,
    Key::ServiceRole,
    Key::Minted,
    Key::Publishable,
    Key::Secret,
    Key::User,
    Key::Expired,
    Key::Garbage,
    Key::UnknownOpaque,
];

impl Key {
    fn text(self, keys: &Keyring) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Anon => Some(&keys.anon),
            Self::ServiceRole => Some(&keys.service_role),
            Self::Minted => Some(&keys.minted),
            Self::Publishable => Some(PUBLISHABLE),
            Self::Secret => Some(SECRET),
            Self::User => Some(&keys.user),
            Self::Expired => Some(&keys.expired),
            Self::Garbage => Some("garbage"),
            Self::UnknownOpaque => Some("sb_secret_0000000000000000000000"),
        }
    }

    /// Whose token a service is handed for this key.
    fn stands_for(self) -> Option<Self> {
        match self {
            Self::Anon | Self::Publishable => Some(Self::Anon),
            Self::ServiceRole | Self::Secret => Some(Self::ServiceRole),
            Self::Minted => Some(Self::Minted),
            Self::None | Self::User | Self::Expired | Self::Garbage | Self::UnknownOpaque => None,
        }
    }

    fn is_opaque(self) -> bool {
        matches!(self, Self::Publishable | Self::Secret | Self::UnknownOpaque)
    }

    fn is_valid_token(self) -> bool {
        matches!(
            self,
            Self::Anon | Self::ServiceRole | Self::Minted | Self::User
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A key is needed.
    Keyed,
    /// A key or a user is needed.
    Noun,
    /// Nothing is.
    Open,
}

const ROUTES: [(&str, Kind); 17] = [
    ("/auth/v1/signup", Kind::Keyed),
    ("/auth/v1/admin/users", Kind::Keyed),
    ("/rest/v1/todos", Kind::Keyed),
    ("/rest/v1/", Kind::Keyed),
    ("/realtime/v1/api/broadcast", Kind::Keyed),
    ("/graphql/v1", Kind::Keyed),
    ("/storage/v1/object/public/b/f", Kind::Open),
    ("/functions/v1/hello", Kind::Open),
    ("/auth/v1/verify", Kind::Open),
    ("/auth/v1/callback", Kind::Open),
    ("/auth/v1/.well-known/jwks.json", Kind::Open),
    ("/.well-known/oauth-authorization-server", Kind::Open),
    ("/api/v1/users/me", Kind::Noun),
    ("/api/v1/tables", Kind::Noun),
    ("/api/v1/buckets/public", Kind::Noun),
    ("/api/v1/files/1", Kind::Noun),
    ("/api/v1/functions", Kind::Noun),
];

/// The bearer a service is handed, or the refusal's message.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Bearer(Key),
    Refused(&'static str),
}

const NO_KEY: Outcome = Outcome::Refused("No API key found in request");
const INVALID_KEY: Outcome = Outcome::Refused("Invalid API key");
const INVALID_TOKEN: Outcome = Outcome::Refused("Invalid or expired token");

/// The contract's rule, written the other way round: by what is presented, not by route.
fn expected(kind: Kind, permissive: bool, apikey: Key, bearer: Key) -> Outcome {
    let has_token = bearer != Key::None && !bearer.is_opaque();
    let key = match (kind, apikey) {
        // An opaque key in the place of a token counts where no key of its own is asked for.
        (Kind::Keyed, Key::None) if !permissive => return NO_KEY,
        (Kind::Keyed, Key::None) if bearer == Key::None || has_token => Key::Anon,
        (_, Key::None) if bearer.is_opaque() => bearer,
        (_, apikey) => apikey,
    };
    match (kind, key.stands_for()) {
        (Kind::Noun, _) if bearer.is_valid_token() => Outcome::Bearer(bearer),
        (_, Some(_)) if has_token => Outcome::Bearer(bearer),
        (_, Some(stands_for)) => Outcome::Bearer(stands_for),
        (Kind::Open, None) => Outcome::Bearer(bearer),
        (Kind::Noun, None) if key == Key::None && has_token => INVALID_TOKEN,
        (Kind::Noun, None) if key == Key::None => NO_KEY,
        (Kind::Keyed | Kind::Noun, None) => INVALID_KEY,
    }
}

/// Each route by each key by each bearer, and once more without a bearer by the key in the query.
const CASES: usize = ROUTES.len() * KEYS.len() * (KEYS.len() + 1);

async fn run(stage: &Stage, permissive: bool) -> usize {
    let mut cases = 0;
    for (path, kind) in ROUTES {
        for apikey in KEYS {
            for bearer in KEYS {
                // Where the key stands matters to how it is found, not to what follows from it.
                let places = if bearer == Key::None { 2 } else { 1 };
                for in_query in [false, true].into_iter().take(places) {
                    let outcome = ask(stage, path, (apikey, in_query), bearer).await;
                    let expected = expected(kind, permissive, apikey, bearer);
                    let case =
                        format!("{path} apikey {apikey:?} (query: {in_query}) bearer {bearer:?}");
                    assert_eq!(outcome, expected, "{case}");
                    cases += 1;
                }
            }
        }
    }
    cases
}

async fn ask(stage: &Stage, path: &str, apikey: (Key, bool), bearer: Key) -> Outcome {
    let keys = &stage.keys;
    let (key, in_query) = (apikey.0.text(keys), apikey.1);
    let bearer = bearer.text(keys).map(|token| format!("Bearer {token}"));
    let mut headers = Vec::new();
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer.as_str()));
    }
    let mut path = path.to_owned();
    match key {
        Some(key) if in_query => path = format!("{path}?apikey={key}"),
        Some(key) => headers.push(("apikey", key)),
        None => {}
    }
    let reply = stage.ask(Method::GET, &path, &headers, Body::empty()).await;
    if reply.status == StatusCode::OK {
        let received = reply.received("authorization");
        let received = received
            .as_deref()
            .map(|value| value.strip_prefix("Bearer ").expect("a bearer"));
        let key = KEYS.into_iter().find(|key| key.text(keys) == received);
        return Outcome::Bearer(key.expect("a known bearer"));
    }
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
    let refusals = [NO_KEY, INVALID_KEY, INVALID_TOKEN];
    let said = reply.json();
    let said =
        |refusal: &Outcome| matches!(refusal, Outcome::Refused(text) if said["message"] == *text);
    refusals.into_iter().find(said).expect("a known refusal")
}

#[tokio::test]
async fn strict() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        assert_eq!(run(&stage, false).await, CASES);
    }
}

#[tokio::test]
async fn permissive() {
    let stage = Stage::new(Place::InProcess, &[("KEY_MODE", "permissive")]).await;
    assert_eq!(run(&stage, true).await, CASES);
}

#[tokio::test]
async fn refusals_are_worded_as_hosted_supabase_does() {
    let stage = Stage::new(PLACES[0], &[]).await;
    let none: &[(&str, &str)] = &[];
    let wrong: &[(&str, &str)] = &[("apikey", "wrong")];
    let twice: &[(&str, &str)] = &[("apikey", PUBLISHABLE), ("apikey", PUBLISHABLE)];
    let no_key = json!({
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    });
    let invalid = json!({
        "message": "Invalid API key",
        "hint": "Double check your Supabase `anon` or `service_role` API key.",
    });
    for (headers, expected) in [(none, &no_key), (wrong, &invalid), (twice, &invalid)] {
        let reply = stage
            .ask(Method::GET, "/rest/v1/todos", headers, Body::empty())
            .await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert_eq!(&reply.json(), expected);
        assert!(reply.header("x-request-id").is_some());
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn another_scheme_of_authorization_is_for_the_service_to_judge() {
    let stage = Stage::new(PLACES[0], &[]).await;
    let headers = [
        ("apikey", PUBLISHABLE),
        ("authorization", "Basic Y2xpZW50OnNlY3JldA=="),
    ];
    let reply = stage
        .ask(
            Method::POST,
            "/auth/v1/oauth/token",
            &headers,
            Body::empty(),
        )
        .await;
    assert_eq!(
        reply.received("authorization").as_deref(),
        Some(headers[1].1)
    );
    let alone = [headers[1]];
    let reply = stage
        .ask(Method::GET, "/api/v1/tables", &alone, Body::empty())
        .await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}
