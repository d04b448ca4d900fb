//! Objects as images, rendered as the query or a signed URL says.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use crate::app::App;
use crate::authoriser::{Authoriser, Door, Readable};
use crate::caller::Authenticated;
use crate::domain::image::{Asked, Transformation};
use crate::error::Error;
use crate::integrity::Reads;
use crate::renditions::{Renditions, Takes};
use crate::routes::extract::ObjectPath;
use crate::routes::object::delivery::Delivery;
use crate::routes::object::wanted::Wanted;

/// The routes; GET serves HEAD too.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/render/image/public/{bucket}/{*key}", get(public))
        .route(
            "/render/image/authenticated/{bucket}/{*key}",
            get(authenticated),
        )
        .route("/render/image/sign/{bucket}/{*key}", get(signed))
}

/// An image of a public bucket, for anybody.
async fn public(
    State(renderer): State<Renderer>,
    wanted: Wanted<RenderParams>,
) -> Result<Response, Error> {
    renderer.answer(Door::Public, &wanted).await
}

/// An image, for a caller with a valid token who may see it.
async fn authenticated(
    Authenticated(caller): Authenticated,
    State(renderer): State<Renderer>,
    wanted: Wanted<RenderParams>,
) -> Result<Response, Error> {
    renderer.answer(Door::Plain(Some(&caller)), &wanted).await
}

/// The image that a signed URL was made for, rendered as it was signed.
async fn signed(
    State(renderer): State<Renderer>,
    wanted: Wanted<RenderParams>,
) -> Result<Response, Error> {
    let ObjectPath { bucket, key } = &wanted.path;
    let token = &wanted.params.token;
    let signed = renderer.authoriser.signed_rendition(token, bucket, key);
    let (readable, spelled) = signed.await?;
    let transformation = Transformation::read(&spelled)?;
    renderer.rendered(readable, transformation, &wanted).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct RenderParams {
    #[serde(flatten)]
    asked: QueryAsked,
    download: Option<String>,
    #[serde(default)]
    token: String,
}

/// As [`Asked`], of a query, whose values are all text.
#[derive(Debug, Deserialize)]
struct QueryAsked {
    width: Option<String>,
    height: Option<String>,
    resize: Option<String>,
    quality: Option<String>,
    format: Option<String>,
}

impl QueryAsked {
    fn read(&self) -> Result<Transformation, Error> {
        let invalid = |name: &str| Error::InvalidRequest(format!("{name} cannot be read"));
        let number = |name: &str, text: &Option<String>| {
            let read = text.as_deref().map(str::parse::<u32>).transpose();
            read.map_err(|_| invalid(name))
        };
        let quality = number("quality", &self.quality)?;
        let resize = self.resize.as_deref().map(|text| {
            let value = serde_json::Value::from(text);
            serde_json::from_value(value).map_err(|_| invalid("resize"))
        });
        let asked = Asked {
            width: number("width", &self.width)?,
            height: number("height", &self.height)?,
            resize: resize.transpose()?,
            quality: quality.map(|quality| u8::try_from(quality).unwrap_or(u8::MAX)),
            format: self.format.clone(),
        };
        Ok(Transformation::of(&asked)?)
    }
}

/// Looks up objects and answers with what is rendered of them.
#[derive(Clone)]
pub(crate) struct Renderer {
    authoriser: Authoriser,
    renditions: Renditions,
    reads: Reads,
}

impl FromRef<App> for Renderer {
    fn from_ref(app: &App) -> Self {
        Self {
            authoriser: app.authoriser.clone(),
            renditions: app.renditions.clone(),
            reads: app.reads.clone(),
        }
    }
}

impl Renderer {
    async fn answer(
        &self,
        door: Door<'_>,
        wanted: &Wanted<RenderParams>,
    ) -> Result<Response, Error> {
        let transformation = wanted.params.asked.read()?;
        let ObjectPath { bucket, key } = &wanted.path;
        let readable = self.authoriser.readable(door, bucket, key).await?;
        self.rendered(readable, transformation, wanted).await
    }

    async fn rendered(
        &self,
        readable: Readable,
        transformation: Transformation,
        wanted: &Wanted<RenderParams>,
    ) -> Result<Response, Error> {
        let takes = if !transformation.keeps_format() && takes_webp(&wanted.headers) {
            Takes::WebP
        } else {
            Takes::Origin
        };
        let renditions = &self.renditions;
        let rendered = renditions.of(&readable.object, transformation, takes);
        let rendered = Readable {
            object: Arc::new(rendered.await?),
            expires_at: readable.expires_at,
        };
        let delivery = Delivery {
            headers: &wanted.headers,
            download: wanted.params.download.as_deref(),
            part: wanted.part,
        };
        let mut response = delivery.answer(&self.reads, &rendered).await?;
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::try_from(transformation.spelled()) {
            headers.insert("x-transformations", value);
        }
        if !transformation.keeps_format() {
            headers.insert(VARY, HeaderValue::from_static("accept"));
        }
        Ok(response)
    }
}

/// Whether `Accept` names WebP; what takes anything takes the image as it is.
fn takes_webp(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|range| {
            let mut parameters = range.split(';').map(str::trim);
            parameters.next() == Some("image/webp") && !parameters.any(|p| p == "q=0")
        })
}
