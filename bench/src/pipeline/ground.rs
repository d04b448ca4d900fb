//! A Postgres of the benchmark's own, with the platform's objects and a few tables.

use std::fs;
use std::num::NonZeroUsize;

use common::{EnvironmentMap, Secret, Settings};
use pg::bootstrap::{self, RolePasswords};
use pg::pipeline::{Batch, Pipeline, PipelineOptions, ResultSet, Statement};
use pg::{AccessPools, Endpoint, PoolOptions, RequestContext, roles};
use testkit::fault::PrivateCluster;

use super::workload::Workload;

/// How many rows a table has.
pub(super) const ROWS: u32 = 1000;

const PASSWORD: &str = "correct-horse-battery-staple";
const USER: &str = "5b1f2c1e-6f0a-4b8e-9d1e-0b6f0d1c2a3b";

const TABLES: &str = "
    create table public.items (
        id int primary key, owner uuid, name text, price numeric(10, 2), tags text[], meta jsonb,
        created_at timestamptz default now());
    select selfdb.set_table_public('public.items', true);
    create table public.own_items (like public.items including all);
    create policy own on public.own_items to authenticated using (owner = (select auth.uid()));
    create table public.written (
        id bigint generated always as identity primary key, item int, name text,
        owner uuid default auth.uid());
    create policy own on public.written to authenticated
        using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
    grant all on public.items, public.own_items, public.written to anon, authenticated;
    insert into public.items
        select g, '5b1f2c1e-6f0a-4b8e-9d1e-0b6f0d1c2a3b', 'item number ' || g, g * 1.5,
               array['red', 'green'], '{\"a\": 1, \"b\": [1, 2]}'
          from generate_series(1, 1000) g;
    insert into public.own_items select * from public.items;
    analyze";

pub(super) struct Ground {
    cluster: PrivateCluster,
    pub(super) connections: u32,
    /// Where the login role for users connects.
    pub(super) endpoint: Endpoint,
    pub(super) pipeline: Pipeline,
    pub(super) pools: AccessPools,
}

impl Ground {
    pub(super) async fn lay(connections: NonZeroUsize) -> Self {
        let cluster = PrivateCluster::start().await;
        let admin = cluster.endpoint();
        let prefixes = roles::LOGINS.map(|login| format!("{}_DB_PASSWORD", login.prefix));
        let passwords = prefixes.iter().map(|name| (name.as_str(), PASSWORD));
        let environment: EnvironmentMap = passwords.collect();
        let passwords = RolePasswords::from_settings(&Settings::new(&environment));
        let passwords = passwords.expect("every password");
        bootstrap::run(&admin, &passwords)
            .await
            .expect("the platform's objects");
        let pool = pg::pool(&admin, &PoolOptions::new("bench", 1));
        pg::sqlx::raw_sql(TABLES)
            .execute(&pool)
            .await
            .expect("the tables");
        pool.close().await;
        let login = |role| admin.login(role, Some(Secret::from(PASSWORD)));
        let endpoint = login(roles::AUTHENTICATOR);
        let options = PipelineOptions::new("bench", connections);
        let most = u32::try_from(connections.get()).unwrap_or(u32::MAX);
        let service = login(roles::SERVICE_AUTHENTICATOR);
        Self {
            pipeline: Pipeline::new(endpoint.clone(), options).expect("a pipeline"),
            pools: AccessPools::new(&endpoint, &service, &PoolOptions::new("bench", most)),
            connections: most,
            cluster,
            endpoint,
        }
    }

    /// The postmaster's process id.
    pub(super) fn postmaster(&self) -> u32 {
        let file = self
            .cluster
            .config()
            .data_dir
            .join("postgres/postmaster.pid");
        let text = fs::read_to_string(file).expect("postmaster.pid");
        let pid = text
            .lines()
            .next()
            .and_then(|line| line.trim().parse().ok());
        pid.expect("a process id")
    }

    /// The text of the context statement that the pipeline sends with `workload`.
    pub(super) async fn context_sql(&self, workload: &Workload) -> String {
        let look = "select statement from pg_prepared_statements \
            where statement like 'select set_config%' \
              and (statement like '%transaction_read_only%') = \
                  (current_setting('transaction_read_only') = 'on')";
        let mut batch = batch(workload);
        batch.statements = vec![Statement::new(look)];
        let results = self.pipeline.run(&context(workload), &batch).await;
        let value = results
            .expect("the statement")
            .last()
            .and_then(ResultSet::value);
        String::from_utf8(value.expect("one").to_vec()).expect("text")
    }
}

/// The request of `workload`.
pub(super) fn context(workload: &Workload) -> RequestContext {
    let role = workload.role;
    let claims = format!(
        r#"{{"iss":"http://localhost:8000/auth/v1","sub":"{USER}","aud":"{role}","exp":1999999999,"iat":1700000000,"email":"user@example.com","phone":"","app_metadata":{{"provider":"email","providers":["email"]}},"user_metadata":{{}},"role":"{role}","aal":"aal1","session_id":"{USER}","is_anonymous":false}}"#
    );
    RequestContext::new(role, claims)
        .with_target("GET", "/items")
        .with_headers(r#"{"host":"localhost:8000","accept":"*/*","x-client-info":"supabase-js/2"}"#)
}

/// Its batch, without the value of `$1`.
pub(super) fn batch(workload: &Workload) -> Batch<'static> {
    let batch = if workload.writes {
        Batch::read_write()
    } else {
        Batch::read_only()
    };
    let batch = batch.then(Statement::new(workload.sql));
    batch.with_setting("search_path", r#""public", "extensions""#)
}
