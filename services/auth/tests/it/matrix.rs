//! Every endpoint with every kind of caller: what is a user's is theirs alone, what is for
//! administrators is for nobody else, and each kind of caller gets one kind of answer.
//!
//! The table below names every route of `src/routes.rs`; a route that is missing in it fails the
//! test, and so does an answer of any other class.

mod routes;

use axum::http::Method;
use serde_json::{Value, json};
use testkit::{TestRequest, TestResponse};

use crate::support::{Instance, PASSWORD, Session};
pub(crate) use routes::declared;
use routes::{Access, ROUTES, Route};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Nothing,
    Garbage,
    Anon,
    Other,
    Subject,
    Superuser,
    Service,
}

/// Those who are refused come first: what succeeds may take the subject away.
const KEYS: [Key; 7] = [
    Key::Nothing,
    Key::Garbage,
    Key::Anon,
    Key::Other,
    Key::Subject,
    Key::Superuser,
    Key::Service,
];

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// What the table says of those who may.
    Served,
    /// 401: nobody is known to ask.
    Unknown,
    /// 403: whoever asks may not.
    Refused,
    /// 404: whoever asks has no such thing.
    NotTheirs,
}

fn expected(access: Access, key: Key) -> Class {
    let is_known = !matches!(key, Key::Nothing | Key::Garbage);
    let is_user = matches!(key, Key::Other | Key::Subject | Key::Superuser);
    let is_admin = matches!(key, Key::Superuser | Key::Service);
    let is_subject = key == Key::Subject;
    let may = match access {
        Access::Open => true,
        Access::User => is_user,
        Access::Own(_) => is_subject,
        Access::SelfOrAdmin => is_subject || is_admin,
        Access::Admin => is_admin,
    };
    if may {
        Class::Served
    } else if !is_known {
        Class::Unknown
    } else if matches!(access, Access::Own(_)) && is_user {
        Class::NotTheirs
    } else {
        Class::Refused
    }
}

fn class(route: &Route, response: &TestResponse) -> Option<Class> {
    let status = response.status.as_u16();
    let body: Value = serde_json::from_str(&response.text()).unwrap_or_default();
    let code = body["error_code"].as_str().or(body["code"].as_str());
    if code.is_some_and(|code| route.is_not_theirs(code)) {
        return Some(Class::NotTheirs);
    }
    match (status, code) {
        (401, Some("no_authorization" | "bad_jwt")) => Some(Class::Unknown),
        (403, Some("bad_jwt" | "not_admin")) => Some(Class::Refused),
        (status, _) if status == route.served => Some(Class::Served),
        _ => None,
    }
}

fn id(response: &TestResponse) -> String {
    response.json()["id"].as_str().expect("an id").to_owned()
}

/// Somebody whose things a route names, and those who ask for them.
struct Stage {
    instance: Instance,
    superuser: Session,
}

struct Subject {
    session: Session,
    factor: String,
    challenge: String,
    identity: String,
    /// Only where a route is about it.
    passkey: Option<String>,
}

impl Stage {
    async fn set() -> Self {
        let settings = [
            ("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true"),
            ("GOTRUE_SMTP_MAX_FREQUENCY", "0"),
            ("GOTRUE_EXTERNAL_GITHUB_ENABLED", "true"),
            ("GOTRUE_EXTERNAL_GITHUB_CLIENT_ID", "client"),
            ("GOTRUE_EXTERNAL_GITHUB_SECRET", "what-github-was-told"),
        ];
        let instance = Instance::with(&settings).await;
        let admin = instance.sign_up("admin@example.com").await;
        let body = json!({ "app_metadata": { "is_superuser": true } });
        let path = format!("/admin/users/{}", admin.user_id());
        let promoted = instance.admin(instance.service.put(&path).json(&body));
        let _ = promoted.await.expect_status(200);
        let superuser = Session::of(&instance.sign_in("admin@example.com", PASSWORD).await);
        Self {
            instance,
            superuser,
        }
    }

