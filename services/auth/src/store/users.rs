//! `auth.users`.

use pg::sqlx::{self, PgConnection, Row as _};
use serde_json::Value;
use time::OffsetDateTime;

use crate::domain::email::EmailAddress;
use crate::domain::ids::UserId;
use crate::domain::metadata::Metadata;
use crate::domain::phone::PhoneNumber;
use crate::domain::user::{Contact, NewUser, User};
use crate::store::StoreResult;
use crate::store::user_row::{read_user, user_columns};

/// The user with this id, deleted or not.
pub async fn find(connection: &mut PgConnection, id: UserId) -> StoreResult<Option<User>> {
    let sql = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where u.id = $1"
    );
    let row = sqlx::query(sql)
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read_user).transpose()?)
}

/// The user with this id, whose row nobody else changes until the transaction ends.
pub async fn find_for_update(
    connection: &mut PgConnection,
    id: UserId,
) -> StoreResult<Option<User>> {
    let sql = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where u.id = $1 for no key update of u"
    );
    let row = sqlx::query(sql)
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read_user).transpose()?)
}

/// The user who signs in with this address or number.
pub async fn find_by_contact(
    connection: &mut PgConnection,
    contact: &Contact,
) -> StoreResult<Option<User>> {
    let by_email = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where lower(u.email::text) = $1 and not u.is_sso_user \
         order by u.created_at, u.id limit 1"
    );
    let by_phone = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where u.phone = $1 and not u.is_sso_user"
    );
    let sql = match contact {
        Contact::Email(_) => by_email,
        Contact::Phone(_) => by_phone,
    };
    let row = sqlx::query(sql)
        .bind(contact.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(read_user).transpose()?)
}

/// Which users to list.
#[derive(Debug, Clone, Default)]
pub struct UserPage {
    /// How many to leave out, from the newest.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
    /// Only those whose e-mail address or full name has this text in it.
    pub filter: Option<String>,
}

/// Users, the newest first.
pub async fn list(connection: &mut PgConnection, page: &UserPage) -> StoreResult<Vec<User>> {
    let sql = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where u.deleted_at is null and ($1::text is null or u.email ilike $1 \
         or u.raw_user_meta_data ->> 'full_name' ilike $1) \
         order by u.created_at desc, u.id limit $2 offset $3"
    );
    let rows = sqlx::query(sql)
        .bind(page.filter.as_deref().map(like_pattern))
        .bind(page.limit)
        .bind(page.offset)
        .fetch_all(connection)
        .await?;
    let users = rows.iter().map(read_user).collect::<sqlx::Result<_>>()?;
    Ok(users)
}

