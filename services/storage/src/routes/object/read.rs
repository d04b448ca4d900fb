use axum::extract::{FromRef, State};
use axum::response::Response;
use serde::Deserialize;

use super::delivery::Delivery;
use super::wanted::Wanted;
use crate::app::App;
use crate::authoriser::{Authoriser, Door};
use crate::backend::BackendError;
use crate::caller::{Anybody, Authenticated};
use crate::error::Error;
use crate::integrity::Reads;

/// An object, for whoever may see it; of a public bucket, for anybody.
pub(crate) async fn get(
    Anybody(caller): Anybody,
    State(reader): State<Reader>,
    wanted: Wanted<ReadParams>,
) -> Result<Response, Error> {
    reader.answer(Door::Plain(caller.as_ref()), &wanted).await
}

/// An object, for a caller with a valid token who may see it.
pub(crate) async fn get_authenticated(
    Authenticated(caller): Authenticated,
    State(reader): State<Reader>,
    wanted: Wanted<ReadParams>,
) -> Result<Response, Error> {
    reader.answer(Door::Plain(Some(&caller)), &wanted).await
}

/// An object that is public, for anybody.
pub(crate) async fn get_public(
    State(reader): State<Reader>,
    wanted: Wanted<ReadParams>,
) -> Result<Response, Error> {
    reader.answer(Door::Public, &wanted).await
}

/// The object that a signed URL was made for.
pub(crate) async fn get_signed(
    State(reader): State<Reader>,
    wanted: Wanted<ReadParams>,
) -> Result<Response, Error> {
    reader
        .answer(Door::Signed(&wanted.params.token), &wanted)
        .await
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReadParams {
    download: Option<String>,
    #[serde(default)]
    token: String,
}

/// Looks up objects and answers with them.
#[derive(Clone)]
pub(crate) struct Reader {
    authoriser: Authoriser,
    reads: Reads,
}

impl FromRef<App> for Reader {
    fn from_ref(app: &App) -> Self {
        Self {
            authoriser: app.authoriser.clone(),
            reads: app.reads.clone(),
        }
    }
}

impl Reader {
    async fn answer(&self, door: Door<'_>, wanted: &Wanted<ReadParams>) -> Result<Response, Error> {
        match self.deliver(door, wanted).await {
            // The object was replaced, and its old bytes deleted, since it was looked up.
            Err(Error::Backend(BackendError::Missing(_))) => self.deliver(door, wanted).await,
            answer => answer,
        }
    }

    async fn deliver(
        &self,
        door: Door<'_>,
        wanted: &Wanted<ReadParams>,
    ) -> Result<Response, Error> {
        let (bucket, key) = (&wanted.path.bucket, &wanted.path.key);
        let readable = self.authoriser.readable(door, bucket, key).await?;
        let delivery = Delivery {
            headers: &wanted.headers,
            download: wanted.params.download.as_deref(),
            part: wanted.part,
        };
        delivery.answer(&self.reads, &readable).await
    }
}