    async fn subject(&self, name: &str) -> Subject {
        let session = self.instance.sign_up(&format!("{name}@example.com")).await;
        let identity = session.user["identities"][0]["identity_id"].as_str();
        let identity = identity.expect("an identity").to_owned();
        let body = json!({ "factor_type": "totp", "friendly_name": "app" });
        let enroll = self.instance.service.post("/factors").json(&body);
        let enrolled = enroll.bearer(&session.access_token).await;
        let factor = id(&enrolled.expect_status(200));
        let ask = self
            .instance
            .service
            .post(&format!("/factors/{factor}/challenge"));
        let asked = ask.bearer(&session.access_token).await;
        Subject {
            session,
            factor,
            challenge: id(&asked.expect_status(200)),
            identity,
            passkey: None,
        }
    }

    /// A passkey of the user's, as far as the database knows.
    async fn passkey(&self, user_id: &str) -> String {
        let sql = format!(
            "insert into auth.webauthn_credentials \
             (id, user_id, credential_id, credential, created_at, updated_at) \
             values (gen_random_uuid(), '{user_id}', '{user_id}', '{{}}', now(), now()) \
             returning id::text"
        );
        self.instance.text(&sql).await
    }

    fn request(
        &self,
        route: &Route,
        (key, subject, other): (Key, &Subject, &Session),
    ) -> TestRequest {
        let path = route
            .path
            .replace("{user}", subject.session.user_id())
            .replace("{factor}", &subject.factor)
            .replace("{identity}", &subject.identity)
            .replace("{passkey}", subject.passkey.as_deref().unwrap_or_default());
        let method: Method = route.method.parse().expect("a method");
        let mut request = self.instance.service.request(method, &path);
        if !route.body.is_empty() {
            // Two callers who make something do not make the same.
            let new = format!("{key:?}-{}", route.name());
            let body = route
                .body
                .replace("NEW", &new)
                .replace("CHALLENGE", &subject.challenge);
            request = request.json(&serde_json::from_str::<Value>(&body).expect(&body));
        }
        match key {
            Key::Nothing => request,
            Key::Garbage => request.bearer("x.y.z"),
            Key::Anon => request.bearer(self.instance.db.anon_token()),
            Key::Other => request.bearer(&other.access_token),
            Key::Subject => request.bearer(&subject.session.access_token),
            Key::Superuser => request.bearer(&self.superuser.access_token),
            Key::Service => request.bearer(self.instance.db.service_token()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_every_kind_of_caller_as_it_should() {
    let stage = Stage::set().await;
    let mut subject = stage.subject("subject").await;
    let mut other = stage.instance.sign_up("other@example.com").await;
    let mut wrong = Vec::new();
    for route in ROUTES {
        for key in KEYS {
            if route.ends_sessions() && key == Key::Superuser {
                continue;
            }
            if route.path.contains("{passkey}") && subject.passkey.is_none() {
                let passkey = stage.passkey(subject.session.user_id()).await;
                subject.passkey = Some(passkey);
            }
            let response = stage.request(route, (key, &subject, &other)).await;
            let answered = class(route, &response);
            let wanted = expected(route.access, key);
            if answered != Some(wanted) {
                wrong.push(format!(
                    "{} {} as {key:?}: {wanted:?} expected, but {} {}",
                    route.method,
                    route.path,
                    response.status,
                    response.text(),
                ));
            }
            if wanted == Class::Served && (route.takes_away || route.ends_sessions()) {
                let name = format!("{key:?}-{}", route.name());
                subject = stage.subject(&format!("s-{name}")).await;
                other = stage
                    .instance
                    .sign_up(&format!("o-{name}@example.com"))
                    .await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_names_every_route() {
    let mut listed: Vec<String> = ROUTES.iter().map(Route::template).collect();
    listed.sort();
    listed.dedup();
    assert_eq!(declared(), listed);
}

#[test]
fn a_route_that_the_table_lacks_is_noticed() {
    let source = r#".route("/new/{id}", get(a::b).post(c::d))"#;
    assert_eq!(
        routes::read(source, ""),
        ["GET /new/{id}", "POST /new/{id}"]
    );
}
