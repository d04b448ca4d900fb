//! `GET /openapi.json`: every endpoint, as OpenAPI 3.1 describes it. A test holds the table against
//! the routes.

mod operations;

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApiBuilder, PathItem, Required,
    ResponseBuilder, Server,
};

use crate::app::App;
use operations::{Access, Endpoint, Field, Kind, OPERATIONS};

/// What the description says on every instance; where it is, is said per request.
static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(description()).unwrap_or_default());

/// Describes this service. Paths of SelfDB's own interface have a server of their own.
pub(super) async fn get_description(State(app): State<Arc<App>>) -> Json<Value> {
    let mut description = DESCRIPTION.clone();
    let servers = [Server::new(&app.rules.issuer)];
    description["servers"] = serde_json::json!(servers);
    let base = app.rules.issuer.trim_end_matches("/auth/v1");
    if let Some(paths) = description["paths"].as_object_mut() {
        for (path, item) in paths {
            if path.starts_with("/api/v1/") {
                item["servers"] = serde_json::json!([Server::new(base)]);
            }
        }
    }
    Json(description)
}

fn description() -> utoipa::openapi::OpenApi {
    let paths = OPERATIONS
        .iter()
        .fold(PathsBuilder::new(), |paths, endpoint| {
            let item = PathItem::new(method(endpoint), operation(endpoint));
            paths.path(endpoint.path, item)
        });
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("apikey")));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = ComponentsBuilder::new()
        .security_scheme("apikey", key)
        .security_scheme("bearer", SecurityScheme::Http(bearer));
    let info = InfoBuilder::new()
        .title("SelfDB: users and their sessions")
        .version(env!("CARGO_PKG_VERSION"));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn method(endpoint: &Endpoint) -> HttpMethod {
    match endpoint.method {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn operation(endpoint: &Endpoint) -> Operation {
    let error = ResponseBuilder::new().description("Why not: a code and a message");
    let success = ResponseBuilder::new().description(endpoint.summary);
    let mut operation = OperationBuilder::new()
        .operation_id(Some(endpoint.id))
        .summary(Some(endpoint.summary))
        .tag(tag(endpoint))
        .response(endpoint.success.to_string(), success)
        .response("4XX", error);
    operation = match endpoint.access {
        Access::Open => operation.security(SecurityRequirement::default()),
        Access::Key => operation.security(requirement("apikey")),
        Access::User | Access::Admin => operation.security(requirement("bearer")),
    };
    for name in endpoint.path.split('{').skip(1) {
        let name = name.split('}').next().unwrap_or_default();
        operation = operation.parameter(parameter(name, ParameterIn::Path, Kind::Text));
    }
    for field in endpoint.query {
        operation = operation.parameter(parameter(field.name, ParameterIn::Query, field.kind));
    }
    if !endpoint.body.is_empty() {
        let content = ContentBuilder::new().schema(Some(object(endpoint.body)));
        let body = RequestBodyBuilder::new()
            .content("application/json", content.build())
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    operation.build()
}

fn requirement(name: &str) -> SecurityRequirement {
    SecurityRequirement::new(name, [""; 0])
}

fn tag(endpoint: &Endpoint) -> &'static str {
    match endpoint.access {
        Access::Open | Access::Key => "anybody",
        Access::User => "users",
        Access::Admin => "administrators",
    }
}

fn parameter(name: &str, place: ParameterIn, kind: Kind) -> ParameterBuilder {
    let required = if place == ParameterIn::Path {
        Required::True
    } else {
        Required::False
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(schema(kind)))
}

fn object(fields: &[Field]) -> ObjectBuilder {
    fields.iter().fold(
        ObjectBuilder::new().schema_type(Type::Object),
        |object, field| object.property(field.name, schema(field.kind)),
    )
}

fn schema(kind: Kind) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(match kind {
        Kind::Text => Type::String,
        Kind::Flag => Type::Boolean,
        Kind::Number => Type::Integer,
        Kind::Object => Type::Object,
    })
}
