//! Who may send messages to which function.

use pg::sqlx;
use pg::sqlx::Row as _;
use pg::sqlx::postgres::{PgPool, PgRow};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// A webhook, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct WebhookRow {
    pub(crate) id: Uuid,
    #[serde(skip)]
    pub(crate) function_id: Uuid,
    pub(crate) function: String,
    pub(crate) name: String,
    pub(crate) is_active: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(skip)]
    pub(crate) sealed_secret: Vec<u8>,
}

impl WebhookRow {
    /// Where its secret belongs.
    pub(crate) fn place(id: Uuid) -> String {
        format!("webhook/{id}")
    }
}

/// A webhook to be.
#[derive(Debug)]
pub(crate) struct NewWebhook<'a> {
    pub(crate) id: Uuid,
    pub(crate) function: Uuid,
    pub(crate) name: &'a str,
    pub(crate) sealed_secret: &'a [u8],
}

fn read(row: &PgRow) -> Result<WebhookRow, sqlx::Error> {
    Ok(WebhookRow {
        id: row.try_get("id")?,
        function_id: row.try_get("function_id")?,
        function: row.try_get("function")?,
        name: row.try_get("name")?,
        is_active: row.try_get("is_active")?,
        created_at: row.try_get("created_at")?,
        sealed_secret: row.try_get("sealed_secret")?,
    })
}

/// All webhooks, or one, or those of a function's name.
pub(crate) async fn list(
    pool: &PgPool,
    id: Option<Uuid>,
    function: Option<&str>,
) -> Result<Vec<WebhookRow>, sqlx::Error> {
    let rows = sqlx::query(
        "select w.*, f.name as function from functions.webhooks w
           join functions.functions f on f.id = w.function_id
          where ($1::uuid is null or w.id = $1) and ($2::text is null or f.name = $2)
          order by f.name, w.name",
    )
    .bind(id)
    .bind(function)
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// Whether it was made: its function has none of that name yet.
pub(crate) async fn insert(pool: &PgPool, webhook: &NewWebhook<'_>) -> Result<bool, sqlx::Error> {
    let made = sqlx::query(
        "insert into functions.webhooks (id, function_id, name, sealed_secret)
         values ($1, $2, $3, $4) on conflict (function_id, name) do nothing",
    )
    .bind(webhook.id)
    .bind(webhook.function)
    .bind(webhook.name)
    .bind(webhook.sealed_secret)
    .execute(pool)
    .await?;
    Ok(made.rows_affected() > 0)
}

/// Changes its name, whether it takes messages, or its secret; says whether there was such a one.
pub(crate) async fn update(
    pool: &PgPool,
    id: Uuid,
    (name, is_active): (Option<&str>, Option<bool>),
    sealed_secret: Option<&[u8]>,
) -> Result<bool, sqlx::Error> {
    let changed = sqlx::query(
        "update functions.webhooks
            set name = coalesce($2, name), is_active = coalesce($3, is_active),
                sealed_secret = coalesce($4, sealed_secret)
          where id = $1",
    )
    .bind(id)
    .bind(name)
    .bind(is_active)
    .bind(sealed_secret)
    .execute(pool)
    .await?;
    Ok(changed.rows_affected() > 0)
}

/// Whether there was such a webhook.
pub(crate) async fn delete(pool: &PgPool, id: Uuid) -> Result<bool, sqlx::Error> {
    let deleted = sqlx::query("delete from functions.webhooks where id = $1")
        .bind(id)
        .execute(pool)
        .await?;
    Ok(deleted.rows_affected() > 0)
}
