//! `auth.identities`.

use pg::sqlx::{self, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

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
