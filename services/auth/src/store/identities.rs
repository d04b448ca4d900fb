//! `auth.identities`.

use pg::sqlx::{self, PgConnection, Row as _};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::user::NewIdentity;
use crate::store::StoreResult;

/// Stores a new identity.
pub async fn insert(
    connection: &mut PgConnection,
    identity: &NewIdentity,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "insert into auth.identities (id, provider_id, user_id, identity_data, provider, \
               last_sign_in_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6, $6)";
    sqlx::query(sql)
        .bind(identity.id)
        .bind(&identity.provider_id)
        .bind(identity.user_id.0)
        .bind(identity.data.to_value())
        .bind(&identity.provider)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces what a provider says of a user.
pub async fn update_data(
    connection: &mut PgConnection,
    id: Uuid,
    data: &Metadata,
    now: OffsetDateTime,
) -> StoreResult<()> {
    sqlx::query("update auth.identities set identity_data = $2, updated_at = $3 where id = $1")
        .bind(id)
        .bind(data.to_value())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes an identity.
pub async fn delete(connection: &mut PgConnection, id: Uuid) -> StoreResult<()> {
    sqlx::query("delete from auth.identities where id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The user whom a provider knows by this id.
pub async fn find_owner(
    connection: &mut PgConnection,
    provider: &str,
    provider_id: &str,
) -> StoreResult<Option<UserId>> {
    let sql = "select user_id from auth.identities where provider = $1 and provider_id = $2";
    let row = sqlx::query(sql)
        .bind(provider)
        .bind(provider_id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.map(UserId))
}

/// Notes that a user signed in by an identity, and what its provider says of them now.
pub async fn update_sign_in(
    connection: &mut PgConnection,
    id: Uuid,
    data: &Metadata,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "update auth.identities set identity_data = identity_data || $2, \
               last_sign_in_at = $3, updated_at = $3 where id = $1";
    sqlx::query(sql)
        .bind(id)
        .bind(data.to_value())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}
