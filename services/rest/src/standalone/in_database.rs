//! What the database itself says about the configuration: a function that sets it, and over that
//! the settings of the login role, for every database and then for this one.

use pg::Ident;
use pg::sqlx::postgres::PgPool;
use pg::sqlx::{self, AssertSqlSafe};

use super::parameters::{PARAMETERS, Parameter, Place};
use crate::config::FunctionName;

const ROLE_SETTINGS: &str = include_str!("queries/role_settings.sql");
const FUNCTION_SETTINGS: &str = include_str!("queries/function_settings.sql");

/// The parameters that the database sets, with their values; a later one holds.
pub(super) async fn read(
    pool: &PgPool,
    function: Option<&FunctionName>,
) -> Result<Vec<(&'static Parameter, String)>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let role: Vec<(String, String)> = sqlx::query_as(ROLE_SETTINGS)
        .fetch_all(&mut *transaction)
        .await?;
    let mut found = Vec::new();
    if let Some(function) = function.and_then(name) {
        let call = format!("select {function}()");
        sqlx::query(AssertSqlSafe(call))
            .execute(&mut *transaction)
            .await?;
        let names: Vec<String> = settable().map(Parameter::setting).collect();
        let set: Vec<(String, String)> = sqlx::query_as(FUNCTION_SETTINGS)
            .bind(names)
            .fetch_all(&mut *transaction)
            .await?;
        found.extend(set);
    }
    transaction.rollback().await?;
    found.extend(role);
    Ok(known(found))
}

/// The function that sets the configuration, as the role's settings name it.
pub(super) async fn function_setting(pool: &PgPool) -> Result<Option<String>, sqlx::Error> {
    let role: Vec<(String, String)> = sqlx::query_as(ROLE_SETTINGS).fetch_all(pool).await?;
    let named = role.into_iter().rev();
    let mut named = named.filter(|(name, _)| name == "pgrst.db_pre_config");
    Ok(named.next().map(|(_, value)| value))
}

fn name(function: &FunctionName) -> Option<String> {
    let name = Ident::new(function.name.as_str()).ok()?;
    match &function.schema {
        None => Some(name.to_string()),
        Some(schema) => {
            let schema = Ident::new(schema.as_str()).ok()?;
            Some(format!("{schema}.{name}"))
        }
    }
}

fn settable() -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS
        .iter()
        .filter(|parameter| parameter.place == Place::Database)
}

fn known(found: Vec<(String, String)>) -> Vec<(&'static Parameter, String)> {
    let of = |name: &str| settable().find(|parameter| parameter.setting() == name);
    found
        .into_iter()
        .filter_map(|(name, value)| Some((of(&name)?, unquoted(value))))
        .collect()
}

/// A list that `alter role` was given in double quotes keeps them.
fn unquoted(value: String) -> String {
    let inside = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    match inside {
        Some(inside) if !inside.contains('"') => inside.to_owned(),
        Some(_) | None => value,
    }
}
