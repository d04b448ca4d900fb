-- The platform's own catalogue. No role of the API sees it; service_role reads parts of it.

create table selfdb.instance (
    only_row boolean primary key default true check (only_row),
    id uuid not null default gen_random_uuid(),
    initialized_at timestamptz not null default now()
);

create table selfdb.tables (
    relation regclass primary key,
    is_public boolean not null default false,
    owner_column name,
    updated_at timestamptz not null default now()
);
comment on table selfdb.tables is 'What the platform knows of a table beyond Postgres'' catalogue';

create table selfdb.withheld_grants (
    relation regclass not null,
    grantee name not null,
    privilege text not null,
    column_name name not null default '',
    primary key (relation, grantee, privilege, column_name)
);
comment on table selfdb.withheld_grants is
    'Grants taken back while a table has no row-level security, given again when it has';
comment on column selfdb.withheld_grants.column_name is 'Empty for a grant on the whole table';

create table selfdb.events (
    id bigint generated always as identity primary key,
    name text not null check (name <> ''),
    payload jsonb not null default '{}',
    emitted_at timestamptz not null default now()
);
create index events_by_name on selfdb.events (name, id);

grant select on selfdb.tables, selfdb.events to service_role;
grant select on selfdb.events to supabase_functions_admin;
