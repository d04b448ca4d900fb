//! What a role may do with a table, and whether its policies let a row through. Everything runs
//! in the listener's own role with its own claims; Postgres decides.

use pg::pipeline::{Batch, Pipeline, PipelineError, Statement};
use pg::sqlstate::QUERY_CANCELED;
use pg::sqlx::{self, AssertSqlSafe, Error, PgConnection, Row as _};
use pg::{Ident, QualifiedIdent, RequestContext};

/// What is asked of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// To read rows.
    Select,
    /// To insert rows.
    Insert,
}

impl Command {
    fn privilege(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert",
        }
    }

    /// The letter in `pg_policy.polcmd`.
    fn policy_letter(self) -> &'static str {
        match self {
            Self::Select => "r",
            Self::Insert => "a",
        }
    }
}

/// What the current role may do with a table, policies apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRights {
    /// The table's schema now.
    pub schema: String,
    /// The table's name now.
    pub table: String,
    /// The columns the role has the privilege for; none where it may not use the schema.
    pub columns: Vec<String>,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// Whether row-level security binds the role here.
    pub guarded: bool,
}

/// A policy that applies to the current role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Permissive policies let through together, each restrictive one may refuse.
    pub permissive: bool,
    /// The condition as SQL, with every name qualified.
    pub condition: String,
    /// The columns of the table that it reads.
    pub columns: Vec<PolicyColumn>,
}

/// A column that a policy reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyColumn {
    /// Its name.
    pub name: String,
    /// Its type as SQL, with its schema.
    pub type_sql: String,
}

/// The oid of `schema.table`; `None` where the current role cannot see such a table.
pub async fn find_table(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<Option<i64>, Error> {
    let sql = "select c.oid::int8 from pg_catalog.pg_class c \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where n.nspname = $1 and c.relname = $2";
    sqlx::query_scalar(sql)
        .bind(schema)
        .bind(table)
        .fetch_optional(connection)
        .await
}

/// What the current role may do with the table; `None` where it is gone.
pub async fn table_rights(
    connection: &mut PgConnection,
    oid: i64,
    command: Command,
) -> Result<Option<TableRights>, Error> {
    let sql = "select n.nspname::text, c.relname::text, \
           pg_catalog.row_security_active(c.oid), \
           array(select a.attname::text from pg_catalog.pg_attribute a \
                  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
                    and pg_catalog.has_schema_privilege(n.oid, 'usage') \
                    and pg_catalog.has_column_privilege(c.oid, a.attnum, $2)), \
           array(select a.attname::text from pg_catalog.pg_index i \
                   join pg_catalog.pg_attribute a on a.attrelid = i.indrelid \
                        and a.attnum = any (i.indkey) \
                  where i.indrelid = c.oid and i.indisprimary) \
         from pg_catalog.pg_class c \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where c.oid = $1::oid";
    let row = sqlx::query(sql)
        .bind(oid)
        .bind(command.privilege())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(TableRights {
        schema: row.try_get(0)?,
        table: row.try_get(1)?,
        guarded: row.try_get(2)?,
        columns: row.try_get(3)?,
        primary_key: row.try_get(4)?,
    }))
}

