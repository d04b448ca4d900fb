//! Variables of the project and of single functions, sealed.

use pg::sqlx;
use pg::sqlx::postgres::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// A variable as it lies in the database.
#[derive(Debug, Clone)]
pub(crate) struct SealedVariable {
    /// `None` for the project's.
    pub(crate) function: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) is_secret: bool,
    pub(crate) updated_at: OffsetDateTime,
}

impl SealedVariable {
    /// Where it belongs: it can be opened as nothing else.
    pub(crate) fn place(function: Option<Uuid>, name: &str) -> String {
        let owner = function.map_or_else(|| "project".to_owned(), |id| id.to_string());
        format!("environment/{owner}/{name}")
    }
}

type Row = (Option<Uuid>, String, Vec<u8>, bool, OffsetDateTime);

/// All variables there are, of everybody.
pub(crate) async fn list(pool: &PgPool) -> Result<Vec<SealedVariable>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "select function_id, name, sealed, is_secret, updated_at
           from functions.environment order by name",
    )
    .fetch_all(pool)
    .await?;
    let read = |(function, name, sealed, is_secret, updated_at)| SealedVariable {
        function,
        name,
        sealed,
        is_secret,
        updated_at,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Sets a variable that may be there already.
pub(crate) async fn put(
    pool: &PgPool,
    variable: (Option<Uuid>, &str),
    sealed: &[u8],
    is_secret: bool,
) -> Result<(), sqlx::Error> {
    let (function, name) = variable;
    let of_function = "insert into functions.environment (function_id, name, sealed, is_secret)
         values ($1, $2, $3, $4)
         on conflict (function_id, name) where function_id is not null
         do update set sealed = excluded.sealed, is_secret = excluded.is_secret, updated_at = now()";
    let of_project = "insert into functions.environment (function_id, name, sealed, is_secret)
         values ($1, $2, $3, $4)
         on conflict (name) where function_id is null
         do update set sealed = excluded.sealed, is_secret = excluded.is_secret, updated_at = now()";
    let sql = if function.is_some() {
        of_function
    } else {
        of_project
    };
    sqlx::query(sql)
        .bind(function)
        .bind(name)
        .bind(sealed)
        .bind(is_secret)
        .execute(pool)
        .await
        .map(drop)
}

/// Whether there was such a variable.
pub(crate) async fn delete(
    pool: &PgPool,
    function: Option<Uuid>,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let deleted = sqlx::query(
        "delete from functions.environment
          where function_id is not distinct from $1 and name = $2",
    )
    .bind(function)
    .bind(name)
    .execute(pool)
    .await?;
    Ok(deleted.rows_affected() > 0)
}
