use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pg::sqlx::{self, PgConnection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::authoriser::Authoriser;
use crate::caller::Authenticated;
use crate::domain::key::BucketId;
use crate::domain::object::{ObjectId, timestamp};
use crate::error::Error;
use crate::routes::extract::{BucketPath, JsonBody};
use crate::store::listing::{self, Entry, FileEntry, PrefixListing, TimeListing};

/// The most entries a page has, and how many it has unless asked otherwise.
const MAX_LIMIT: i32 = 1000;

#[derive(Debug, Deserialize)]
pub(crate) struct ListV2Request {
    #[serde(default)]
    prefix: Option<String>,
    limit: Option<i32>,
    cursor: Option<String>,
    #[serde(default)]
    with_delimiter: bool,
    #[serde(rename = "sortBy")]
    sort_by: Option<SortBy>,
}

#[derive(Debug, Deserialize)]
struct SortBy {
    column: Column,
    order: Option<Order>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Column {
    Name,
    UpdatedAt,
    CreatedAt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Asc,
    Desc,
}

/// Where a page ended, and in which order; clients pass it on unread.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "f")]
    is_folder: bool,
    #[serde(
        rename = "t",
        with = "time::serde::timestamp::nanoseconds::option",
        default
    )]
    time: Option<OffsetDateTime>,
    #[serde(rename = "c")]
    column: Column,
    #[serde(rename = "o")]
    order: Order,
}

impl Cursor {
    fn read(text: &str) -> Result<Self, Error> {
        let invalid = || Error::InvalidRequest("the cursor cannot be read".to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        serde_json::from_slice(&bytes).map_err(|_| invalid())
    }

    fn write(&self) -> String {
        // Strings, numbers and names: nothing in it can fail to be JSON.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListV2Response {
    has_next: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    folders: Vec<FolderResponse>,
    objects: Vec<FileResponse>,
}

#[derive(Debug, Serialize)]
struct FolderResponse {
    name: String,
    key: String,
}

#[derive(Debug, Serialize)]
struct FileResponse {
    name: String,
    key: String,
    id: ObjectId,
    updated_at: String,
    created_at: String,
    last_accessed_at: String,
    metadata: Option<Value>,
}

/// The objects under a prefix that the caller sees, page by page; with a delimiter, folders apart.
/// Names are whole, as an object is downloaded by.
pub(crate) async fn list_v2(
    Authenticated(caller): Authenticated,
    State(authoriser): State<Authoriser>,
    BucketPath(bucket): BucketPath,
    JsonBody(request): JsonBody<ListV2Request>,
) -> Result<Json<ListV2Response>, Error> {
    let cursor = request.cursor.as_deref().map(Cursor::read).transpose()?;
    let limit = request.limit.unwrap_or(MAX_LIMIT);
    if limit < 1 {
        let message = "limit must be at least 1";
        return Err(Error::InvalidRequest(message.to_owned()));
    }
    let limit = limit.min(MAX_LIMIT);
    let sort = request.sort_by;
    let (column, order) = match (&cursor, &sort) {
        // The order is the one that the first page had.
        (Some(cursor), _) => (cursor.column, cursor.order),
        (None, Some(sort)) => (sort.column, sort.order.unwrap_or(Order::Asc)),
        (None, None) => (Column::Name, Order::Asc),
    };
    let page = Page {
        prefix: request.prefix.unwrap_or_default(),
        folders: request.with_delimiter,
        column,
        order,
        limit,
    };
    let mut transaction = authoriser.begin(&caller).await?;
    let entries = page.entries(&mut transaction, &bucket, cursor).await?;
    transaction.commit().await?;
    Ok(Json(page.answer(entries)))
}

struct Page {
    prefix: String,
    folders: bool,
    column: Column,
    order: Order,
    limit: i32,
}

impl Page {
    /// The page's entries, and one more where there are more.
    async fn entries(
        &self,
        connection: &mut PgConnection,
        bucket: &BucketId,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Entry>, sqlx::Error> {
        let descending = self.order == Order::Desc;
        if self.column == Column::Name {
            let after = cursor.map(|cursor| {
                // Backwards, a run's own name is below everything in it.
                if cursor.is_folder && !descending {
                    listing::past(&cursor.name)
                } else {
                    cursor.name
                }
            });
            let listing = PrefixListing {
                prefix: self.prefix.clone(),
                delimiter: if self.folders { "/" } else { "" }.to_owned(),
                after,
                limit: self.limit + 1,
                descending,
            };
            return listing::under_prefix(connection, bucket, &listing).await;
        }
        let listing = TimeListing {
            prefix: self.prefix.clone(),
            folders: self.folders,
            by_update: self.column == Column::UpdatedAt,
            after: cursor.map(|cursor| (cursor.time, cursor.name)),
            limit: self.limit + 1,
            descending,
        };
        listing::by_time(connection, bucket, &listing).await
    }

    fn answer(&self, mut entries: Vec<Entry>) -> ListV2Response {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let has_next = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| has_next);
        let next_cursor = last.map(|entry| self.cursor(entry).write());
        let mut answer = ListV2Response {
            has_next,
            next_cursor,
            folders: Vec::new(),
            objects: Vec::new(),
        };
        for Entry { name, file } in entries {
            let key = name.clone();
            match file {
                None => answer.folders.push(FolderResponse { name, key }),
                Some(file) => answer.objects.push(FileResponse {
                    name,
                    key,
                    id: file.id,
                    updated_at: timestamp(file.updated_at),
                    created_at: timestamp(file.created_at),
                    last_accessed_at: timestamp(file.last_accessed_at),
                    metadata: file.metadata,
                }),
            }
        }
        answer
    }

    fn cursor(&self, entry: &Entry) -> Cursor {
        let time = |file: &FileEntry| match self.column {
            Column::Name => None,
            Column::UpdatedAt => Some(file.updated_at),
            Column::CreatedAt => Some(file.created_at),
        };
        Cursor {
            name: entry.name.clone(),
            is_folder: entry.file.is_none(),
            time: entry.file.as_ref().and_then(time),
            column: self.column,
            order: self.order,
        }
    }
}
