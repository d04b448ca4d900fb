//! Our service: behind the gateway in one process, or `selfdb-rest` alone.

use std::path::Path;
use std::process::Command;

use super::case::{Caller, Case, Kind, NEW_ROW};
use super::child::Program;
use super::instance::Instance;
use super::load::Request;
use super::tokens::Tokens;

/// `selfdb-rest` as a process of its own, on the instance's Postgres.
pub(super) async fn start_alone(programs: &Path, instance: &Instance) -> Program {
    let mut command = Command::new(programs.join("selfdb-rest"));
    command.envs(instance.settings.iter());
    command.env("POSTGRES_SOCKET_DIR", instance.sockets());
    let mut program = Program::start(command, &instance.folder().join("selfdb-rest.log"));
    let ready = format!("{}/ready", instance.address("REST_PORT"));
    program.answers(&ready).await;
    program
}

/// The request of `case` through the gateway.
pub(super) fn through_gateway(instance: &Instance, tokens: &Tokens, case: Case) -> Request {
    let base = format!("{}/rest/v1", instance.address("API_PORT"));
    let key = instance.setting("ANON_KEY");
    request(&base, tokens, case).header("apikey", key)
}

/// The request of `case` to the service itself.
pub(super) fn directly(instance: &Instance, tokens: &Tokens, case: Case) -> Request {
    request(&instance.address("REST_PORT"), tokens, case)
}

fn request(base: &str, tokens: &Tokens, case: Case) -> Request {
    let url = format!("{base}{}", case.path());
    let request = match case.kind {
        Kind::OneRow | Kind::Hundred => Request::get(url),
        Kind::Insert => Request::post(url, NEW_ROW),
    };
    authorized(request, tokens, case.caller)
}

/// With the token of `caller`.
pub(super) fn authorized(mut request: Request, tokens: &Tokens, caller: Caller) -> Request {
    match caller {
        Caller::Anon => request,
        Caller::SignedIn => request.header("authorization", format!("Bearer {}", tokens.one)),
        Caller::ManyTokens => {
            request.tokens = Some(tokens.many.clone());
            request
        }
    }
}
