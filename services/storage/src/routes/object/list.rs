use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::domain::object::{ObjectId, timestamp};
use crate::error::Error;
use crate::routes::extract::{BucketPath, JsonBody};
use crate::store::listing::{self, Entry, FolderListing};

/// How many entries a page has unless asked otherwise.
const DEFAULT_LIMIT: i32 = 100;
/// The most entries a page has.
const MAX_LIMIT: i32 = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListObjectsRequest {
    #[serde(default)]
    prefix: String,
    limit: Option<i32>,
    offset: Option<i32>,
    search: Option<String>,
    sort_by: Option<SortBy>,
}

#[derive(Debug, Deserialize)]
struct SortBy {
    column: Option<String>,
    order: Option<String>,
}

/// An entry on the wire: folders have a name and nothing else.
#[derive(Debug, Serialize)]
pub(crate) struct EntryResponse {
    name: String,
    id: Option<ObjectId>,
    updated_at: Option<String>,
    created_at: Option<String>,
    last_accessed_at: Option<String>,
    metadata: Option<Value>,
}

impl From<Entry> for EntryResponse {
    fn from(entry: Entry) -> Self {
        let file = entry.file.as_ref();
        Self {
            name: entry.name,
            id: file.map(|file| file.id),
            updated_at: file.map(|file| timestamp(file.updated_at)),
            created_at: file.map(|file| timestamp(file.created_at)),
            last_accessed_at: file.map(|file| timestamp(file.last_accessed_at)),
            metadata: entry.file.and_then(|file| file.metadata),
        }
    }
}

/// The entries of a folder that the caller sees.
pub(crate) async fn list(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
    JsonBody(request): JsonBody<ListObjectsRequest>,
) -> Result<Json<Vec<EntryResponse>>, Error> {
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
    let offset = request.offset.unwrap_or(0);
    if limit < 1 || offset < 0 {
        let message = "limit must be at least 1 and offset at least 0";
        return Err(Error::InvalidRequest(message.to_owned()));
    }
    let (column, order) = request
        .sort_by
        .map_or((None, None), |sort| (sort.column, sort.order));
    let listing = FolderListing {
        prefix: folder(request.prefix),
        search: request.search.unwrap_or_default(),
        limit: limit.min(MAX_LIMIT),
        // What is left of an integer: the walk adds the two.
        offset: offset.min(i32::MAX - MAX_LIMIT),
        sort_column: column.unwrap_or_else(|| "name".to_owned()),
        descending: order.is_some_and(|order| order.eq_ignore_ascii_case("desc")),
    };
    let mut transaction = authoriser.begin(&caller).await?;
    let entries = listing::folder(&mut transaction, &bucket, &listing).await?;
    transaction.commit().await?;
    Ok(Json(entries.into_iter().map(EntryResponse::from).collect()))
}

/// A prefix is always a folder, whether or not its last slash was written; so is the empty one.
fn folder(mut prefix: String) -> String {
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    prefix
}
