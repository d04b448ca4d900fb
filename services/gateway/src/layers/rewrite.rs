//! The path and query a service is shown.

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};

use axum::extract::{OriginalUri, Request};

use super::forwarded;
use crate::refusal::Refusal;
use crate::routes::{Access, Forward, PathRule, ServiceName};

const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
const GRAPHQL_SCHEMA: HeaderValue = HeaderValue::from_static("graphql_public");
const GRAPHQL_PATH: &str = "/rpc/graphql";

/// Shows the service its own path, and no key in the query where the key was already settled: a
/// filter named `apikey` would mean something to `rest`.
pub(crate) fn apply(request: &mut Request, forward: Forward) -> Result<(), Refusal> {
    // In process, axum would tell a service the unstripped URI; over the wire nobody could.
    request.extensions_mut().remove::<OriginalUri>();
    let headers = request.headers_mut();
    match forward.path {
        PathRule::Strip(prefix) => forwarded::note_stripped(headers, prefix),
        PathRule::Keep => {}
        PathRule::GraphQl => {
            headers.insert(CONTENT_PROFILE, GRAPHQL_SCHEMA);
            headers.insert(ACCEPT_PROFILE, GRAPHQL_SCHEMA);
        }
    }
    let rewritten = shown(request.uri(), forward)?;
    if let Some(rewritten) = rewritten {
        *request.uri_mut() = Uri::from(rewritten);
    }
    Ok(())
}

/// The path and query to show, where they differ from the client's.
fn shown(uri: &Uri, forward: Forward) -> Result<Option<PathAndQuery>, Refusal> {
    let path = uri.path();
    let shown = match forward.path {
        PathRule::Keep => path,
        PathRule::Strip(prefix) => path.strip_prefix(prefix).unwrap_or(path),
        PathRule::GraphQl => GRAPHQL_PATH,
    };
    let settled = forward.access != Access::Service && forward.service != ServiceName::Realtime;
    let query = uri.query();
    let hides = settled && query.is_some_and(|query| query.contains("apikey="));
    if shown.len() == path.len() && !hides {
        return Ok(None);
    }
    let whole = uri.path_and_query().map_or(path, PathAndQuery::as_str);
    let rewritten = if hides || shown.is_empty() || forward.path == PathRule::GraphQl {
        let query = query.map(|query| {
            if hides {
                without_key(query)
            } else {
                query.to_owned()
            }
        });
        let slash = if shown.is_empty() { "/" } else { shown };
        match query.filter(|query| !query.is_empty()) {
            Some(query) => PathAndQuery::try_from(format!("{slash}?{query}")),
            None => PathAndQuery::try_from(slash),
        }
    } else {
        // The tail of the text as it came, path and query together.
        let start = path.len() - shown.len();
        PathAndQuery::try_from(whole.get(start..).unwrap_or(whole))
    };
    let rewritten = rewritten.map_err(|_| Refusal::BadRequest("The path is not valid"))?;
    Ok(Some(rewritten))
}

fn without_key(query: &str) -> String {
    let kept: Vec<_> = query
        .split('&')
        .filter(|parameter| !parameter.starts_with("apikey="))
        .collect();
    kept.join("&")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::routes::{Target, find};

    fn shown(uri: &str) -> String {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri.parse().expect("a URI");
        let route = find(request.uri().path()).expect("a route");
        let Target::Forward(forward) = route.target else {
            panic!("{uri} is a page");
        };
        apply(&mut request, forward).expect("a valid path");
        request.uri().to_string()
    }

    #[test]
    fn each_service_sees_its_own_path() {
        for (uri, expected) in [
            ("/rest/v1/todos?select=*", "/todos?select=*"),
            ("/rest/v1", "/"),
            ("/rest/v1/", "/"),
            ("/rest/v1?select=*", "/?select=*"),
            ("/rest/v1//x", "//x"),
            ("/rest/v1/a%2Fb/../c?d=%3F?", "/a%2Fb/../c?d=%3F?"),
            ("/rest/v1/todos?apikey=k", "/todos"),
            ("/rest/v1/todos?a=1&apikey=k&b=2", "/todos?a=1&b=2"),
            ("/rest/v1/todos?my_apikey=k", "/todos?my_apikey=k"),
            ("/rest/v1?apikey=k", "/"),
            (
                "/realtime/v1/websocket?apikey=k&vsn=1.0.0",
                "/websocket?apikey=k&vsn=1.0.0",
            ),
            ("/functions/v1/hello?apikey=k", "/hello?apikey=k"),
            ("/graphql/v1?query=x", "/rpc/graphql?query=x"),
            ("/graphql/v1?apikey=k", "/rpc/graphql"),
            ("/api/v1/tables/t?page=1", "/api/v1/tables/t?page=1"),
            ("/api/v1/tables?apikey=k", "/api/v1/tables"),
            ("/sso/saml/acs", "/sso/saml/acs"),
        ] {
            assert_eq!(shown(uri), expected, "{uri}");
        }
    }
}