/// The policies that apply to the current role. Ends with an empty `search_path` in the
/// transaction, by which Postgres writes every name with its schema.
pub async fn policies(
    connection: &mut PgConnection,
    oid: i64,
    command: Command,
) -> Result<Vec<Policy>, Error> {
    sqlx::query("select pg_catalog.set_config('search_path', '', true)")
        .execute(&mut *connection)
        .await?;
    // A policy for inserts has its check; one for all commands may have only its `using`.
    let sql = "select p.polpermissive, pg_catalog.pg_get_expr(case when $2 = 'a' \
             then coalesce(p.polwithcheck, p.polqual) else p.polqual end, p.polrelid), \
           r.names, r.types \
         from pg_catalog.pg_policy p \
         cross join lateral ( \
             select coalesce(array_agg(a.attname::text order by a.attnum), '{}'), \
                    coalesce(array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) \
                                       order by a.attnum), '{}') \
               from pg_catalog.pg_attribute a \
              where a.attrelid = p.polrelid and exists ( \
                    select from pg_catalog.pg_depend d \
                     where d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid \
                       and d.refclassid = 'pg_catalog.pg_class'::regclass \
                       and d.refobjid = p.polrelid and d.refobjsubid = a.attnum) \
         ) r (names, types) \
         where p.polrelid = $1::oid and p.polcmd::text in ($2, '*') \
           and exists (select from unnest(p.polroles) r (role) \
                        where case when r.role = 0 then true \
                              else pg_catalog.pg_has_role(r.role, 'usage') end)";
    let rows = sqlx::query(sql)
        .bind(oid)
        .bind(command.policy_letter())
        .fetch_all(connection)
        .await?;
    let mut policies = Vec::with_capacity(rows.len());
    for row in rows {
        let condition: Option<String> = row.try_get(1)?;
        // One without a condition for this command neither lets through nor refuses.
        if let Some(condition) = condition {
            let (names, types): (Vec<String>, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
            let columns = names.into_iter().zip(types);
            policies.push(Policy {
                permissive: row.try_get(0)?,
                condition,
                columns: columns
                    .map(|(name, type_sql)| PolicyColumn { name, type_sql })
                    .collect(),
            });
        }
    }
    Ok(policies)
}

/// The query that asks `condition` of rows given as JSON. It gives them the table's own name,
/// which is how Postgres wrote the condition: unqualified columns, and the table's name inside
/// sub-queries. `columns` are those it reads; with `None` it takes the row as a whole, which then
/// has the table's own type.
pub fn rows_query(
    rights: &TableRights,
    condition: &str,
    columns: Option<&[PolicyColumn]>,
) -> Option<String> {
    let table = QualifiedIdent::new(&rights.schema, &rights.table).ok()?;
    let alias = Ident::new(rights.table.as_str()).ok()?;
    let row = match columns {
        None => {
            format!("pg_catalog.jsonb_populate_record(null::{table}, subject.value) as {alias}")
        }
        Some([]) => format!("(values (true)) as {alias}"),
        Some(columns) => {
            let columns = columns.iter().map(|column| {
                let name = Ident::new(column.name.as_str()).ok()?;
                Some(format!("{name} {}", column.type_sql))
            });
            let columns = columns.collect::<Option<Vec<_>>>()?.join(", ");
            format!("pg_catalog.jsonb_to_record(subject.value) as {alias} ({columns})")
        }
    };
    Some(format!(
        "select coalesce((select ({condition}) from {row}), false) \
         from pg_catalog.jsonb_array_elements($1::jsonb) with ordinality as subject (value, place) \
         order by subject.place"
    ))
}

/// Asks a query of [`rows_query`] about `rows`, a JSON array; one answer a row, in order.
pub async fn ask(
    connection: &mut PgConnection,
    query: &str,
    rows: &str,
) -> Result<Vec<bool>, Error> {
    // Made of quoted names and of conditions as Postgres itself wrote them.
    sqlx::query_scalar(AssertSqlSafe(query))
        .bind(rows)
        .fetch_all(connection)
        .await
}

/// The same as `context` says, in one round trip; `None` where that could not be, for whatever
/// reason, a policy that writes included: then [`ask`] must be asked. An error where the policy
/// took too long.
pub async fn ask_at_once(
    pipeline: &Pipeline,
    context: &RequestContext,
    query: &str,
    rows: &str,
) -> Result<Option<Vec<bool>>, Error> {
    let batch = Batch::read_only().then(Statement::new(query).bind(rows));
    match pipeline.run(context, &batch).await {
        Ok(results) => Ok(results.last().map(|result| {
            let rows = result.rows.iter();
            rows.map(|row| row.get(0) == Some(b"t")).collect()
        })),
        Err(PipelineError::Database(error)) if error.code == QUERY_CANCELED => {
            Err(Error::Protocol("a policy took too long".to_owned()))
        }
        Err(_) => Ok(None),
    }
}
