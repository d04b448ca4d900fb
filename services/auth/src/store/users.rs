//! `auth.users`.

mod delete;
mod insert;
mod messages;
mod update;

use pg::sqlx::postgres::PgArguments;
use pg::sqlx::query::Query;
use pg::sqlx::{self, PgConnection, Postgres, Row as _};

use crate::domain::ids::UserId;
use crate::domain::user::{Contact, User};
use crate::store::StoreResult;
use crate::store::user_row::{read_user, user_columns};

pub use delete::{delete, delete_softly};
pub use insert::insert;
pub use messages::{
    forget_password, forget_phone, update_invited, update_new_email, update_new_phone, update_sent,
};
pub use update::{BanChange, UserChanges, replace_hash, update, update_last_sign_in};

/// The user with this id, deleted or not.
pub async fn find(connection: &mut PgConnection, id: UserId) -> StoreResult<Option<User>> {
    let sql = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where u.id = $1"
    );
    first(connection, sqlx::query(sql).bind(id.0)).await
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
    first(connection, sqlx::query(sql).bind(id.0)).await
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
    first(connection, sqlx::query(sql).bind(contact.as_str())).await
}

/// A user who changes to this address or number and has not confirmed it.
pub async fn find_by_new_contact(
    connection: &mut PgConnection,
    contact: &Contact,
) -> StoreResult<Option<User>> {
    let by_email = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where u.email_change <> '' and lower(u.email_change::text) = $1 \
         and not u.is_sso_user order by u.email_change_sent_at desc nulls last, u.id limit 1"
    );
    let by_phone = concat!(
        "select ",
        user_columns!(),
        " from auth.users u where u.phone_change <> '' and u.phone_change = $1 \
         and not u.is_sso_user order by u.phone_change_sent_at desc nulls last, u.id limit 1"
    );
    let sql = match contact {
        Contact::Email(_) => by_email,
        Contact::Phone(_) => by_phone,
    };
    first(connection, sqlx::query(sql).bind(contact.as_str())).await
}

/// The user in the first row that `query` finds.
async fn first(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, PgArguments>,
) -> StoreResult<Option<User>> {
    let row = query.fetch_optional(connection).await?;
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

#[cfg(test)]
mod tests {
    use super::like_pattern;

    #[test]
    fn wildcards_of_a_filter_stand_for_themselves() {
        assert_eq!(like_pattern("50%_\\a"), "%50\\%\\_\\\\a%");
    }
}
