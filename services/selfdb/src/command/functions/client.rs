//! The instance, asked over HTTP with the service role's key.

use common::error::BoxError;
use common::{Environment, Secret, Settings};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::config;

type Body = Full<axum::body::Bytes>;

/// Where the instance is, and the key to it.
pub(super) struct Client {
    base: String,
    key: Secret,
    http: legacy::Client<HttpConnector, Body>,
}

impl Client {
    /// The instance of an env file, or the one at `url`.
    pub(super) fn new(environment: &dyn Environment, url: Option<&str>) -> Result<Self, BoxError> {
        let settings = Settings::new(environment);
        let ready = config::ready_url(&settings);
        let own = ready.trim_end_matches("/ready");
        let base = url.unwrap_or(own).trim_end_matches('/').to_owned();
        let key = settings.text("SERVICE_ROLE_KEY");
        let key = key.ok_or("SERVICE_ROLE_KEY is not set: name the env file with --env-file")?;
        Ok(Self {
            base,
            key: Secret::from(key),
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// `GET /api/v1/functions<path>`.
    pub(super) async fn get(&self, path: &str) -> Result<Value, BoxError> {
        self.send(Method::GET, path, None).await
    }

    /// `DELETE /api/v1/functions<path>`.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, BoxError> {
        self.send(Method::DELETE, path, None).await
    }

    /// Asks `/api/v1/functions<path>`; an error's text is what the instance says.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, BoxError> {
        let (status, text) = self.ask(method, path, body).await?;
        if status.is_success() {
            return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
        }
        Err(explain(status, &text).into())
    }

    /// The same; answers the status with the text.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, String), BoxError> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let uri = format!("{}/api/v1/functions{path}", self.base);
        self.exchange(method, uri, body).await
    }

    /// Calls the function `name`; answers what it says, an error where that is one.
    pub(super) async fn invoke(
        &self,
        name: &str,
        method: &str,
        data: Option<&str>,
    ) -> Result<String, BoxError> {
        let uri = format!("{}/functions/v1/{name}", self.base);
        let method = Method::from_bytes(method.to_uppercase().as_bytes())?;
        let data = data.unwrap_or_default().to_owned();
        if !data.is_empty() {
            serde_json::from_str::<Value>(&data)
                .map_err(|error| format!("--data is not JSON: {error}"))?;
        }
        let (status, text) = self.exchange(method, uri, data).await?;
        if status.is_success() {
            Ok(text)
        } else {
            let answer = serde_json::from_str::<Value>(&text).unwrap_or_default();
            let said = answer["message"].as_str().unwrap_or(&text);
            Err(format!("{status}: {said}").into())
        }
    }

    async fn exchange(
        &self,
        method: Method,
        uri: String,
        body: String,
    ) -> Result<(StatusCode, String), BoxError> {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(AUTHORIZATION, format!("Bearer {}", self.key.expose()))
            .header("apikey", self.key.expose());
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let response = self.http.request(request.body(Full::from(body))?).await;
        let response = response.map_err(|error| {
            let error = common::error::chain(&error);
            format!("{}: {error}: is the platform running?", self.base)
        })?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// What the instance said, with each diagnostic on a line of its own.
fn explain(status: StatusCode, text: &str) -> String {
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        return format!("{status}: {text}");
    };
    let mut lines = vec![super::shown(&answer["detail"])];
    if let Some(diagnostics) = answer["diagnostics"].as_array() {
        lines.extend(diagnostics.iter().map(super::deploy::diagnostic));
    }
    lines.join("\n")
}