/// How many users there are.
pub async fn count(connection: &mut PgConnection, filter: Option<&str>) -> StoreResult<i64> {
    let sql = "select count(*) from auth.users u where u.deleted_at is null \
               and ($1::text is null or u.email ilike $1 \
               or u.raw_user_meta_data ->> 'full_name' ilike $1)";
    let row = sqlx::query(sql)
        .bind(filter.map(like_pattern))
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

/// The pattern that finds `text` anywhere, where its own wildcards stand for themselves.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Stores a new user.
pub async fn insert(connection: &mut PgConnection, user: &NewUser) -> StoreResult<()> {
    let sql = "insert into auth.users (instance_id, id, aud, role, email, phone, \
               encrypted_password, email_confirmed_at, phone_confirmed_at, confirmation_token, \
               recovery_token, email_change_token_new, email_change, raw_app_meta_data, \
               raw_user_meta_data, is_anonymous, is_super_admin, banned_until, created_at, \
               updated_at) \
               values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4, $5, $6, $7, $8, \
               '', '', '', '', $9, $10, $11, $12, $13, $14, $14)";
    sqlx::query(sql)
        .bind(user.id.0)
        .bind(&user.audience)
        .bind(&user.role)
        .bind(user.email.as_ref().map(EmailAddress::as_str))
        .bind(user.phone.as_ref().map(PhoneNumber::as_str))
        .bind(&user.password_hash)
        .bind(user.email_confirmed_at)
        .bind(user.phone_confirmed_at)
        .bind(user.app_metadata.to_value())
        .bind(user.user_metadata.to_value())
        .bind(user.is_anonymous)
        .bind(user.is_super_admin.then_some(true))
        .bind(user.banned_until)
        .bind(user.created_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Columns of a user to be written; none leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChanges {
    /// A new Postgres role.
    pub role: Option<String>,
    /// A new e-mail address.
    pub email: Option<EmailAddress>,
    /// A new phone number.
    pub phone: Option<PhoneNumber>,
    /// A new password's hash.
    pub password_hash: Option<String>,
    /// When the address was confirmed.
    pub email_confirmed_at: Option<OffsetDateTime>,
    /// When the number was confirmed.
    pub phone_confirmed_at: Option<OffsetDateTime>,
    /// All of the new `app_metadata`.
    pub app_metadata: Option<Metadata>,
    /// All of the new `user_metadata`.
    pub user_metadata: Option<Metadata>,
    /// Whether the user is anonymous.
    pub is_anonymous: Option<bool>,
    /// A ban, or its end.
    pub ban: Option<BanChange>,
}

/// What becomes of a user's ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanChange {
    /// It ends.
    Lift,
    /// It lasts until then.
    Until(OffsetDateTime),
}

/// Writes `changes` to a user. A new password, address or number makes tokens that were sent
/// before worthless.
pub async fn update(
    connection: &mut PgConnection,
    id: UserId,
    changes: &UserChanges,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let sql = "update auth.users set \
               role = coalesce($2, role), email = coalesce($3, email), \
               phone = coalesce($4, phone), \
               encrypted_password = coalesce($5, encrypted_password), \
               email_confirmed_at = coalesce($6, email_confirmed_at), \
               phone_confirmed_at = coalesce($7, phone_confirmed_at), \
               raw_app_meta_data = coalesce($8, raw_app_meta_data), \
               raw_user_meta_data = coalesce($9, raw_user_meta_data), \
               is_anonymous = coalesce($10, is_anonymous), \
               banned_until = case when $11 then $12 else banned_until end, \
               confirmation_token = case when $13 then '' else confirmation_token end, \
               recovery_token = case when $13 then '' else recovery_token end, \
               email_change_token_new = case when $13 then '' else email_change_token_new end, \
               email_change_token_current = \
                   case when $13 then '' else email_change_token_current end, \
               phone_change_token = case when $13 then '' else phone_change_token end, \
               reauthentication_token = case when $13 then '' else reauthentication_token end, \
               updated_at = $14 where id = $1";
    let voids_tokens =
        changes.password_hash.is_some() || changes.email.is_some() || changes.phone.is_some();
    let banned_until = match changes.ban {
        Some(BanChange::Until(until)) => Some(until),
        Some(BanChange::Lift) | None => None,
    };
    sqlx::query(sql)
        .bind(id.0)
        .bind(&changes.role)
        .bind(changes.email.as_ref().map(EmailAddress::as_str))
        .bind(changes.phone.as_ref().map(PhoneNumber::as_str))
        .bind(&changes.password_hash)
        .bind(changes.email_confirmed_at)
        .bind(changes.phone_confirmed_at)
        .bind(changes.app_metadata.as_ref().map(Metadata::to_value))
        .bind(changes.user_metadata.as_ref().map(Metadata::to_value))
        .bind(changes.is_anonymous)
        .bind(changes.ban.is_some())
        .bind(banned_until)
        .bind(voids_tokens)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that the user signed in now.
pub async fn update_last_sign_in(
    connection: &mut PgConnection,
    id: UserId,
    now: OffsetDateTime,
) -> StoreResult<()> {
    sqlx::query("update auth.users set last_sign_in_at = $2, updated_at = $2 where id = $1")
        .bind(id.0)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces a password's hash by another of the same password, unless the password was changed
/// meanwhile.
pub async fn update_hash(
    connection: &mut PgConnection,
    id: UserId,
    outdated: &str,
    current: &str,
) -> StoreResult<()> {
    sqlx::query(
        "update auth.users set encrypted_password = $3 where id = $1 and encrypted_password = $2",
    )
    .bind(id.0)
    .bind(outdated)
    .bind(current)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a user and all that refers to the row by `on delete cascade`.
pub async fn delete(connection: &mut PgConnection, id: UserId) -> StoreResult<()> {
    sqlx::query("delete from auth.users where id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the row of a deleted user, for what refers to it, and nothing that tells who it was.
/// The address and number become digests, so that they can be used for another account.
pub async fn delete_softly(
    connection: &mut PgConnection,
    id: UserId,
    now: OffsetDateTime,
) -> StoreResult<()> {
    let forget_user = "update auth.users set deleted_at = $2, updated_at = $2, \
        email = encode(sha256(convert_to(id::text || email, 'utf8')), 'hex'), \
        phone = left(encode(sha256(convert_to(id::text || phone, 'utf8')), 'hex'), 15), \
        encrypted_password = null, raw_user_meta_data = $3, raw_app_meta_data = $3, \
        email_change = '', phone_change = '', confirmation_token = '', recovery_token = '', \
        email_change_token_new = '', email_change_token_current = '', phone_change_token = '', \
        reauthentication_token = '' where id = $1 and deleted_at is null";
    let forget_identities = "update auth.identities set updated_at = $2, identity_data = $3, \
        provider_id = encode(sha256(convert_to(id::text || provider_id, 'utf8')), 'hex') \
        where user_id = $1";
    for sql in [forget_user, forget_identities] {
        sqlx::query(sql)
            .bind(id.0)
            .bind(now)
            .bind(Value::Object(serde_json::Map::new()))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::like_pattern;

    #[test]
    fn wildcards_of_a_filter_stand_for_themselves() {
        assert_eq!(like_pattern("50%_\\a"), "%50\\%\\_\\\\a%");
    }
}
