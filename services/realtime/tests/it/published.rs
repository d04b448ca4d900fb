//! Which tables can be listened to.

use pg::sqlx;
use realtime::store::columns::is_published;
use serde_json::json;

use crate::client::Version;
use crate::stage::Stage;

/// Tables of every kind, in publications of every kind.
const TABLES: &str = "
    create table plain (id int primary key);
    create table silent (id int primary key);
    create unlogged table unlogged_one (id int primary key);
    create view seen as select * from plain;
    create table parted (id int primary key) partition by range (id);
    create table low partition of parted for values from (0) to (10);
    create table high partition of parted for values from (10) to (20) partition by range (id);
    create table highest partition of high for values from (15) to (20);
    create schema \"Odd one\";
    create table \"Odd one\".\"A table\" (id int primary key);
    create table \"Odd one\".parted (id int primary key) partition by range (id);
    create table public.elsewhere partition of \"Odd one\".parted for values from (0) to (10);
    create publication p_tables for table plain, parted;
    create publication p_leaf for table low, highest;
    create publication p_middle for table high;
    create publication p_root for table parted with (publish_via_partition_root);
    create publication p_schema for tables in schema \"Odd one\";
    create publication p_schema_root for tables in schema \"Odd one\" with (publish_via_partition_root);
    create publication p_all for all tables;
    create publication p_all_root for all tables with (publish_via_partition_root);
    create publication p_none";

#[tokio::test]
async fn what_is_published_is_what_postgres_says() {
    let stage = Stage::new().await;
    stage.db.execute(TABLES).await;
    let mut connection = stage.db.admin_pool().acquire().await.expect("a connection");
    let rows = "select pubname::text, nspname::text, relname::text, exists ( \
                    select from pg_publication_tables t where t.pubname = p.pubname \
                       and t.schemaname = nspname and t.tablename = relname) \
                from pg_publication p cross join pg_class c \
                join pg_namespace n on n.oid = c.relnamespace \
                where nspname in ('public', 'Odd one', 'auth', 'realtime', 'pg_catalog')";
    let rows: Vec<(String, String, String, bool)> = sqlx::query_as(rows)
        .fetch_all(&mut *connection)
        .await
        .expect("tables");
    assert!(rows.iter().filter(|(.., published)| *published).count() > 15);
    for (publication, schema, table, expected) in rows {
        let found = is_published(&mut connection, (&publication, &schema, &table)).await;
        assert_eq!(
            found.ok(),
            Some(expected),
            "{publication}: {schema}.{table}"
        );
    }
    for (publication, schema, table, expected) in [
        ("p_tables", "*", "*", true),
        ("p_tables", "*", "low", true),
        ("p_tables", "public", "*", true),
        ("p_schema", "public", "*", true),
        ("p_tables", "Odd one", "*", false),
        ("p_none", "*", "*", false),
        ("no such", "*", "*", false),
    ] {
        let found = is_published(&mut connection, (publication, schema, table)).await;
        assert_eq!(
            found.ok(),
            Some(expected),
            "{publication}: {schema}.{table}"
        );
    }
}

#[tokio::test]
async fn joins_do_not_wait_for_whoever_alters_a_table() {
    let stage = Stage::new().await;
    stage.open_table().await;
    let other = "create table other (id int primary key); \
                 alter publication supabase_realtime add table other";
    stage.db.execute(other).await;
    let mut altering = stage.db.admin_pool().begin().await.expect("a transaction");
    sqlx::query("lock table todos, other in access exclusive mode")
        .execute(&mut *altering)
        .await
        .expect("a lock");
    let mut client = stage.connect(Version::V2).await;
    for table in ["todos", "other"] {
        let asked =
            json!([{ "event": "*", "schema": "public", "table": table, "filter": "id=eq.1" }]);
        client.listen(&format!("realtime:{table}"), asked).await;
    }
    altering.rollback().await.expect("its end");
}
